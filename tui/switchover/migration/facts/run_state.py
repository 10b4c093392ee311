"""The state of a run, as its records describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, get_args

from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.outcome_rules import OutcomeRules
from switchover.snapshot.states import StageWord

__all__ = [
    "Acknowledgement",
    "Attempt",
    "GateState",
    "Impossible",
    "RollbackState",
    "RunState",
    "Stage",
    "UnitState",
    "Waiver",
]


class Stage(StrEnum):
    """Where a unit or a run stands; the words are those that `status` prints."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"

    @property
    def word(self) -> StageWord:
        """The same as views and scripts have it."""
        return _STAGE_WORDS[self]


_STAGE_WORDS: Mapping[str, StageWord] = {word: word for word in get_args(StageWord)}

FINISHED = frozenset({Stage.DONE, Stage.ROLLED_BACK, Stage.ABORTED})
AttemptOutcome = ev.Outcome | Literal["", "not started"]  # nothing while it runs


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A time by three clocks: wall, monotonic, and which boot the monotonic one belongs to."""

    at: float
    mono: float
    boot_id: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a unit."""

    number: int
    started: Timestamp
    by: Operator
    argv: tuple[str, ...] = ()
    place: ev.Place | None = None
    ended: Timestamp | None = None
    outcome: AttemptOutcome = ""
    exit_code: int | None = None
    duration_s: float | None = None
    output_bytes: int = 0
    reason: str = ""
    plan_digest: str = ""
    remote: tuple[str, ...] = ()  # programs that handed work elsewhere, which may go on there
    record: str = ""  # the hash of its `StepStarted`, which its own records name
    prepared: str = ""
    rules: OutcomeRules = field(default_factory=OutcomeRules)
    kept: tuple[ev.EvidenceFile, ...] = ()  # copies of what it left
    ready_s: float = 0.0  # how long it took after its end until what it brings about was there
    late: str = ""  # how it ended, where that was known only after others had to decide
    timeout_s: float = 0.0
    members: tuple[str, ...] = ()  # its parts, where it is done by a group of machines
    far: ev.FarPlace | None = None  # the other machine that it ran on

    @property
    def may_end_late(self) -> bool:
        """Whether nobody could say how it ended, and nobody has since."""
        return self.outcome == "unknown" and self.ended is None and not self.late


