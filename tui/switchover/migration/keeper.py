"""Keeps the state of a run and its journal one: what is not in the journal has not happened."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from switchover.clock import Clock
from switchover.errors import JournalAwayError, JournalError, LockedError, PlanError, RefusedError, StateError
from switchover.locations import Workspace
from switchover.migration import events as ev
from switchover.migration.absence import Absence
from switchover.migration.api import CheckEvaluator, Secrets, Wait
from switchover.migration.gates import Look, look
from switchover.migration.heads import Head, heads_file, note_head, note_newest, noted_heads, refuse_lost
from switchover.migration.lock import DriverLock
from switchover.migration.objectives import checks_measured, judge, measure
from switchover.migration.operator import Operator
from switchover.migration.place import this_place
from switchover.migration.planfile import PlanFile
from switchover.migration.rollback import measured_as
from switchover.migration.spawn import Launcher, ShimStarter
from switchover.migration.state import Moment, RunState, fold
from switchover.migration.store import JournalStore, open_journal, open_news
from switchover.plan.load import LoadedPlan, load_plan_text
from switchover.plan.model import Plan, Step
from switchover.plan.variables import Resolution, Scope, resolve_variables
from switchover.redaction import Redactor, neutralise

__all__ = ["Keeper", "Tools", "frozen_plan", "plan_in_force"]

# After these the run rests or waits for a person: the moment to note how far the journal goes.
_NOTED = (ev.GatePassed, ev.GateWaitsForHuman, ev.GateFailed, ev.RollbackEnded, ev.RunEnded)

_OF_THE_PLAN = (ev.RunStarted, ev.PlanRebased, ev.RollbackStarted, ev.RunEnded)


def _nothing(*_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Tools:
    """What the engine works with; tests put their own in."""

    clock: Clock
    evaluator: CheckEvaluator
    secrets: Secrets
    launcher: ShimStarter = field(default_factory=Launcher)
    wait: Wait = asyncio.sleep
    on_change: Callable[[], None] = _nothing
    on_plan: Callable[[LoadedPlan], None] = _nothing  # called when another plan is in force from here on
    barrier: Callable[[str], None] = _nothing  # called before and after each durable write
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    grace_s: float = 10.0


class Keeper:
    """The newest run of a workspace: its journal, its state, the plan that was frozen for it."""

    def __init__(self, loaded: LoadedPlan, workspace: Workspace, tools: Tools) -> None:
        self.file = loaded
        self.workspace = workspace
        self._plan_id = loaded.plan.id  # names a shared journal, whatever an edited file says later
        self.tools = tools
        self.state = RunState()
        self.loaded = loaded
        self.journal: JournalStore | None = None
        self.listeners: list[Callable[[ev.Record], None]] = []
        self.lock = DriverLock(
            workspace, loaded.plan.target or f"{loaded.plan.id} {loaded.path}", self if workspace.shared else None
        )
        self.absence = Absence(tools.clock.now, tools.wait, tools.on_change)
        self.news = open_news(workspace, loaded.plan.id)
        self.place = this_place(workspace.directory)
        self.measured: dict[str, float] = {}
        self._on_disk = PlanFile(loaded.path)
        self._plans: dict[str, Plan] = {}
        self._actions: dict[tuple[str, str], str] = {}  # run and unit of a rollback's action -> how it is measured
        self._writable = False
        self._unnoted: ev.Record | None = None
        self.journal_id = ""  # known from the first time it was open

    @property
    def plan(self) -> Plan:
        """The plan in force: the frozen one of the run, or the file's before there is one."""
        return self.loaded.plan

    @property
    def plan_edited(self) -> bool:
        """Whether the file is another by now than the plan in force."""
        is_open = self.state.exists and not self.state.finished
        return self._on_disk.digest() != (self.state.plan_digest if is_open else self.file.digest)

    async def read_file(self) -> LoadedPlan:
        """Return the plan as its file has it now. Raise `PlanError` with all that is wrong with it."""
        return await asyncio.to_thread(self._on_disk.read, self.file)

    def take_file(self, edited: LoadedPlan) -> None:
        """Let the next run begin with this plan; where there is none yet, it is in force at once."""
        self.file = edited
        if not self.state.exists:
            self.loaded = edited
        self.tools.on_plan(edited)
        self.tools.on_change()

    @property
    def registered(self) -> Mapping[str, Step]:
        """The steps that began under another text of the plan than the one in force, as they were then."""
        found = {}
        for name, unit in self.state.units.items():
            began = [a for a in unit.attempts if a.outcome != "not started" and a.plan_digest]
            if not began or began[-1].plan_digest == self.state.plan_digest:
                continue
            plan = self._plan_of(began[-1].plan_digest)
            step = next((s for s in plan.all_steps if s.id == name), None) if plan is not None else None
            if step is not None:
                found[name] = step
        return found

    def _plan_of(self, digest: str) -> Plan | None:
        text = self.state.plans.get(digest)
        if digest not in self._plans and text is not None:
            self._plans[digest] = load_plan_text(text, self.file.path, frozen=True).plan
        return self._plans.get(digest)

    def close(self) -> None:
        """Close the journal and the line to the launcher."""
        self._note_head()
        self._drop()
        self.tools.launcher.close()

    async def refresh(self, *, writable: bool = False) -> bool:
        """Take in what others have written; return whether there was anything. Opens the journal where needed."""
        return self.open(writable=writable)

    def open(self, *, writable: bool = False) -> bool:
        """Do what `refresh` does, before anything else goes on in this process."""
        if self.journal is not None and (self.journal.broken or (writable and not self._writable)):
            self._drop()
        was_open = self.journal is not None
        try:
            moved = self._take_in(writable=writable)
        except JournalAwayError as error:
            self._drop()
            if was_open:  # the line was lost while nobody looked; the server may be back long since
                return self.open(writable=writable)
            self.absence.begins(error)
            raise
        self.absence.ends()
        return moved

    async def keep_line(self) -> bool:
        """While something goes on, hold a shared journal again as soon as it is back; return whether anything moved."""
        if self.workspace.shared is None or self.absence.waiting:
            return False
        before = self.absence.since
        try:
            moved = await self.refresh()
        except (JournalAwayError, LockedError) as error:
            self.absence.begins(error)
            moved = False
        return moved or before != self.absence.since

    def _take_in(self, *, writable: bool) -> bool:
        if self.journal is None:
            self.journal = self._open(writable=writable)
            self._writable = writable
        last = self.journal.last_seq() if self.journal is not None else self.state.seq
        if self.journal is None or last == self.state.seq:
            return False
        if last < self.state.seq:
            raise JournalError(
                f"the journal has lost records: it ends at {last}, and {self.state.seq} was read from it before",
                "a copy behind the original took its place; bring the original back, or begin another run there",
            )
        runs = self.journal.runs()
        if not runs:
            return False
        if runs[-1] != self.state.run_id:
            self.state = fold(self.journal.records(runs[-1]))
            self._adopt_plan()
            self._learn_durations()
        else:
            self.state = fold(self.journal.records(runs[-1], self.state.seq), self.state)
            if self.state.plan_digest != self.loaded.digest:
                self._adopt_plan()
        return True

    async def record(self, event: ev.Event, run_id: str = "") -> None:
        """Make a fact of it: journalled first, then part of the state, then told."""
        if self.lock.held and self.absence.since is not None and (self.journal is None or self.journal.broken):
            raise JournalAwayError(self.absence.reason, "what runs goes on; try again when the database is back")
        if self.journal is None or not self.lock.held:
            raise RefusedError("nothing can be recorded without driving the run")  # a defect of the caller
        name = type(event).__name__
        self.tools.barrier(f"before {name}")
        try:
            record = self.journal.append(run_id or self.state.run_id, event)
        except JournalAwayError as error:
            self.absence.begins(error)
            raise
        self.absence.proves_well()
        self.tools.barrier(f"after {name}")
        if isinstance(event, ev.RunStarted):
            self.state = fold([record])
            self._adopt_plan()
        else:
            self.state = fold([record], self.state)
            if isinstance(event, ev.PlanRebased):
                self._adopt_plan()
        self._unnoted = record
        note_newest(self.workspace, self._head_of(record))
        if isinstance(event, _NOTED):
            self._note_head()
        if isinstance(event, ev.StepEnded) and event.outcome == "done":
            self._learn(record.run_id, event)
        if isinstance(event, ev.RollbackStarted):
            self._know_actions(record.run_id, event)
        for listener in self.listeners:
            listener(record)
        self.tools.on_change()

    async def record_when_back(self, event: ev.Event, is_owed: Callable[[RunState], bool]) -> None:
        """Record what has happened already. Where the journal is away, wait for it and read it first.

        Nothing is recorded once the state says that it is not owed any more: it went in after all, or others decided.
        """
        while is_owed(self.state):
            with suppress(JournalAwayError):
                await self.record(event)
                return
            await self.until_back()

    async def until_back(self) -> None:
        """Wait until the journal answers, is ours, and has been read. Raise why it is not, where that is given up."""

        async def come_back() -> None:
            self._drop()
            opening = asyncio.get_running_loop().run_in_executor(None, lambda: self._open(writable=True))
            try:
                self.journal = await asyncio.shield(opening)
            except asyncio.CancelledError:
                opening.add_done_callback(_close_late)
                raise
            self._writable = True
            self._take_in(writable=True)

        await self.absence.until_back(come_back)

    async def hold(self, operator: Operator) -> None:
        """Be the only one who writes to a shared journal. Raise `LockedError` that names who is."""
        was_open = self.journal is not None and self._writable and not self.journal.broken
        if not was_open:
            self._drop()
        try:
            if self.journal is None:
                self.journal = self._open_as_it_is(create=True)
                self._writable = True
            if self.journal is not None:
                self.journal.hold(operator, self.file.plan.target or "")
        except JournalAwayError as error:
            self._drop()
            if was_open:
                return await self.hold(operator)
            self.absence.begins(error)
            raise
        return None

    async def leave(self) -> None:
        """Let others write."""
        if self.journal is not None:
            self.journal.leave()

    def elsewhere(self, unit: str) -> ev.Place | None:
        """Return where a unit runs or ran if that is not here, where nobody can tell what became of it."""
        last = self.state.unit(unit).last
        return last.place if self.workspace.shared is not None and last and last.place != self.place else None

    def _open(self, *, writable: bool) -> JournalStore | None:
        """Open the journal, and hold it where this engine drives."""
        operator = self.lock.operator if self.workspace.shared is not None else None
        create = writable or operator is not None
        journal = self._open_as_it_is(create=create)
        if journal is not None and operator is not None:
            try:
                journal.hold(operator, self.file.plan.target or "")
            except BaseException:
                journal.close()
                raise
        return journal

    def _open_as_it_is(self, *, create: bool) -> JournalStore | None:
        """Open the journal. Raise `JournalError` where it lacks what was noted of it; then nothing is changed."""
        workspace, clock = self.workspace, self.tools.clock
        noted = noted_heads(workspace)
        journal = open_journal(workspace, self._plan_id, clock, create=create and not noted)
        try:
            for head in noted:
                refuse_lost(journal, head, workspace.journal_name)
            if create and noted and workspace.shared is None and journal is not None:
                journal.close()  # it was opened for reading alone
                journal = open_journal(workspace, self._plan_id, clock, create=True)
        except BaseException:
            if journal is not None:
                journal.close()
            raise
        if journal is not None and journal.journal_id != self.journal_id:
            if noted:
                self.state = RunState()  # a person has let another begin in its place: read it from its beginning
            self.journal_id = journal.journal_id
        return journal

    def _drop(self) -> None:
        journal, self.journal = self.journal, None
        if journal is not None:
            journal.close()

    def moment(self) -> Moment:
        """Return now, by all clocks."""
        clock = self.tools.clock
        return Moment(clock.now(), clock.monotonic(), clock.boot_id())

    def scope(self) -> Scope:
        """Return what templates are filled from, as things stand."""
        base = Scope.of(self.plan, self.loaded.directory, self.state.run_id)
        return replace(base, values=dict(self.resolve(base).values))

    def resolve(self, base: Scope | None = None) -> Resolution:
        """Work out the variables as they stand."""
        base = base or Scope.of(self.plan, self.loaded.directory, self.state.run_id)
        return resolve_variables(self.plan, self.state.variables, self.state.outputs, base)

    def secret_values(self) -> dict[str, str]:
        """Return all secrets that could show up: those fetched, and those that lie in the environment anyway."""
        values = {
            name: self.tools.environ[secret.ref.removeprefix("env:")]
            for name, secret in self.plan.secrets.items()
            if secret.ref.startswith("env:") and secret.ref.removeprefix("env:") in self.tools.environ
        }
        return {**values, **self.tools.secrets.fetched}

    def clean(self, text: str) -> str:
        """Return text fit for journal and screen: no secrets, no control sequences."""
        return neutralise(Redactor(self.secret_values()).redact(text))

    async def look(self, names: Sequence[str]) -> Look:
        """Look at checks now."""
        return await look(self.tools.evaluator, names, self.tools.clock, self.clean)

    async def measure(self, names: Sequence[str], side: str) -> dict[str, float | None]:
        """Measure one side of the named objectives."""
        wanted = {name: self.plan.performance[name] for name in names}
        seen = await self.look(checks_measured(wanted, side))
        return {name: measure(getattr(o, side), seen.readings) for name, o in wanted.items()}

    async def prove(self, names: Sequence[str]) -> tuple[ev.Measurement, ...]:
        """Measure `after` and judge the named objectives against what was measured at the start."""
        after = await self.measure(names, "after")
        baseline = self.state.baseline or {}
        return tuple(judge(name, self.plan.performance[name], baseline.get(name), after[name]) for name in names)

    def _note_head(self) -> None:
        """Note the newest record outside the journal, so that a tail that is cut off would be missed."""
        record, self._unnoted = self._unnoted, None
        if record is not None:
            note_head(heads_file(self.workspace), self._head_of(record))

    def _head_of(self, record: ev.Record) -> Head:
        kind = type(record.event).__name__
        return Head(record.run_id, record.seq, record.hash, record.at, kind, self.journal_id)

    def _adopt_plan(self) -> None:
        self.loaded = plan_in_force(self.file, self.state)
        self.tools.on_plan(self.loaded)

    def _learn_durations(self) -> None:
        """Remember how long each unit took whenever it was done, so that what is left can be estimated."""
        if self.journal is None:
            return
        for record in self.journal.of_type(ev.RollbackStarted):
            if isinstance(record.event, ev.RollbackStarted):
                self._know_actions(record.run_id, record.event)
        for record in self.journal.of_type(ev.StepEnded):
            if isinstance(record.event, ev.StepEnded) and record.event.outcome == "done":
                self._learn(record.run_id, record.event)

    def _know_actions(self, run_id: str, event: ev.RollbackStarted) -> None:
        for item in event.items:
            self._actions[run_id, item.unit] = measured_as(item.run, item.undoes)

    def _learn(self, run_id: str, event: ev.StepEnded) -> None:
        self.measured[self._actions.get((run_id, event.unit), event.unit)] = event.duration_s


