"""Builds everything that watches and acts, and hands each part what it needs. The only place that knows everybody."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from switchover import __version__
from switchover.agent.lifecycle import changed_since_trusted
from switchover.agent.logind import read_logind
from switchover.agent.server import Identity
from switchover.clock import Clock, SystemClock
from switchover.errors import PlanError
from switchover.health.probe import Evaluator, Reading
from switchover.hub import FollowingHub, Hub
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

__all__ = ["Eyes", "Parts", "SecretWords", "Sight", "build", "build_evaluator", "id_in_file", "identify", "load"]


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
class Sight:
    """What looks at the checks and services of one text of a plan."""

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


class Eyes:
    """What looks at a plan's checks and services, with the engine that knows how far its run is.

    Always those of the plan in force: the frozen one of an open run, else the file's. Where another comes into force
    (a run begins with an edited file, or is rebased), `look_at` takes it, and each of `replaced` is told.
    """

    def __init__(self, sight: Sight, engine: Engine, make: Callable[[LoadedPlan], Sight]) -> None:
        self.sight = sight
        self.engine = engine
        self.listeners: list[Callable[[], None]] = []
        self.replaced: list[Callable[[], None]] = []
        self.retired: list[Sight] = []  # closed once nothing looks through them any more
        self._make = make

    def look_at(self, loaded: LoadedPlan) -> None:
        """Look at this plan from here on."""
        if loaded.digest == self.loaded.digest:
            return
        self.retired.append(self.sight)
        self.sight = self._make(loaded)
        for tell in self.replaced:
            tell()

    async def retire(self) -> None:
        """Let go of what looked at the plans before."""
        retired, self.retired = self.retired, []
        for sight in retired:
            await sight.aclose()

    @property
    def loaded(self) -> LoadedPlan:
        """The plan that is looked at."""
        return self.sight.loaded

    @property
    def registry(self) -> Registry:
        """The kinds of checks that it may have."""
        return self.sight.registry

    @property
    def inventory(self) -> Inventory:
        """Its services."""
        return self.sight.inventory

    @property
    def evaluator(self) -> Evaluator:
        """What looks at its checks."""
        return self.sight.evaluator

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
        await self.retire()
        await self.sight.aclose()


@dataclass(frozen=True, slots=True)
class Parts:
    """All that was built. Where only the host is watched there is the hub alone. `await aclose()` at the end."""

    workspace: Workspace
    clock: Clock
    words: SecretWords
    hub: Hub | FollowingHub
    eyes: Eyes | None = None

    @property
    def loaded(self) -> LoadedPlan | None:
        """The plan in force."""
        return self.eyes.loaded if self.eyes is not None else None

    @property
    def listeners(self) -> list[Callable[[], None]]:
        """Those who are called whenever the run moved."""
        return self.eyes.listeners if self.eyes is not None else []

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


class _InForce:
    """What the engine looks and takes secrets with: of the plan in force, which may change under way.

    What was fetched stays known, so that it is kept out of everything that is written from then on.
    """

    def __init__(self) -> None:
        self.eyes: Eyes | None = None
        self.secrets: SecretStore | None = None
        self._before: dict[str, str] = {}

    async def evaluate(self, names: Sequence[str]) -> Mapping[str, Reading]:
        assert self.eyes is not None
        return await self.eyes.evaluator.evaluate(names)

    def use(self, secrets: SecretStore) -> None:
        """Take secrets from here from now on."""
        self._before = dict(self.fetched)
        self.secrets = secrets

    def get(self, name: str) -> str:
        assert self.secrets is not None
        return self.secrets.get(name)

    @property
    def fetched(self) -> Mapping[str, str]:
        now = self.secrets.fetched if self.secrets is not None else {}
        changed = {f"{name} before": v for name, v in self._before.items() if now.get(name, v) != v}
        return {**self._before, **changed, **now}


def load(path: Path, workspace: Workspace | None = None, *, finished: bool = False, digest: str = "") -> LoadedPlan:
    """Read and check a plan. Raise `PlanError`.

    With a workspace whose run is open, a file broken since then gives way to the plan that the run was started with:
    nobody should be kept from a rollback by a slip in an editor. With `finished` likewise for a run that is over.

    With `digest`, raise `NotTrustedError` for a file of another content: it was changed after it had been trusted.
    """
    try:
        loaded = load_plan(path)
    except PlanError:
        frozen = _text_of_run(workspace, finished=finished) if workspace is not None else None
        if frozen is None:
            raise
        return load_plan_text(frozen, path, frozen=True)
    open_run = workspace is not None and digest and _text_of_run(workspace, finished=False) is not None
    if digest and loaded.digest != digest and not open_run:  # an open run goes by its own plan, whatever the file says
        raise changed_since_trusted(path.name)
    return loaded


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
    eyes = _open(loaded, workspace, clock, words, read_only=read_only, only_read=read_only)

    def make() -> Hub:
        return Hub(
            eyes.loaded,
            workspace,
            eyes.engine,
            eyes.evaluator,
            clock,
            read_only,
            inventory=eyes.inventory,
            redact=words.display,
        )

    hub = FollowingHub(make, eyes.retire)
    eyes.replaced.append(hub.replace)
    eyes.listeners.append(hub.engine_changed)
    return Parts(workspace, clock, words, hub, eyes)


def build_evaluator(
    loaded: LoadedPlan,
    workspace: Workspace,
    variables: Mapping[str, str] | None = None,
    *,
    clock: Clock | None = None,
    secret_words: SecretWords | None = None,
    only_read: bool = False,
) -> Eyes:
    """Build what looks at checks and services, and nothing that acts. Nothing is written anywhere.

    `variables` are used where no run has given them a value. Raise `UsageError` for one that the plan does not have.
    With `only_read`, checks that change something when they look are left out.
    """
    words = secret_words or SecretWords()
    clock = clock or SystemClock()
    return _open(loaded, workspace, clock, words, read_only=True, only_read=only_read, variables=variables or {})


def _open(
    loaded: LoadedPlan,
    workspace: Workspace,
    clock: Clock,
    words: SecretWords,
    *,
    read_only: bool,
    only_read: bool = False,
    variables: Mapping[str, str] | None = None,
) -> Eyes:
    in_force = _InForce()

    def secret_values() -> Mapping[str, str]:
        return _secret_values(eyes.loaded if eyes is not None else first, in_force)

    def changed() -> None:
        for listener in eyes.listeners if eyes is not None else ():
            listener()

    def plan_changed(now: LoadedPlan) -> None:
        if eyes is not None:
            eyes.look_at(now)

    def scope() -> Scope:
        now = engine.scope()
        if not variables:
            return now
        plan = eyes.loaded.plan if eyes is not None else first.plan
        given = {**variables, **engine.state.variables}
        resolved = resolve_variables(plan, given, engine.state.outputs, replace(now, values={}))
        return replace(now, values=dict(resolved.values))

    def look_at(plan: LoadedPlan) -> Sight:
        registry = Registry([plan.directory / module for module in plan.plan.check_modules])
        secrets = SecretStore(plan.plan, plan.directory)
        in_force.use(secrets)
        runner = _runner(plan, registry, scope, secrets)
        inventory = _inventory(plan, scope, clock)
        evaluator = Evaluator(
            plan,
            scope,
            runner,
            inventory,
            clock,
            fields=lambda kind: [field.name for field in registry.config_fields(kind) or ()],
            secrets=secrets,
            redact=words.display,
            writes=registry.writes if only_read else None,
        )
        return Sight(plan, registry, runner, inventory, evaluator, secrets)

    eyes: Eyes | None = None
    first = frozen_plan(loaded, workspace, clock)  # a run that is open goes on with the plan it was started with
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
    )
    scope()  # a variable that the plan does not have is refused here
    eyes = in_force.eyes = Eyes(look_at(first), engine, look_at)
    return eyes


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


def _secret_values(loaded: LoadedPlan, secrets: _InForce) -> Mapping[str, str]:
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
