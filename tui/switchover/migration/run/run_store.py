"""Keeps the state of a run and its journal one: what is not in the journal has not happened."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from switchover.clock import Clock
from switchover.errors import (
    JournalAwayError,
    JournalDiffersError,
    JournalError,
    LockedError,
    PlanError,
    RefusedError,
    StateError,
)
from switchover.locations import Workspace
from switchover.migration.engine_ports import CheckEvaluator, Secrets, Wait
from switchover.migration.facts import events as ev
from switchover.migration.facts.location import marked_location, this_location
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_fold import fold
from switchover.migration.facts.run_state import Attempt, RunState, Timestamp
from switchover.migration.journal.checkpoints import Checkpoint, checkpoints_file, note_checkpoint, note_newest
from switchover.migration.journal.host_lock import host_of
from switchover.migration.journal.host_registry import RunNote
from switchover.migration.journal.journal_line import JournalLine, JournalOpening
from switchover.migration.journal.journal_reading import Ask, JournalReading
from switchover.migration.journal.journal_store import JournalStore, open_news
from switchover.migration.journal.outage import Outage
from switchover.migration.journal.run_lock import RunLock
from switchover.migration.rules.measured_objectives import checks_measured, judge, measure
from switchover.migration.rules.possible import why_impossible
from switchover.migration.rules.rollback_paths import measured_as
from switchover.migration.run.elsewhere import tell_elsewhere
from switchover.migration.run.gate_watch import GateObservation, observe_gate
from switchover.migration.run.plan_on_disk import PlanFile
from switchover.migration.steps.captured_secrets import SealKey
from switchover.migration.steps.spawn import Launcher, ShimStarter
from switchover.plan.loader.load import LoadedPlan, load_plan_text
from switchover.plan.model import Plan, Step
from switchover.plan.variables import Resolution, Scope, resolve_variables
from switchover.redaction import SHORTEST, Redactor, sanitize
from switchover.snapshot import Holder
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["RunStore", "Tools", "plan_in_force"]

# After these the run rests or waits for a person: the moment to note how far the journal goes.
_NOTED = (ev.GatePassed, ev.GateWaitsForHuman, ev.GateFailed, ev.RollbackEnded, ev.RunEnded)


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
        self.host = host_of(workspace, loaded.plan)
        self.lock = RunLock(
            workspace,
            loaded.plan.target or f"{loaded.plan.id} {loaded.path}",
            self if workspace.shared else None,
            self.host,
        )
        self.outage = Outage(tools.clock.now, tools.wait, tools.on_change)
        self.line = JournalLine(workspace, loaded.plan.id, tools.clock, self.outage, self._noted_on_host)
        self.records: list[ev.Record] = []  # those of the run
        self.held_elsewhere = ""  # who holds the target from another workspace, in words
        self.news = open_news(workspace, loaded.plan.id)
        self.place = this_location(workspace.directory)
        self.seal_key = SealKey(workspace.seal_key)
        self.measured: dict[str, float] = {}
        self._on_disk = PlanFile(loaded.path)
        self._plans: dict[str, Plan] = {}
        self.never_learned: set[tuple[str, str, int]] = set()  # run, unit and attempt: nobody knows how it ended
        self._actions: dict[tuple[str, str], str] = {}  # run and unit of a rollback's action -> how it is measured
        self._unnoted: ev.Record | None = None
        self._notes = notes
        self._holder: Holder | None = None
        self._leaving: asyncio.Task[None] | None = None

    @property
    def plan(self) -> Plan:
        """The plan in force: the frozen one of the run, or the file's before there is one."""
        return self.loaded.plan

    @property
    def plan_edited(self) -> bool:
        """Whether the file is another by now than the plan in force."""
        is_open = self.state.exists and not self.state.finished
        return self._on_disk.digest() != (self.state.plan_digest if is_open else self.file.digest)

    @property
    def other_plan(self) -> str:
        """Say where the newest run went by another plan than the file holds now; empty where it is this one.

        Plans are one where their texts are: what a run did counts for no other.
        """
        state, digest = self.state, self._on_disk.digest()
        if not state.exists or digest == state.plan_digest:
            return ""
        if not digest:
            return f"{self.file.path} cannot be read"
        if state.plan_id != self.file.plan.id:
            return f"run {state.run_id} goes by another plan: {state.plan_id}, not {self.file.plan.id}"
        if self.workspace.shared is not None and state.plan_path != str(self.file.path):
            whose = f"{state.plan_path} of {state.by.host}" if state.by else state.plan_path
            return f"run {state.run_id} goes by another text of this plan ({whose})"
        return f"{self.file.path.name} was edited since run {state.run_id} {'ended' if state.finished else 'began'}"

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
        self.close()

    def close(self) -> None:
        """Close the journal and the line to the launcher. Waits for no server."""
        self._note_head()
        self.line.close()
        self.tools.launcher.close()

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
        self._renew_note()
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
            self._learn(record)
        if reading.run_id != self.state.run_id:
            self.state, self.records = RunState(), []
        self.state = fold(reading.records, self.state, why_impossible)
        not_believed = {wrong.seq for wrong in self.state.impossible}
        believed = [record for record in reading.records if record.seq not in not_believed]
        self.records += believed
        if self.state.exists and self.state.plan_digest != self.loaded.digest:
            self._adopt_plan()
            self._follow_target()
        for record in believed:
            self._learn(record)
            if self._notes and isinstance(record.event, _NOTED):
                self._unnoted = record
        if (
            self._notes and not self.state.impossible
        ):  # else the true journal, once it is back, would lack what is noted
            note_newest(self.workspace, self._head_of(reading.records[-1]))
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
            self._note_intent(event, run_id)
        try:
            record = await self.line.append(run_id or self.state.run_id, event)
        except (JournalAwayError, JournalDiffersError) as error:
            self.outage.begins(error)
            raise
        self.outage.proves_well()
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
        note_newest(self.workspace, self._head_of(record))
        if self.host is not None:
            self.host.note(self._run_note(record))
        if isinstance(event, _NOTED):
            self._note_head()
        self._learn(record)
        for listener in self.listeners:
            listener(record)
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

    async def record_late(self, run_id: str, event: ev.StepEndedLate) -> None:
        """Record a result that others did not wait for on its own run, though another may have begun meanwhile."""

        def is_owed(state: RunState) -> bool:
            return state.run_id == run_id and not why_impossible(state, event)

        await self.record_when_back(event, is_owed)
        while self.state.run_id != run_id:
            with suppress(JournalAwayError):
                await self.line.in_turn(lambda: self._record_past(run_id, event))
                return
            await self.until_back()

    async def _record_past(self, run_id: str, event: ev.StepEndedLate) -> None:
        """Record it on a run that is over, if it is owed there, and tell it. The state stays that of the newest."""
        if not self.lock.held or not self.line.usable:
            raise JournalAwayError("the journal is not held")
        if why_impossible(fold(await self.line.records(run_id), None, why_impossible), event):
            return
        try:
            record = await self.line.append(run_id, event)
        except (JournalAwayError, JournalDiffersError) as error:
            self.outage.begins(error)
            raise
        self.outage.proves_well()
        note_newest(self.workspace, self._head_of(record))
        self._learn(record)
        for listener in self.listeners:
            listener(record)

    async def until_back(self) -> None:
        """Wait until the journal answers, is ours, and has been read. Raise why it is not, where that is given up."""

        async def anew() -> bool:
            self.line.drop()
            return await self._refresh(writable=True)

        await self.outage.until_back(lambda: self.line.in_turn(anew))

    def hold_target_of(self, plan: Plan, operator: Operator) -> None:
        """Hold what an edited plan names by now, instead of what it named before. Raise `LockedError`."""
        host = host_of(self.workspace, plan)
        if host is None or self.host is None or host.registry == self.host.registry:
            return
        host.hold(operator)
        self.host.leave()
        self.host = self.lock.host = host

    def _follow_target(self) -> None:
        """Go by the target that an open run was begun on, whatever an edited file names by now."""
        if self.state.finished:
            return
        if self.lock.operator is not None:
            self.hold_target_of(self.plan, self.lock.operator)
        else:
            self.host = self.lock.host = host_of(self.workspace, self.plan)

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
            self._renew_note()
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

    def scope(self) -> Scope:
        """Return what templates are filled from, as things stand."""
        base = Scope.of(self.plan, self.loaded.directory, self.state.run_id)
        return replace(base, values=dict(self.resolve(base).values))

    def resolve(self, base: Scope | None = None) -> Resolution:
        """Work out the variables as they stand."""
        base = base or Scope.of(self.plan, self.loaded.directory, self.state.run_id)
        found = resolve_variables(self.plan, self.state.variables, self.state.outputs, base)
        marks = {name: mark for name in found.refused if (mark := self._mark_of(name))}  # not what it is, but known
        if not marks:
            return found
        refused = {name: why for name, why in found.refused.items() if name not in marks}
        return replace(found, values={**found.values, **marks}, refused=refused)

    def _mark_of(self, variable: str) -> str:
        """Return what stands for a variable that was captured as a secret; empty where it was not."""
        unit, _, output = (self.plan.vars[variable].from_output or "").partition(".")
        return self.state.outputs.get(unit, {}).get(output, "") if output in self.state.sealed.get(unit, {}) else ""

    def revealed_scope(self) -> Scope:
        """Return the scope with the real values of what was captured as a secret. Nothing of it may be written."""
        if not self.state.sealed:
            return self.scope()
        opened = self._opened()
        outputs = {
            unit: {k: v for k, v in {**values, **opened.get(unit, {})}.items() if not self._is_shut(unit, k, opened)}
            for unit, values in self.state.outputs.items()
        }
        base = Scope.of(self.plan, self.loaded.directory, self.state.run_id)
        values = resolve_variables(self.plan, self.state.variables, outputs, base).values
        return replace(base, values=dict(values))

    def why_shut(self, variable: str) -> str:
        """Say why a variable that was captured as a secret cannot be opened here; empty where it can."""
        known = self.plan.vars.get(variable)
        unit, _, output = ((known.from_output if known is not None else None) or "").partition(".")
        if not self._is_shut(unit, output, self._opened()):
            return ""
        return f"step {unit} captured it as a secret, which only the key {self.workspace.seal_key} of that host opens"

    def _is_shut(self, unit: str, output: str, opened: Mapping[str, Mapping[str, str]]) -> bool:
        return output in self.state.sealed.get(unit, {}) and output not in opened.get(unit, {})

    def _opened(self) -> dict[str, dict[str, str]]:
        """Return what was captured as a secret and can be opened here, by step."""
        state = self.state
        return {unit: self.seal_key.open(values, state.run_id, unit) for unit, values in state.sealed.items()}

    def captured_secrets(self) -> dict[str, str]:
        """Return what was captured and nobody may read, by step and output."""
        return {
            f"{unit}.{name}": value
            for unit, values in self._opened().items()
            for name, value in values.items()
            if len(value.encode("utf-8", "surrogateescape")) >= SHORTEST
        }

    def secret_values(self) -> dict[str, str]:
        """Return all secrets that could show up: fetched, captured, and those that lie in the environment anyway."""
        values = {
            name: self.tools.environ[secret.ref.removeprefix("env:")]
            for name, secret in self.plan.secrets.items()
            if secret.ref.startswith("env:") and secret.ref.removeprefix("env:") in self.tools.environ
        }
        return {**self.captured_secrets(), **values, **self.tools.secrets.fetched}

    def clean(self, text: str) -> str:
        """Return text fit for journal and screen: no secrets, no control sequences."""
        return redact_unknown(sanitize(Redactor(self.secret_values()).redact(text)))

    async def look(self, names: Sequence[str]) -> GateObservation:
        """Look at checks now."""
        return await observe_gate(self.tools.evaluator, names, self.tools.clock, self.clean)

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
            note_checkpoint(checkpoints_file(self.workspace), self._head_of(record))

    def _head_of(self, record: ev.Record) -> Checkpoint:
        kind = type(record.event).__name__
        return Checkpoint(record.run_id, record.seq, record.hash, record.at, kind, self.journal_id)

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

    def _noted_on_host(self) -> Checkpoint | None:
        return self.host.registry.head_of(self.workspace.directory) if self.host is not None else None

    def _renew_note(self) -> None:
        """Where we drive, let the host's registry say what the journal does: a driver may have died before it could."""
        if self.host is None or not self.host.held or self.state.impossible:
            return
        noted = self.host.registry.note_of(self.workspace.directory)
        if not self.records:
            if noted is not None and not noted.head.seq:
                self.host.change(lambda notes: notes.without(noted.directory))  # it never began
        elif noted is None or (noted.head, noted.is_over) != (self._head_of(self.records[-1]), self.state.finished):
            self.host.note(self._run_note(self.records[-1]))

    def _note_intent(self, event: ev.RunStarted | ev.RollbackStarted, run_id: str) -> None:
        """Let the target be held before its run is on record: dying in between must not leave it free."""
        if self.host is None or not (isinstance(event, ev.RunStarted) or self.state.finished):
            return
        begins = Checkpoint(run_id, 0, "", self.tools.clock.now(), "RunStarted", self.journal_id)
        head = self._head_of(self.records[-1]) if self.records else begins
        self.host.note(replace(self._run_note_of(head), is_over=False))

    def _run_note(self, record: ev.Record) -> RunNote:
        return self._run_note_of(self._head_of(record))

    def _run_note_of(self, head: Checkpoint) -> RunNote:
        by = self.lock.operator or self.state.by
        return RunNote(
            directory=str(self.workspace.directory),
            plan=self.plan.id,
            plan_path=str(self.workspace.plan or ""),
            plan_digest=self.state.plan_digest,
            journal_name=self.workspace.journal_name,
            who=by.who if by is not None else "",
            host=by.host if by is not None else "",
            is_over=self.state.finished,
            head=head,
        )

    def _adopt_plan(self) -> None:
        self.loaded = plan_in_force(self.file, self.state)
        self.tools.on_plan(self.loaded)

    def _learn(self, record: ev.Record) -> None:
        """Remember how long each unit took when it was done, and of which attempts no end is known."""
        match record.event:
            case ev.StepUnknown(unit=unit, attempt=number):
                self.never_learned.add((record.run_id, unit, number))
            case ev.StepEnded(unit=unit, attempt=number) | ev.StepEndedLate(unit=unit, attempt=number):
                self.never_learned.discard((record.run_id, unit, number))
        match record.event:
            case ev.RollbackStarted(items=items):
                for item in items:
                    self._actions[record.run_id, item.unit] = measured_as(item.run, item.undoes)
            case ev.StepEnded(unit=unit, outcome="done", duration_s=took):
                self.measured[self._actions.get((record.run_id, unit), unit)] = took


def plan_in_force(file: LoadedPlan, state: RunState) -> LoadedPlan:
    """Return the plan that the run was started with, whatever the file says by now."""
    if not state.exists or state.plan_digest == file.digest:
        return file
    try:
        frozen = load_plan_text(state.plan_text, file.path, frozen=True)
        return replace(frozen, code=frozen.code.as_before(file.code))
    except PlanError as error:
        raise StateError(
            "the plan that this run was started with cannot be read by this version",
            "go on with the version that started it",
        ) from error
