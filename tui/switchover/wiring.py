"""Builds everything that watches and acts, and hands each part what it needs. The only place that knows everybody."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from switchover import __version__
from switchover.agent.logind import read_logind
from switchover.agent.server import Identity
from switchover.clock import Clock, SystemClock
from switchover.errors import PlanError
from switchover.health.probe import Evaluator, Reading
from switchover.hub import Hub
from switchover.locations import Workspace, ensure_private_dir
from switchover.migration.engine import Engine
from switchover.migration.keeper import frozen_plan
from switchover.migration.state import RunState, fold
from switchover.migration.store import open_journal
from switchover.plan.load import LoadedPlan, load_plan, load_plan_text
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

__all__ = ["Eyes", "Parts", "SecretWords", "build", "build_evaluator", "id_in_file", "identify", "load"]


class SecretWords:
    """Takes the secrets that have been fetched so far out of any text."""

    def __init__(self) -> None:
        self._ask: Callable[[], Mapping[str, str]] = dict
        self._known: Mapping[str, str] = {}
        self._redactor = Redactor({})

    def follow(self, ask: Callable[[], Mapping[str, str]]) -> None:
        """Learn each secret as soon as `ask` tells it."""
        self._ask = ask

    def redact(self, text: str) -> str:
        """Return `text` without secrets."""
        if (known := self._ask()) != self._known:
            self._known, self._redactor = dict(known), Redactor(known)
        return self._redactor.redact(text)

    def display(self, text: str) -> str:
        """Return `text` without secrets and without control sequences."""
        return neutralise(self.redact(text))


@dataclass(frozen=True, slots=True)
class Eyes:
    """What looks at a plan's checks and services, with the engine that knows how far its run is.

    `loaded` is the plan in force: the frozen one of an open run, else the file's.
    """

    loaded: LoadedPlan
    registry: Registry
    runner: Runner
    inventory: Inventory
    evaluator: Evaluator
    engine: Engine
    listeners: list[Callable[[], None]]

    @property
    def view(self) -> MigrationView:
        """The run as it stands."""
        return self.engine.view()

    @property
    def plan_edited(self) -> bool:
        """Whether the file differs from the plan that the run was started with."""
        return self.engine.plan_edited

    async def aclose(self) -> None:
        """Let go of connections, processes and files; a step under its shim runs on."""
        await self.engine.aclose()
        await self.runner.aclose()
        await self.inventory.aclose()


@dataclass(frozen=True, slots=True)
class Parts:
    """All that was built. Where only the host is watched there is the hub alone. `await aclose()` at the end."""

    workspace: Workspace
    clock: Clock
    words: SecretWords
    hub: Hub
    eyes: Eyes | None = None

    @property
    def loaded(self) -> LoadedPlan | None:
        """The plan in force."""
        return self.eyes.loaded if self.eyes is not None else None

    @property
    def evaluator(self) -> Evaluator | None:
        """What looks at checks."""
        return self.eyes.evaluator if self.eyes is not None else None

    @property
    def engine(self) -> Engine | None:
        """What acts."""
        return self.eyes.engine if self.eyes is not None else None

    async def aclose(self) -> None:
        """Let go of connections, processes and files; a step under its shim runs on."""
        if self.eyes is not None:
            await self.eyes.aclose()


class _LaterEvaluator:
    """Stands for the evaluator, which needs the engine's variables, while the engine is being opened."""

    def __init__(self) -> None:
        self.target: Evaluator | None = None

    async def evaluate(self, names: Sequence[str]) -> Mapping[str, Reading]:
        assert self.target is not None
        return await self.target.evaluate(names)


def load(path: Path, workspace: Workspace | None = None, *, finished: bool = False) -> LoadedPlan:
    """Read and check a plan. Raise `PlanError`.

    With a workspace whose run is open, a file broken since then gives way to the plan that the run was started with:
    nobody should be kept from a rollback by a slip in an editor. With `finished` likewise for a run that is over.
    """
    try:
        return load_plan(path)
    except PlanError:
        frozen = _text_of_run(workspace, finished=finished) if workspace is not None else None
        if frozen is None:
            raise
        return load_plan_text(frozen, path, frozen=True)


def _text_of_run(workspace: Workspace, *, finished: bool) -> str | None:
    journal = open_journal(workspace, id_in_file(workspace.plan), SystemClock(), create=False)
    if journal is None:
        return None
    with journal:
        runs = journal.runs()
        state = fold(journal.records(runs[-1])) if runs else RunState()
    return state.plan_text if state.exists and (finished or not state.finished) else None


