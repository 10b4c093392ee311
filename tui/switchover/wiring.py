"""Builds everything that watches and acts, and hands each part what it needs. The only place that knows everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from switchover import __version__
from switchover.agent.logind import read_logind
from switchover.agent.server import Identity
from switchover.clock import Clock, SystemClock
from switchover.health.probe import Evaluator, Reading
from switchover.hub import Hub
from switchover.locations import Workspace, ensure_private_dir
from switchover.plan.load import LoadedPlan, load_plan
from switchover.plan.secrets import SecretStore
from switchover.plan.variables import Scope, resolve_variables
from switchover.redaction import Redactor, neutralise
from switchover.services.api import Provider, Target
from switchover.services.docker import DockerProvider
from switchover.services.http import HttpProvider
from switchover.services.inventory import Inventory
from switchover.services.processes import ProcessProvider
from switchover.services.targets import make_target
from switchover.snapshot import MigrationView
from switchover_checks.context import LocalContext, Resources
from switchover_checks.registry import Registry
from switchover_checks.runner import Runner

if TYPE_CHECKING:
    from switchover.migration.engine import Engine

__all__ = ["Looking", "Parts", "SecretWords", "build", "build_evaluator", "identify", "load"]


class SecretWords:
    """Takes the secrets that have been fetched so far out of any text."""

    def __init__(self) -> None:
        self._store: SecretStore | None = None
        self._known = 0
        self._redactor = Redactor({})

    def follow(self, store: SecretStore) -> None:
        """Learn each secret as soon as it is fetched."""
        self._store, self._known = store, 0

    def redact(self, text: str) -> str:
        """Return `text` without secrets."""
        if self._store is not None and len(self._store.fetched) != self._known:
            fetched = dict(self._store.fetched)
            self._known, self._redactor = len(fetched), Redactor(fetched)
        return self._redactor.redact(text)

    def redact_for_display(self, text: str) -> str:
        """Return `text` without secrets and without control sequences."""
        return neutralise(self.redact(text))


@dataclass(slots=True)
class Parts:
    """What was built; without a plan only the hub. `await aclose()` lets go; steps under their shims run on."""

    workspace: Workspace
    clock: Clock
    words: SecretWords
    hub: Hub
    loaded: LoadedPlan | None = None
    registry: Registry | None = None
    runner: Runner | None = None
    evaluator: Evaluator | None = None
    engine: Engine | None = None

    async def aclose(self) -> None:
        """Let go of connections, processes and files."""
        if self.engine is not None:
            await self.engine.aclose()
        if self.runner is not None:
            await self.runner.aclose()


def load(path: Path) -> LoadedPlan:
    """Read and check a plan, with the check kinds that lie beside it. Raise `PlanError`."""
    return load_plan(path)


def registry_of(loaded: LoadedPlan) -> Registry:
    """Return the check kinds that the plan may use: built in, installed, and beside it."""
    return Registry([loaded.directory / module for module in loaded.plan.check_modules])


class _LaterEvaluator:
    """Stands for the evaluator, which needs the engine's variables, while the engine is being opened."""

    def __init__(self) -> None:
        self.target: Evaluator | None = None

    async def evaluate(self, names: Sequence[str]) -> Mapping[str, Reading]:
        assert self.target is not None
        return await self.target.evaluate(names)


def build(
    loaded: LoadedPlan | None,
    workspace: Workspace,
    *,
    read_only: bool = False,
    clock: Clock | None = None,
    secret_words: SecretWords | None = None,
) -> Parts:
    """Build all of it for one workspace, in the running loop. Raise `StateError` where the state cannot be used."""
    from switchover.migration.engine import Engine

    clock = clock or SystemClock()
    words = secret_words or SecretWords()
    ensure_private_dir(workspace.directory)
    if loaded is None:
        hub = Hub(None, workspace, None, None, clock, read_only, redact=words.redact_for_display)
        return Parts(workspace, clock, words, hub)
    later = _LaterEvaluator()
    hubs: list[Hub] = []

    def changed() -> None:
        for hub in hubs:
            hub.engine_changed()

    secrets = SecretStore(loaded.plan, loaded.directory)
    words.follow(secrets)
    engine = Engine.open(
        loaded,
        workspace,
        later,
        clock,
        read_only=read_only,
        secrets=secrets,
        on_change=changed,
    )
    in_force = engine.loaded  # a run that is open goes on with the plan it was started with
    registry = registry_of(in_force)
    runner = _runner(in_force, registry, engine.scope, secrets)
    inventory = _inventory(in_force, engine.scope, clock)
    evaluator = _evaluator(in_force, engine.scope, registry, runner, inventory, secrets, words, clock)
    later.target = evaluator
    hub = Hub(
        in_force,
        workspace,
        engine,
        evaluator,
        clock,
        read_only,
        inventory=inventory,
        redact=words.redact_for_display,
    )
    hubs.append(hub)
    return Parts(workspace, clock, words, hub, in_force, registry, runner, evaluator, engine)


