"""What belongs to the plan in force: checks, services, secrets and engine, replaced together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from switchover.app.known_secrets import KnownSecrets
from switchover.clock import Clock
from switchover.health.probing import CheckObservation, Evaluator
from switchover.hub import FollowingHub
from switchover.locations import Workspace
from switchover.migration.run.engine import Engine
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.secrets.fetch_ahead import FetchAhead
from switchover.plan.secrets.secret_store import SecretStore, why_held_back
from switchover.services.inventory import Inventory
from switchover.snapshot import MigrationView
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import Runner

__all__ = ["PlanInForce", "PlanProbes", "PlanRuntime", "Runtime"]


@dataclass(frozen=True, slots=True)
class PlanProbes:
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


class PlanRuntime:
    """What looks at a plan's checks and services, with the engine that knows how far its run is.

    Always those of the plan in force: the frozen one of an open run, else the file's. Another plan comes into force
    when a run begins with an edited file, or is rebased. Then `probe_targets` takes it, and each of `replaced` is told.
    """

    def __init__(self, probes: PlanProbes, engine: Engine, make: Callable[[LoadedPlan], PlanProbes]) -> None:
        self.probes = probes
        self.engine = engine
        self.listeners: list[Callable[[], None]] = []
        self.replaced: list[Callable[[], None]] = []
        self.retired: list[PlanProbes] = []  # closed once nothing looks through them any more
        self._make = make

    def look_at(self, loaded: LoadedPlan) -> None:
        """Look at this plan from here on. Modules that both have stay as they were read: an edit asks for trust."""
        if loaded.digest == self.loaded.digest:
            return
        loaded = replace(loaded, code=loaded.code.as_before(replace(self.loaded.code, closed=False)))
        self.retired.append(self.probes)
        self.probes = self._make(loaded)
        for tell in self.replaced:
            tell()

    async def retire(self) -> None:
        """Close the probes of the earlier plans."""
        retired, self.retired = self.retired, []
        for probes in retired:
            await probes.aclose()

    @property
    def loaded(self) -> LoadedPlan:
        """The plan that is looked at."""
        return self.probes.loaded

    @property
    def registry(self) -> Registry:
        """The kinds of checks that it may have."""
        return self.probes.registry

    @property
    def inventory(self) -> Inventory:
        """Its services."""
        return self.probes.inventory

    @property
    def evaluator(self) -> Evaluator:
        """What looks at its checks."""
        return self.probes.evaluator

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
        await self.probes.aclose()


@dataclass(frozen=True, slots=True)
class Runtime:
    """All that was built. Where only the host is watched there is the hub alone. `await aclose()` at the end."""

    workspace: Workspace
    clock: Clock
    words: KnownSecrets
    hub: FollowingHub
    plan_runtime: PlanRuntime | None = None

    @property
    def loaded(self) -> LoadedPlan | None:
        """The plan in force."""
        return self.plan_runtime.loaded if self.plan_runtime is not None else None

    @property
    def listeners(self) -> list[Callable[[], None]]:
        """Those who are called whenever the run moved."""
        return self.plan_runtime.listeners if self.plan_runtime is not None else []

    @property
    def evaluator(self) -> Evaluator | None:
        """What looks at checks."""
        return self.plan_runtime.evaluator if self.plan_runtime is not None else None

    @property
    def engine(self) -> Engine | None:
        """What acts."""
        return self.plan_runtime.engine if self.plan_runtime is not None else None

    async def know_secrets(self) -> None:
        """Fetch the plan's secrets, within seconds, so that what is written down from here on lacks them."""
        if self.plan_runtime is not None:
            await why_held_back(self.plan_runtime.probes.secrets)

    async def aclose(self) -> None:
        """Let go of connections, processes and files; a step under its shim runs on."""
        if self.plan_runtime is not None:
            await self.plan_runtime.aclose()


class PlanInForce:
    """What the engine looks and takes secrets with: of the plan in force, which may change under way.

    What was fetched stays known, so that it is kept out of everything that is written from then on.
    """

    def __init__(self) -> None:
        self.plan_runtime: PlanRuntime | None = None
        self.secrets: SecretStore | None = None
        self._before: dict[str, str] = {}

    async def evaluate(self, names: Sequence[str]) -> Mapping[str, CheckObservation]:
        """Look at checks now."""
        assert self.plan_runtime is not None
        return await self.plan_runtime.evaluator.evaluate(names)

    def use(self, secrets: SecretStore) -> None:
        """Take secrets from here from now on."""
        self._before = dict(self.fetched)
        self.secrets = secrets

    def get(self, name: str) -> str:
        """Fetch a secret."""
        assert self.secrets is not None
        return self.secrets.get(name)

    @property
    def ahead(self) -> FetchAhead | None:
        """What fetches them before anything is shown that may hold one."""
        return self.secrets.ahead if self.secrets is not None else None

    @property
    def fetched(self) -> Mapping[str, str]:
        """All secrets that were ever fetched."""
        now = self.secrets.fetched if self.secrets is not None else {}
        changed = {f"{name} before": v for name, v in self._before.items() if now.get(name, v) != v}
        return {**self._before, **changed, **now}