def id_in_file(path: Path | None) -> str:
    """Return the id that a plan file gives itself, whatever else is wrong with it; it names a shared journal."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path is not None else ""
    except OSError:
        text = ""
    found = re.search(r"^id:[ \t]*[\"']?([A-Za-z0-9._-]+)", text, re.MULTILINE)
    return found[1] if found else ""


def build(
    loaded: LoadedPlan | None,
    workspace: Workspace,
    *,
    read_only: bool = False,
    clock: Clock | None = None,
    secret_words: SecretWords | None = None,
) -> Parts:
    """Build all of it for one workspace, in the running loop. Raise `StateError` where the state cannot be used."""
    clock = clock or SystemClock()
    words = secret_words or SecretWords()
    ensure_private_dir(workspace.directory)
    if loaded is None:
        return Parts(workspace, clock, words, Hub(None, workspace, None, None, clock, read_only, redact=words.display))
    eyes = _open(loaded, workspace, clock, words, read_only=read_only)
    hub = Hub(
        eyes.loaded,
        workspace,
        eyes.engine,
        eyes.evaluator,
        clock,
        read_only,
        inventory=eyes.inventory,
        redact=words.display,
    )
    eyes.listeners.append(hub.engine_changed)
    return Parts(workspace, clock, words, hub, eyes)


def build_evaluator(
    loaded: LoadedPlan,
    workspace: Workspace,
    variables: Mapping[str, str] | None = None,
    *,
    clock: Clock | None = None,
    secret_words: SecretWords | None = None,
) -> Eyes:
    """Build what looks at checks and services, and nothing that acts. Nothing is written anywhere.

    `variables` are used where no run has given them a value. Raise `UsageError` for one that the plan does not have.
    """
    words = secret_words or SecretWords()
    return _open(loaded, workspace, clock or SystemClock(), words, read_only=True, variables=variables or {})


def _open(
    loaded: LoadedPlan,
    workspace: Workspace,
    clock: Clock,
    words: SecretWords,
    *,
    read_only: bool,
    variables: Mapping[str, str] | None = None,
) -> Eyes:
    in_force = frozen_plan(loaded, workspace, clock)  # a run that is open goes on with the plan it was started with
    secrets = SecretStore(in_force.plan, in_force.directory)
    words.follow(lambda: _secret_values(in_force, secrets))
    later = _LaterEvaluator()
    listeners: list[Callable[[], None]] = []

    def changed() -> None:
        for listener in listeners:
            listener()

    engine = Engine.open(loaded, workspace, later, clock, read_only=read_only, secrets=secrets, on_change=changed)

    def scope() -> Scope:
        now = engine.scope()
        if not variables:
            return now
        given = {**variables, **engine.state.variables}
        resolved = resolve_variables(in_force.plan, given, engine.state.outputs, replace(now, values={}))
        return replace(now, values=dict(resolved.values))

    scope()  # a variable that the plan does not have is refused here
    registry = Registry([in_force.directory / module for module in in_force.plan.check_modules])
    runner = _runner(in_force, registry, scope, secrets)
    inventory = _inventory(in_force, scope, clock)
    evaluator = Evaluator(
        in_force,
        scope,
        runner,
        inventory,
        clock,
        fields=lambda kind: [field.name for field in registry.config_fields(kind) or ()],
        secrets=secrets,
        redact=words.display,
    )
    later.target = evaluator
    return Eyes(in_force, registry, runner, inventory, evaluator, engine, listeners)


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
        warning="; ".join(filter(None, (_broken_file(parts), read_logind().warning))),
    )


def _broken_file(parts: Parts) -> str:
    if parts.workspace.plan is None:
        return ""
    try:
        load_plan(parts.workspace.plan)
    except PlanError:
        return "the plan file has errors now; the run goes on with the plan that it was started with"
    return ""


def _secret_values(loaded: LoadedPlan, secrets: SecretStore) -> Mapping[str, str]:
    """Return the secrets that could show up: those fetched, and those that lie in the environment anyway."""
    names = {name: secret.ref.removeprefix("env:") for name, secret in loaded.plan.secrets.items()}
    return {**{n: os.environ[v] for n, v in names.items() if v in os.environ}, **secrets.fetched}


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

    providers: list[Provider] = [
        HttpProvider(),
        ProcessProvider(loaded.directory, clock.monotonic),
        DockerProvider(),
    ]
    return Inventory(services, providers, target, clock)
