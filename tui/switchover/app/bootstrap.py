"""Builds everything that watches and acts, and hands each part what it needs."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from switchover import __version__
from switchover.agent.process.logind import read_logind
from switchover.agent.server.server import Identity
from switchover.app.check_ports import check_memory, check_ports
from switchover.app.known_secrets import KnownSecrets
from switchover.app.plan_runtime import PlanInForce, PlanProbes, PlanRuntime, Runtime
from switchover.app.probe_limits import room_to_wait, room_to_work
from switchover.clock import Clock, SystemClock
from switchover.clouds.cloud_calls import CloudCalls
from switchover.errors import PlanError
from switchover.health.catalog import Catalog
from switchover.health.probing import Evaluator
from switchover.hub import FollowingHub, Hub
from switchover.hub.history.operations import Operations
from switchover.locations import Workspace, ensure_private_dir
from switchover.migration.run.engine import Engine
from switchover.plan.loader.load import LoadedPlan, check_modules, load_plan_text
from switchover.plan.plan_bytes import decode_plan, read_plan
from switchover.plan.secrets.secret_store import SecretStore
from switchover.plan.variables import Scope, resolve_variables
from switchover.services.inventory import Inventory
from switchover.services.provider_api import Provider, ServiceTarget
from switchover.services.provider_registry import make_providers
from switchover.services.service_targets import make_target
from switchover.settings import load_settings, settings_path
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.probe_ports import ProbePorts
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import Runner
from switchover_checks.runtime.threads import never_queue

__all__ = ["build", "build_evaluator", "identify"]


def build(
    loaded: LoadedPlan | None,
    workspace: Workspace,
    *,
    read_only: bool = False,
    clock: Clock | None = None,
    secret_words: KnownSecrets | None = None,
    even_refused: bool = False,
) -> Runtime:
    """Build all of it for one workspace, in the running loop. Raise `StateError` where the state cannot be used.

    With `even_refused` a journal that cannot be used keeps nothing else from going on.
    """
    never_queue(asyncio.get_running_loop())
    clock = clock or SystemClock()
    words = secret_words or KnownSecrets()
    ensure_private_dir(workspace.directory)
    operations = Operations(workspace.operations, clock, words.display, read_only=read_only)
    if loaded is None:
        everything = Inventory({}, _providers(Path("/"), clock), lambda name: f"there is no {name}", clock)
        hub_alone = Hub(
            None, workspace, None, None, clock, read_only,
            inventory=everything, redact=words.display, operations=operations,
        )  # fmt: skip
        return Runtime(workspace, clock, words, FollowingHub(lambda: hub_alone))
    plan_runtime = _open(
        loaded, workspace, clock, words, read_only=read_only, only_read=read_only, even_refused=even_refused
    )

    def make() -> Hub:
        return Hub(
            plan_runtime.loaded,
            workspace,
            plan_runtime.engine,
            plan_runtime.evaluator,
            clock,
            read_only,
            inventory=plan_runtime.inventory,
            redact=words.display,
            operations=operations,
        )

    hub = FollowingHub(make, plan_runtime.retire)
    plan_runtime.replaced.append(hub.replace)
    plan_runtime.listeners.append(hub.engine_changed)
    return Runtime(workspace, clock, words, hub, plan_runtime)


def build_evaluator(
    loaded: LoadedPlan,
    workspace: Workspace,
    variables: Mapping[str, str] | None = None,
    *,
    clock: Clock | None = None,
    secret_words: KnownSecrets | None = None,
    only_read: bool = False,
) -> PlanRuntime:
    """Build what looks at checks and services, in the running loop, and nothing that acts. Nothing is written anywhere.

    `variables` are used where no run has given them a value. Raise `UsageError` for one that the plan does not have.
    With `only_read`, checks that change something when they look are left out.
    """
    never_queue(asyncio.get_running_loop())
    words = secret_words or KnownSecrets()
    clock = clock or SystemClock()
    return _open(
        loaded,
        workspace,
        clock,
        words,
        read_only=True,
        only_read=only_read,
        variables=variables or {},
        planned_only=True,
    )


def _open(
    loaded: LoadedPlan,
    workspace: Workspace,
    clock: Clock,
    words: KnownSecrets,
    *,
    read_only: bool,
    only_read: bool = False,
    variables: Mapping[str, str] | None = None,
    planned_only: bool = False,
    even_refused: bool = False,
) -> PlanRuntime:
    in_force = PlanInForce()

    def secret_values() -> Mapping[str, str]:
        known = _secret_values(plan_runtime.loaded if plan_runtime is not None else first, in_force)
        return {**plan_runtime.engine.captured_secrets, **known} if plan_runtime is not None else known

    def changed() -> None:
        for listener in plan_runtime.listeners if plan_runtime is not None else ():
            listener()

    def plan_changed(now: LoadedPlan) -> None:
        if plan_runtime is not None:
            plan_runtime.look_at(now)

    def scope() -> Scope:
        now = engine.revealed_scope()
        if not variables:
            return now
        plan = plan_runtime.loaded.plan if plan_runtime is not None else first.plan
        given = {**variables, **engine.state.variables}
        resolved = resolve_variables(plan, given, engine.state.outputs, replace(now, values={}))
        return replace(now, values=dict(resolved.values))

    def look_at(plan: LoadedPlan) -> PlanProbes:
        registry = Registry(check_modules(plan.plan, plan.directory), plan.code)
        secrets = SecretStore(plan.plan, plan.directory)
        in_force.use(secrets)
        inventory = _inventory(plan, scope, clock, planned_only=planned_only)
        runner = _runner(plan, registry, scope, secrets, check_ports(workspace, inventory, clouds, memory))
        runner.on_close(memory.aclose)
        evaluator = Evaluator(
            plan,
            scope,
            runner,
            inventory,
            clock,
            fields=lambda kind: [field.name for field in registry.config_fields(kind) or ()],
            secrets=secrets,
            redact=words.display,
            changes=registry.changes if only_read else None,
        )
        return PlanProbes(plan, registry, runner, inventory, evaluator, secrets)

    memory = check_memory(workspace, writes=not read_only)
    clouds = CloudCalls()
    plan_runtime: PlanRuntime | None = None
    first = loaded
    words.follow(secret_values)
    engine = Engine.open(
        loaded,
        workspace,
        in_force,
        clock,
        read_only=read_only,
        secrets=in_force,
        on_change=changed,
        on_plan=plan_changed,
        even_refused=even_refused,
    )
    first = engine.loaded  # a run that is open goes on with the plan it was started with
    scope()  # a variable that the plan does not have is refused here
    plan_runtime = in_force.plan_runtime = PlanRuntime(look_at(first), engine, look_at)
    return plan_runtime


def identify(parts: Runtime, *, read_only: bool, since: float) -> Identity:
    """Return what an agent made of these parts says about itself."""
    loaded = parts.loaded
    return Identity(
        version=__version__,
        workspace=str(parts.workspace.directory),
        plan=str(parts.workspace.plan or ""),
        plan_digest=loaded.digest if loaded is not None else "",
        modules=loaded.code.files if loaded is not None else {},
        read_only=read_only,
        since=since,
        warning="; ".join(filter(None, (_broken_file(parts), read_logind().warning))),
    )


def _broken_file(parts: Runtime) -> str:
    path, loaded = parts.workspace.plan, parts.loaded
    if path is None:
        return ""
    try:
        content = read_plan(path)
        if loaded is None or hashlib.sha256(content).hexdigest() != loaded.digest:  # else it was judged already
            load_plan_text(decode_plan(content, path), path)
    except PlanError:
        return "the plan file has errors now; the run goes on with the plan that it was started with"
    return ""


def _secret_values(loaded: LoadedPlan, secrets: PlanInForce) -> Mapping[str, str]:
    """Return the secrets that could show up: those fetched, and those that lie in the environment anyway."""
    names = {name: secret.ref.removeprefix("env:") for name, secret in loaded.plan.secrets.items()}
    return {**{n: os.environ[v] for n, v in names.items() if v in os.environ}, **secrets.fetched}


def _runner(
    loaded: LoadedPlan, registry: Registry, scope: Callable[[], Scope], secrets: SecretStore, ports: ProbePorts
) -> Runner:
    resources = Resources()

    def context(deadline: float) -> LocalContext:
        return LocalContext(
            deadline, loaded.directory, sides=scope().sides, secrets=secrets.get, resources=resources,
            ports=ports,
        )  # fmt: skip

    checks = len(Catalog(loaded.plan).items)
    runner = Runner(registry, context, waiting=room_to_wait(checks), working=room_to_work())
    runner.on_close(resources.aclose)
    return runner


def _inventory(loaded: LoadedPlan, scope: Callable[[], Scope], clock: Clock, *, planned_only: bool) -> Inventory:
    services = loaded.plan.services

    def target(name: str) -> ServiceTarget | str:
        return make_target(name, services[name], scope())

    planned = {service.kind for service in services.values()}
    providers = _providers(loaded.directory, clock, planned if planned_only else None)
    return Inventory(services, providers, target, clock)


def _providers(base_dir: Path, clock: Clock, only: Collection[str] | None = None) -> list[Provider]:
    """Return what looks at services, without the sources that the operator has switched off for all plans."""
    off = load_settings(settings_path(os.environ)).sources_off
    return make_providers(base_dir, clock.monotonic, without=off, only=only)