def _close_late(opening: asyncio.Future[JournalStore | None]) -> None:
    """Close a journal that came when nobody waited for it any more."""
    if not opening.cancelled() and opening.exception() is None and (journal := opening.result()) is not None:
        journal.close()


def plan_in_force(file: LoadedPlan, state: RunState) -> LoadedPlan:
    """Return the plan that the run was started with, whatever the file says by now."""
    if not state.exists or state.plan_digest == file.digest:
        return file
    try:
        return load_plan_text(state.plan_text, file.path, frozen=True)
    except PlanError as error:
        raise StateError(
            "the plan that this run was started with cannot be read by this version",
            "go on with the version that started it",
        ) from error


def frozen_plan(file: LoadedPlan, workspace: Workspace, clock: Clock) -> LoadedPlan:
    """Return the plan to build checks and secrets from: the open run's frozen one, else the file's. Changes nothing."""
    journal = open_journal(workspace, file.plan.id, clock, create=False)
    if journal is None:
        return file
    with journal:
        runs = journal.runs()
        # A long run has many records; few of them say by which plan it goes, and whether it is over.
        telling = [r for kind in _OF_THE_PLAN for r in journal.of_type(kind) if r.run_id == runs[-1]]
        state = fold(sorted(telling, key=lambda record: record.seq))
    return file if state.finished else plan_in_force(file, state)
