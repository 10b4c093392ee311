"""Keeps the state of a run and its journal one: what is not in the journal has not happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from switchover.errors import (
    JournalAwayError,
    JournalDiffersError,
    JournalError,
    LockedError,
    RefusedError,
    StateError,
)
from switchover.locations import Workspace
from switchover.migration.facts import events as ev
from switchover.migration.facts.location import marked_location, this_location
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_fold import fold
from switchover.migration.facts.run_state import Attempt, RunState, Timestamp
from switchover.migration.journal.checkpoints import checkpoints_file, note_checkpoint, note_newest
from switchover.migration.journal.host_lock import HostLock, host_of
from switchover.migration.journal.journal_line import JournalLine, JournalOpening
from switchover.migration.journal.journal_reading import Ask, JournalReading
from switchover.migration.journal.journal_store import JournalStore, open_news
from switchover.migration.journal.outage import Outage
from switchover.migration.journal.run_lock import RunLock
from switchover.migration.rules.possible import why_impossible
from switchover.migration.run.gate_watch import GateObservation, observe_gate
from switchover.migration.run.other_runs.elsewhere import tell_elsewhere
from switchover.migration.run.store.far_left import FarLeft
from switchover.migration.run.store.host_notes import HostNotes, checkpoint_of
from switchover.migration.run.store.plan_on_disk import PlanFile
from switchover.migration.run.store.run_plans import EarlierPlans, plan_in_force, why_another_plan
from switchover.migration.run.store.run_values import RunValues
from switchover.migration.run.store.tools import Tools
from switchover.migration.run.store.unit_history import UnitHistory
from switchover.migration.steps.captured_secrets import SealKey
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.model import Plan, Step
from switchover.snapshot import Holder

__all__ = ["RunStore"]

# After these the run rests or waits for a person: the moment to note how far the journal goes.
_NOTED = (ev.GatePassed, ev.GateWaitsForHuman, ev.GateFailed, ev.RollbackEnded, ev.RunEnded)


class RunStore:
    """The newest run of a workspace: its journal, its state, the plan that was frozen for it.

    With `notes`, the newest record is noted beside the journal whenever the run rests.
    """

    def __init__(self, loaded: LoadedPlan, workspace: Workspace, tools: Tools, *, notes: bool = True) -> None:
        self.file = loaded
        self.workspace = workspace
        self.tools = tools
        self.state = RunState()
        self.loaded = loaded
        self.listeners: list[Callable[[ev.Record], None]] = []
        host = host_of(workspace, loaded.plan)
        self.lock = RunLock(
            workspace,
            loaded.plan.target or f"{loaded.plan.id} {loaded.path}",
            self if workspace.shared else None,
            host,
        )
        self.host_notes = HostNotes(self, host)
        self.outage = Outage(tools.clock.now, tools.wait, tools.on_change)
        self.line = JournalLine(workspace, loaded.plan.id, tools.clock, self.outage, self.host_notes.noted)
        self.records: list[ev.Record] = []  # those of the run
        self.held_elsewhere = ""  # who holds the target from another workspace, in words
        self.news = open_news(workspace, loaded.plan.id)
        self.place = this_location(workspace.directory)
        self.values = RunValues(self, SealKey(workspace.seal_key), tools.secrets, tools.environ)
        self.history = UnitHistory()
        self._on_disk = PlanFile(loaded.path)
        self._earlier = EarlierPlans()
        self.far_left = FarLeft(tools.hosts)
        self._unnoted: ev.Record | None = None
        self._notes = notes
        self._holder: Holder | None = None
        self._leaving: asyncio.Task[None] | None = None

    @property
    def plan(self) -> Plan:
        """The plan in force: the frozen one of the run, or the file's before there is one."""
        return self.loaded.plan

    @property
    def host(self) -> HostLock | None:
        """This host's lock on the target, where it has one."""
        return self.host_notes.host

    @property
    def plan_edited(self) -> bool:
        """Whether the file is another by now than the plan in force."""
        is_open = self.state.exists and not self.state.finished
        return self._on_disk.digest() != (self.state.plan_digest if is_open else self.file.digest)

    @property
    def other_plan(self) -> str:
        """Say where the newest run went by another plan than the file holds now; empty where it is this one."""
        return why_another_plan(self.state, self.file, self._on_disk.digest(), self.workspace)

    def look_elsewhere(self) -> bool:
        """Ask this host's registry who holds the target, while no run is open here. Return whether that is news."""
        before, is_open = self.held_elsewhere, self.state.exists and not self.state.finished
        self.held_elsewhere = "" if is_open else tell_elsewhere(self.host, self.workspace.directory, self.journal_id)
        return self.held_elsewhere != before

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
        return self._earlier.steps_begun(self.state, self.file)

    async def state_of(self, run_id: str) -> RunState:
        """Return the state of a run, which need not be the newest. Raise `JournalError`."""
        return fold(await self.line.in_turn(lambda: self.line.records(run_id)), None, why_impossible)

    @property
    def journal(self) -> JournalStore | None:
        """The journal, while it is open."""
        return self.line.journal

    @property
    def journal_id(self) -> str:
        """The journal's own id, known from the first time it was open."""
        return self.line.journal_id

    async def aclose(self) -> None:
        """Close it, once what is on its way to the journal is through."""
        await self.line.settled()
        await self.far_left.aclose()
        await self.tools.hosts.aclose()
        self.close()

    def close(self) -> None:
        """Close the journal and the line to the launcher. Waits for no server."""
        self._note_head()
        self.line.close()
        self.tools.launcher.close()
        self.tools.hosts.close()

    async def refresh(self, *, writable: bool = False) -> bool:
        """Take in what others have written; return whether there was anything. Opens the journal where needed."""
        return await self.line.in_turn(lambda: self._refresh(writable=writable))

    async def _refresh(self, *, writable: bool, surely: bool = False) -> bool:
        if self.line.current and self.line.usable and not surely:
            return False  # it is ours alone, and has been read since
        if writable and not self.line.writable and not self.line.shared:
            self.line.drop()
        try:
            reading = await self.line.read(self._ask(), self._wanted(writable=writable))
            moved = self._take_in(reading)
        except (JournalError, LockedError) as error:
            self.outage.begins(error)
            raise
        self.outage.ends()
        self.host_notes.renew()
        return moved

    def open(self, *, even_refused: bool = False) -> None:
        """Do what `refresh` does, before anything else goes on in this process. What was noted has to be there.

        With `even_refused` a journal that cannot be used, or is away, is told as that, and looked for again.
        """
        try:
            self._take_in(self.line.read_now(self._ask(), self._wanted(writable=False)))
        except JournalError as error:
            self.outage.begins(error)
            if not even_refused:
                raise
        self.look_elsewhere()

    async def keep_line(self) -> bool:
        """While something goes on, hold a shared journal again as soon as it is back; return whether anything moved."""
        if not self.line.shared or self.outage.waiting:
            return False
        before = self.outage.since
        try:
            moved = await self.line.in_turn(lambda: self._refresh(writable=False, surely=True))
        except (JournalError, LockedError):
            moved = False
        return moved or before != self.outage.since

    def _ask(self) -> Ask:
        return Ask(self.line.tip, self.state.run_id, history=not self.state.exists)

    def _wanted(self, *, writable: bool) -> JournalOpening:
        operator = self.lock.operator if self.line.shared else None
        return JournalOpening(writable or operator is not None, operator, self.file.plan.target or "")

    def _take_in(self, reading: JournalReading | None) -> bool:
        """Make what was read part of the state; return whether anything is new."""
        holder, self._holder = self._holder, reading.holder if reading is not None else None
        if reading is not None and reading.anew:
            self.state, self.records = RunState(), []
        if reading is None or not reading.records:
            return holder != self._holder
        for record in reading.history:
            self.history.learn(record)
        if reading.run_id != self.state.run_id:
            self.state, self.records = RunState(), []
        self.state = fold(reading.records, self.state, why_impossible)
        not_believed = {wrong.seq for wrong in self.state.impossible}
        believed = [record for record in reading.records if record.seq not in not_believed]
        self.records += believed
        if self.state.exists and self.state.plan_digest != self.loaded.digest:
            self._adopt_plan()
            self.host_notes.follow_target()
        for record in believed:
            self.history.learn(record)
            if self._notes and isinstance(record.event, _NOTED):
                self._unnoted = record
        if (
            self._notes and not self.state.impossible
        ):  # else the true journal, once it is back, would lack what is noted
            note_newest(self.workspace, checkpoint_of(reading.records[-1], self.journal_id))
        return True

    async def record(self, event: ev.Event, run_id: str = "") -> None:
        """Make a fact of it: journalled first, then part of the state, then published."""
        await self.line.in_turn(lambda: self._record(event, run_id))

    async def _record(self, event: ev.Event, run_id: str) -> None:
        if self.lock.held and self.outage.error is not None and not self.line.usable:
            raise self.outage.error
        if self.line.journal is None or not self.lock.held:
            raise RefusedError("nothing can be recorded without driving the run")  # a defect of the caller
        name = type(event).__name__
        if why := why_impossible(RunState() if isinstance(event, ev.RunStarted) else self.state, event):
            raise StateError(f"{name} is not recorded: {why}", "this is a defect of the program; nothing was changed")
        self.tools.barrier(f"before {name}")
        if isinstance(event, ev.RunStarted | ev.RollbackStarted):
            self.host_notes.note_intent(event, run_id, self.tools.clock.now())
        record = await self._append(run_id or self.state.run_id, event)
        self.tools.barrier(f"after {name}")
        if isinstance(event, ev.RunStarted):
            self.state, self.records = fold([record]), [record]
            self.line.runs += 1
            self._adopt_plan()
        else:
            self.state = fold([record], self.state)
            self.records.append(record)
            if isinstance(event, ev.PlanRebased):
                self._adopt_plan()
        self._unnoted = record
        note_newest(self.workspace, checkpoint_of(record, self.journal_id))
        self.host_notes.note(record)
        if isinstance(event, _NOTED):
            self._note_head()
        self._tell(record)
        self.tools.on_change()

    async def record_when_back(self, event: ev.Event, is_owed: Callable[[RunState], bool]) -> None:
        """Record what has happened already. Where the journal is away, wait for it and read it first.

        Nothing is recorded once the state says that it is not owed any more. Then it went in after all, or others
        decided.
        """
        while is_owed(self.state):
            with suppress(JournalAwayError):
                await self.record(event)
                return
            await self.until_back()

    async def append_past(self, run_id: str, event: ev.StepEndedLate | ev.OutputsPruned) -> None:
        """Append a record to a run that is over, and tell it. The state stays that of the newest."""
        record = await self._append(run_id, event)
        note_newest(self.workspace, checkpoint_of(record, self.journal_id))
        self._tell(record)

    async def _append(self, run_id: str, event: ev.Event) -> ev.Record:
        try:
            record = await self.line.append(run_id, event)
        except (JournalAwayError, JournalDiffersError) as error:
            self.outage.begins(error)
            raise
        self.outage.proves_well()
        return record

    def _tell(self, record: ev.Record) -> None:
        self.history.learn(record)
        for listener in self.listeners:
            listener(record)

    async def until_back(self) -> None:
        """Wait until the journal answers, is ours, and has been read. Raise why it is not, where that is given up."""

        async def anew() -> bool:
            self.line.drop()
            return await self._refresh(writable=True)

        await self.outage.until_back(lambda: self.line.in_turn(anew))

    async def hold(self, operator: Operator) -> None:
        """Be the only one who writes to a shared journal. Raise `LockedError` that names who is."""
        try:
            await self.line.in_turn(lambda: self._hold(operator))
        except asyncio.CancelledError:
            self._leaving = asyncio.ensure_future(self.leave())  # what is taken meanwhile is given back
            raise

    async def _hold(self, operator: Operator) -> None:
        wanted = JournalOpening(True, operator, self.file.plan.target or "")
        try:
            self._take_in(await self.line.hold(self._ask(), wanted))
            self.host_notes.renew()
        except (JournalAwayError, JournalDiffersError) as error:
            self.outage.begins(error)
            raise

    async def leave(self) -> None:
        """Let others write."""
        await self.line.in_turn(self.line.leave)

    def elsewhere(self, unit: str) -> ev.Place | None:
        """Return where a unit runs or ran if that is not here, where nobody can know what became of it."""
        last = self.state.unit(unit).last
        return last.place if last is not None and not self.is_here(last) else None

    def is_here(self, attempt: Attempt) -> bool:
        """Whether an attempt's records lie here, so that its end can be known."""
        if self.workspace.shared is None or attempt.place in (None, self.place):
            return True
        self.place = this_location(self.workspace.directory)  # another process may have given it its id
        return attempt.place == self.place

    def place_of_a_start(self) -> ev.Place:
        """Return where a unit is about to run. On a shared journal the place gets an id. Raise `StateError`."""
        if self.workspace.shared is not None:
            self.place = marked_location(self.workspace.directory)
        return self.place

    def moment(self) -> Timestamp:
        """Return now, by all clocks."""
        clock = self.tools.clock
        return Timestamp(clock.now(), clock.monotonic(), clock.boot_id())

    def clean(self, text: str) -> str:
        """Return text fit for journal and screen: no secrets, no control sequences."""
        return self.values.clean(text)

    async def look(self, names: Sequence[str]) -> GateObservation:
        """Look at checks now."""
        return await observe_gate(self.tools.evaluator, names, self.tools.clock, self.clean)

    def _note_head(self) -> None:
        """Note the newest record outside the journal, so that a tail that is cut off would be missed."""
        record, self._unnoted = self._unnoted, None
        if record is not None:
            note_checkpoint(checkpoints_file(self.workspace), checkpoint_of(record, self.journal_id))

    @property
    def not_believed(self) -> str:
        """Say which record of the run nobody can have written while it went; empty where there is none."""
        wrong = self.state.impossible
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return f"the journal holds what no run wrote: {wrong[0]}{more}" if wrong else ""

    def refuse_impossible(self) -> None:
        """Raise `JournalError` where the journal holds what no run wrote: nothing is done on its word."""
        if self.not_believed:
            raise JournalError(
                self.not_believed,
                f"`{self.workspace.command('audit verify')}` tells more; bring a true copy of it back, or begin anew "
                "with another --state DIR",
            )

    def _adopt_plan(self) -> None:
        self.loaded = plan_in_force(self.file, self.state)
        self.tools.on_plan(self.loaded)
