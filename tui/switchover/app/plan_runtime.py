"""What belongs to one text of a plan: its checks, services and secrets, and what probes them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from switchover.app.check_ports import check_ports
from switchover.app.known_secrets import KnownSecrets
from switchover.app.probe_limits import room_to_wait, room_to_work
from switchover.clock import Clock
from switchover.clouds.cloud_calls import CloudCalls
from switchover.costs.cost_book import cost_port
from switchover.health.catalog import Catalog
from switchover.health.probing import Evaluator
from switchover.hosts.host_lines import HostLines
from switchover.locations import Workspace
from switchover.migration.steps.far_parts import FAR_PARTS
from switchover.plan.kind_calls import KindCalls
from switchover.plan.loader.load import LoadedPlan, check_modules
from switchover.plan.secrets.secret_store import SecretStore
from switchover.plan.variables import Scope
from switchover.services.inventory import Inventory
from switchover.services.provider_api import Provider, ServiceTarget
from switchover.services.provider_registry import make_providers
from switchover.services.service_targets import make_target
from switchover.settings import load_settings, settings_path
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.probe_ports import ProbeMemory, ProbePorts
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import Runner

__all__ = ["PlanRuntime", "PlanRuntimeBuilder", "providers_of", "secrets_of_environment"]


@dataclass(frozen=True, slots=True)
class PlanRuntime:
    """One text of a plan with all that probes it. `await aclose()` at the end."""

    loaded: LoadedPlan
    registry: Registry
    runner: Runner
    inventory: Inventory
    evaluator: Evaluator
    secrets: SecretStore

    async def aclose(self) -> None:
        """Let go of connections and processes."""
        await self.runner.aclose()
        await self.inventory.aclose()


@dataclass(frozen=True, slots=True)
class PlanRuntimeBuilder:
    """Builds the runtime of a plan. All of them share what is remembered between probes."""

    workspace: Workspace
    clock: Clock
    words: KnownSecrets
    memory: ProbeMemory
    clouds: CloudCalls
    only_read: bool  # leave checks out that change something when they look
    planned_only: bool  # leave services out that the plan does not name

    def build(self, plan: LoadedPlan, scope: Callable[[], Scope]) -> PlanRuntime:
        """Return the runtime of this plan. `scope` tells its variables as they stand."""
        registry = Registry(check_modules(plan.plan, plan.directory), plan.code)
        secrets = SecretStore(plan.plan, plan.directory)
        inventory = self._inventory(plan, scope)
        lines = HostLines(FAR_PARTS)  # not those of steps: no look holds a step up
        costs = cost_port(plan, KindCalls(scope, secrets, plan.directory))
        ports = replace(check_ports(self.workspace, inventory, self.clouds, self.memory, lines), costs=costs)
        runner = _runner(plan, registry, scope, secrets, ports)
        runner.on_close(lines.aclose)
        runner.on_close(self.memory.aclose)
        runner.on_close(self.clouds.aclose)
        evaluator = Evaluator(
            plan,
            scope,
            runner,
            inventory,
            self.clock,
            fields=lambda kind: [field.name for field in registry.config_fields(kind) or ()],
            secrets=secrets,
            redact=self.words.display,
            changes=registry.changes if self.only_read else None,
            progress=ports.progress,
        )
        return PlanRuntime(plan, registry, runner, inventory, evaluator, secrets)

    def _inventory(self, loaded: LoadedPlan, scope: Callable[[], Scope]) -> Inventory:
        services = loaded.plan.services

        def target(name: str) -> ServiceTarget | str:
            return make_target(name, services[name], scope(), loaded.plan.hosts)

        planned = {service.kind for service in services.values()}
        providers = providers_of(loaded.directory, self.clock, planned if self.planned_only else None)
        return Inventory(services, providers, target, self.clock)


def secrets_of_environment(loaded: LoadedPlan) -> dict[str, str]:
    """Return the plan's secrets that lie in the environment, by name."""
    names = {name: secret.ref.removeprefix("env:") for name, secret in loaded.plan.secrets.items()}
    return {name: os.environ[variable] for name, variable in names.items() if variable in os.environ}


def providers_of(base_dir: Path, clock: Clock, only: Collection[str] | None = None) -> list[Provider]:
    """Return what looks at services, without the sources that the operator has switched off for all plans."""
    off = load_settings(settings_path(os.environ)).sources_off
    return make_providers(base_dir, clock.monotonic, without=off, only=only)


def _runner(
    loaded: LoadedPlan, registry: Registry, scope: Callable[[], Scope], secrets: SecretStore, ports: ProbePorts
) -> Runner:
    resources = Resources()

    def context(deadline: float) -> LocalContext:
        return LocalContext(
            deadline, loaded.directory, sides=scope().sides_with(secrets), secrets=secrets.get, resources=resources,
            ports=ports,
        )  # fmt: skip

    checks = len(Catalog(loaded.plan).items)
    runner = Runner(registry, context, waiting=room_to_wait(checks), working=room_to_work())
    runner.on_close(resources.aclose)
    return runner
