"""The plan in force, which may change under way, and the engine that knows how far its run is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from switchover.app.plan_runtime import PlanRuntime, PlanRuntimeBuilder, secrets_of_environment
from switchover.health.probing import CheckObservation, Evaluator
from switchover.migration.run.engine import Engine
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.secrets.fetch_ahead import FetchAhead
from switchover.plan.secrets.secret_store import SecretStore
from switchover.plan.variables import Scope, resolve_variables
from switchover.services.inventory import Inventory
from switchover.snapshot import MigrationView
from switchover_checks.runtime.registry import Registry

__all__ = ["CurrentPlan"]


class CurrentPlan:
    """The frozen plan of an open run, else the file's, with all that probes it.

    Another one comes into force when a run begins with an edited file, or is rebased. Then its runtime is built, and
    each of `replaced` is called. The engine looks at checks and takes secrets through here. What was fetched stays
    known, so that it is kept out of everything that is written from then on.
    """

    def __init__(self, file: LoadedPlan, builder: PlanRuntimeBuilder, variables: Mapping[str, str]) -> None:
        self.listeners: list[Callable[[], None]] = []  # called whenever the run moved
        self.replaced: list[Callable[[], None]] = []
        self._file = file
        self._builder = builder
        self._variables = variables  # used where no run has given them a value
        self._engine: Engine | None = None
        self._runtime: PlanRuntime | None = None
        self._retired: list[PlanRuntime] = []  # closed once nothing looks through them any more
        self._fetched_before: dict[str, str] = {}

    def open(self, *, read_only: bool, even_refused: bool) -> None:
        """Open the engine, and build the runtime of the plan that it goes by."""
        self._engine = Engine.open(
            self._file,
            self._builder.workspace,
            self,
            self._builder.clock,
            read_only=read_only,
            secrets=self,
            on_change=self._run_moved,
            on_plan=self._follow,
            even_refused=even_refused,
        )
        self._file = self._engine.loaded  # a run that is open goes on with the plan it was started with
        self.scope()  # a variable that the plan does not have is refused here
        self._runtime = self._builder.build(self._file, self.scope)

    @property
    def engine(self) -> Engine:
        """What acts."""
        assert self._engine is not None
        return self._engine

    @property
    def runtime(self) -> PlanRuntime:
        """What probes the plan in force."""
        assert self._runtime is not None
        return self._runtime

    @property
    def loaded(self) -> LoadedPlan:
        """The plan in force."""
        return self._runtime.loaded if self._runtime is not None else self._file

    @property
    def registry(self) -> Registry:
        """The kinds of checks that it may have."""
        return self.runtime.registry

    @property
    def inventory(self) -> Inventory:
        """Its services."""
        return self.runtime.inventory

    @property
    def evaluator(self) -> Evaluator:
        """What looks at its checks."""
        return self.runtime.evaluator

    @property
    def secrets(self) -> SecretStore:
        """Where its secrets come from."""
        return self.runtime.secrets

    @property
    def view(self) -> MigrationView:
        """The run as it stands."""
        return self.engine.view()

    @property
    def plan_edited(self) -> bool:
        """Whether the file differs from the plan that the run was started with."""
        return self.engine.plan_edited

    def scope(self) -> Scope:
        """Return what templates are filled from, with what was given where no run has a value."""
        now = self.engine.revealed_scope()
        if not self._variables:
            return now
        state = self.engine.state
        given = {**self._variables, **state.variables}
        resolved = resolve_variables(self.loaded.plan, given, state.outputs, replace(now, values={}))
        return replace(now, values=dict(resolved.values))

    async def evaluate(self, names: Sequence[str]) -> Mapping[str, CheckObservation]:
        """Look at checks now."""
        return await self.evaluator.evaluate(names)

    def get(self, name: str) -> str:
        """Fetch a secret."""
        return self.secrets.get(name)

    @property
    def ahead(self) -> FetchAhead | None:
        """What fetches secrets before anything is shown that may hold one."""
        return self._runtime.secrets.ahead if self._runtime is not None else None

    @property
    def fetched(self) -> Mapping[str, str]:
        """All secrets that were ever fetched."""
        now = self._runtime.secrets.fetched if self._runtime is not None else {}
        changed = {f"{name} before": v for name, v in self._fetched_before.items() if now.get(name, v) != v}
        return {**self._fetched_before, **changed, **now}

    def known_secrets(self) -> Mapping[str, str]:
        """Return what could show up: what was captured or fetched, and what lies in the environment anyway."""
        captured = self._engine.captured_secrets if self._engine is not None else {}
        return {**captured, **secrets_of_environment(self.loaded), **self.fetched}

    async def retire(self) -> None:
        """Close what probed the earlier plans."""
        retired, self._retired = self._retired, []
        for runtime in retired:
            await runtime.aclose()

    async def aclose(self) -> None:
        """Let go of connections, processes and files; a step under its shim runs on."""
        await self.engine.aclose()
        await self.retire()
        await self.runtime.aclose()

    def _run_moved(self) -> None:
        for listener in self.listeners:
            listener()

    def _follow(self, loaded: LoadedPlan) -> None:
        """Probe this plan from here on. Modules that both have stay as they were read: an edit asks for trust."""
        if self._runtime is None or loaded.digest == self.loaded.digest:
            return
        loaded = replace(loaded, code=loaded.code.as_before(replace(self.loaded.code, closed=False)))
        runtime = self._builder.build(loaded, self.scope)
        self._fetched_before = dict(self.fetched)
        self._retired.append(self._runtime)
        self._runtime = runtime
        for tell in self.replaced:
            tell()