@dataclass(frozen=True, slots=True)
class Tick:
    """An item of a checklist, done."""

    who: str
    at: float
    evidence: str
    file: ev.EvidenceFile | None = None
    seen: tuple[ev.Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitState:
    """A step or an action of a rollback. `began` says that it may have had an effect."""

    stage: Stage = Stage.PENDING
    attempts: tuple[Attempt, ...] = ()
    began: bool = False
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    sealed: Mapping[str, str] = field(default_factory=dict)
    ticks: Mapping[int, Tick] = field(default_factory=dict)
    ended: Timestamp | None = None
    confirmations: tuple[tuple[Operator, Timestamp], ...] = ()

    @property
    def awaits_ready(self) -> bool:
        """Whether it ended well, and what it is to bring about is still waited for."""
        return self.stage is Stage.WAITING and self.last is not None and bool(self.last.rules.ready)

    @property
    def last(self) -> Attempt | None:
        """The newest attempt."""
        return self.attempts[-1] if self.attempts else None


@dataclass(frozen=True, slots=True)
class GateState:
    """A gate. `stage`: pending, running (it looks), waiting (for a human), done, failed.

    `held_s` is what of its hold is counted up to the green look `looked`. `undecided` are the checks of which a person
    has to say whether they may pass. While it is watched, `waits_for` is what is not green and `until` when it is shut.
    """

    stage: Stage = Stage.PENDING
    by: Operator | None = None
    green: Timestamp | None = None
    looked: Timestamp | None = None
    broken: Timestamp | None = None
    broken_why: str = ""
    undecided: tuple[str, ...] = ()
    opened: Timestamp | None = None
    ended: Timestamp | None = None
    answered_by: str = ""
    answers: tuple[tuple[Operator, Timestamp], ...] = ()  # who said go since it asks
    note: str = ""
    reason: str = ""
    waits_for: str = ""
    until: float | None = None
    held_s: float = 0.0
    evidence: tuple[ev.Evidence, ...] = ()
    measurements: tuple[ev.Measurement, ...] = ()


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A warning that a person lets pass while it stays one."""

    by: Operator
    reason: str
    given: Timestamp


@dataclass(frozen=True, slots=True)
class Waiver:
    """A check that a person lets pass for a while, whatever it says."""

    by: Operator
    reason: str
    given: Timestamp
    for_s: float
    until: float

    def holds(self, now: Timestamp) -> bool:
        """Whether it has not expired. No clock that is set back makes it last longer."""
        if now.boot_id == self.given.boot_id and now.mono - self.given.mono >= self.for_s:
            return False
        return now.at < self.until and (now.boot_id == self.given.boot_id or now.at >= self.given.at)


@dataclass(frozen=True, slots=True)
class RollbackState:
    """A rollback path that was begun. `stage`: running, failed, unknown, done."""

    number: int
    name: str
    items: tuple[ev.RollbackItem, ...]
    cannot_undo: tuple[str, ...]
    started: Timestamp
    stage: Stage = Stage.RUNNING
    ended: Timestamp | None = None
    duration_s: float | None = None
    within_time: bool | None = None
    evidence: tuple[ev.Evidence, ...] = ()
    within_s: float | None = None
    begun: ev.RollbackStarted | None = None


@dataclass(frozen=True, slots=True)
class Impossible:
    """A record that no run could have written at its place, so that nothing of it is believed."""

    seq: int
    kind: str
    why: str

    def __str__(self) -> str:
        return f"record {self.seq} ({self.kind}) cannot be true: {self.why}"


@dataclass(frozen=True, slots=True)
class RunState:
    """A run as its records describe it. Without any record: no run yet, everything pending."""

    run_id: str = ""
    stage: Stage = Stage.PENDING
    started: Timestamp | None = None
    ended: Timestamp | None = None
    by: Operator | None = None
    reason: str = ""
    plan_id: str = ""
    plan_path: str = ""  # where its file lay, on the host of who began the run
    plan_digest: str = ""
    plan_text: str = ""
    plans: Mapping[str, str] = field(default_factory=dict)  # every text that the run has gone by, by its digest
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # digests of what steps execute, by step
    units: Mapping[str, UnitState] = field(default_factory=dict)
    order: tuple[str, ...] = ()  # units in the order in which they first began
    gates: Mapping[str, GateState] = field(default_factory=dict)
    rollback: RollbackState | None = None
    baseline: Mapping[str, float | None] | None = None
    afters: Mapping[str, float | None] = field(default_factory=dict)
    measurements: Mapping[str, ev.Measurement] = field(default_factory=dict)
    acknowledgements: Mapping[tuple[str, str], Acknowledgement] = field(default_factory=dict)  # by place and check
    waivers: Mapping[tuple[str, str], Waiver] = field(default_factory=dict)
    driver: Operator | None = None  # who drives, where that ever changed
    last_moment: Timestamp | None = None
    seq: int = 0
    impossible: tuple[Impossible, ...] = ()  # what stands in the journal and is not believed

    def with_promises(self, event: ev.BaselineMeasured | ev.PromisesMeasured) -> RunState:
        """Return the state once more values of promises are known."""
        if isinstance(event, ev.BaselineMeasured):
            return replace(self, baseline=dict(event.values))
        judged = {one.promise: one for one in event.measurements}
        before, after = {**(self.baseline or {}), **event.before}, {**self.afters, **event.after}
        return replace(self, baseline=before, afters=after, measurements={**self.measurements, **judged})

    @property
    def exists(self) -> bool:
        """Whether there is a run at all."""
        return bool(self.run_id)

    @property
    def finished(self) -> bool:
        """Whether the run has ended for good, so that another may start."""
        return self.stage in FINISHED

    def unit(self, name: str) -> UnitState:
        """Return a unit's state; one that never began is pending."""
        return self.units.get(name, _NEVER)

    def gate(self, phase: str) -> GateState:
        """Return a gate's state; one that was never judged is pending."""
        return self.gates.get(phase, _SHUT)

    @property
    def open_units(self) -> tuple[str, ...]:
        """The units that started and have no end on record."""
        return tuple(name for name, unit in self.units.items() if unit.stage is Stage.RUNNING)

    @property
    def outputs(self) -> dict[str, Mapping[str, str]]:
        """The captured outputs by step."""
        return {name: unit.outputs for name, unit in self.units.items() if unit.outputs}

    @property
    def sealed(self) -> dict[str, Mapping[str, str]]:
        """Those captured outputs that hold a secret, encrypted, by step."""
        return {name: unit.sealed for name, unit in self.units.items() if unit.sealed}


_NEVER = UnitState()
_SHUT = GateState()