def identify(parts: Parts, *, read_only: bool, since: float) -> Identity:
    """Return what an agent made of these parts says about itself."""
    loaded = parts.loaded
    return Identity(
        version=__version__,
        workspace=str(parts.workspace.directory),
        plan=str(parts.workspace.plan or ""),
        plan_digest=loaded.digest if loaded is not None else "",
        read_only=read_only,
        since=since,
        warning=read_logind().warning,
    )


@dataclass(slots=True)
class Looking:
    """What it takes to look at checks once, without an agent. `view` is the run, empty where there is none."""

    loaded: LoadedPlan
    evaluator: Evaluator
    runner: Runner
    inventory: Inventory
    view: MigrationView
    plan_edited: bool = False
    engine: Engine | None = None

    async def aclose(self) -> None:
        """Let go of connections and files."""
        if self.engine is not None:
            await self.engine.aclose()
        await self.runner.aclose()
        await self.inventory.aclose()


def build_evaluator(
    loaded: LoadedPlan,
    workspace: Workspace,
    given: Mapping[str, str] | None = None,
    *,
    clock: Clock | None = None,
    secret_words: SecretWords | None = None,
) -> Looking:
    """Build what looks at checks. A run's variables win over `given`; without a run nothing is written anywhere.

    Raise `UsageError` for a wrong variable, `StateError` where there is a run and it cannot be read.
    """
    clock = clock or SystemClock()
    words = secret_words or SecretWords()
    secrets = SecretStore(loaded.plan, loaded.directory)
    words.follow(secrets)
    engine: Engine | None = None
    if workspace.journal.exists():
        from switchover.migration.engine import Engine

        engine = Engine.open(
            loaded, workspace, _LaterEvaluator(), clock, read_only=True, secrets=secrets, on_change=lambda: None
        )
        loaded = engine.loaded
    extra = resolve_variables(loaded.plan, given or {}, {}).values

    def scope() -> Scope:
        known = engine.scope() if engine is not None else Scope.of(loaded.plan, loaded.directory)
        return replace(known, values={**extra, **known.values})

    registry = registry_of(loaded)
    runner = _runner(loaded, registry, scope, secrets)
    inventory = _inventory(loaded, scope, clock)
    evaluator = _evaluator(loaded, scope, registry, runner, inventory, secrets, words, clock)
    view = engine.view() if engine is not None else MigrationView()
    edited = engine is not None and engine.plan_edited
    return Looking(loaded, evaluator, runner, inventory, view, edited, engine)


def _evaluator(
    loaded: LoadedPlan,
    scope: Callable[[], Scope],
    registry: Registry,
    runner: Runner,
    inventory: Inventory,
    secrets: SecretStore,
    words: SecretWords,
    clock: Clock,
) -> Evaluator:
    return Evaluator(
        loaded,
        scope,
        runner,
        inventory,
        clock,
        fields=lambda kind: [field.name for field in registry.config_fields(kind) or ()],
        secrets=secrets,
        redact=words.redact_for_display,
    )


def _runner(loaded: LoadedPlan, registry: Registry, scope: Callable[[], Scope], secrets: SecretStore) -> Runner:
    resources = Resources()

    def context(deadline: float) -> LocalContext:
        return LocalContext(
            deadline, loaded.directory, environments=scope().environments, secrets=secrets.get, resources=resources
        )

    runner = Runner(registry, context)
    runner.on_close(resources.aclose)
    return runner


def _inventory(loaded: LoadedPlan, scope: Callable[[], Scope], clock: Clock) -> Inventory:
    services = loaded.plan.services

    def target(name: str) -> Target | str:
        return make_target(name, services[name], scope())

    providers: list[Provider] = [HttpProvider(), ProcessProvider(loaded.directory, clock.monotonic), DockerProvider()]
    return Inventory(services, providers, target, clock)
