"""The facts of a run. The journal keeps them in order; the state of a run is nothing but their fold.

A *unit* is what can be executed. It is a step (its id) or an action of a rollback (`rollback:1:0`: the first of the
first).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from switchover.migration.facts.operator import Operator
from switchover.snapshot.states import NamedStatus, ObjectiveWord, StatusWord

__all__ = [
    "AbortRequested",
    "AcknowledgementEnded",
    "BaselineMeasured",
    "ConfirmationGiven",
    "DriverChanged",
    "Event",
    "Evidence",
    "GateAnswered",
    "GateBroken",
    "GateFailed",
    "GateGreen",
    "GateHeld",
    "GateOpened",
    "GatePassed",
    "GateUndecided",
    "GateWaits",
    "GateWaitsForHuman",
    "Measurement",
    "Outcome",
    "Place",
    "PlanRebased",
    "Record",
    "RequirementWaived",
    "RollbackEnded",
    "RollbackItem",
    "RollbackStarted",
    "RunEnded",
    "RunStarted",
    "StepEnded",
    "StepNotStarted",
    "StepResolved",
    "StepRetried",
    "StepStarted",
    "StepUnknown",
    "TakeoverAnswered",
    "TakeoverAsked",
    "Ticked",
    "VariablesGiven",
    "WarningAcknowledged",
    "decode_event",
    "encode_event",
]

Outcome = Literal["done", "failed", "timeout", "aborted", "unknown"]
Choice = Literal["done", "failed", "retry", "rollback", "skip"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A check as it stood when it was asked for."""

    check: str
    status: StatusWord
    summary: str
    observed_at: float
    findings: tuple[tuple[str, str, str, str], ...] = ()  # what, expected, observed, status


@dataclass(frozen=True, slots=True)
class Measurement:
    """An objective as measured."""

    objective: str
    before: float | None
    after: float | None
    target: str
    state: ObjectiveWord


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run exists. The plan's text is kept here and used from here on, whatever happens to the file.

    `given_up` says what a person gave up so that it may begin: notes on runs whose journal is lost.
    """

    run_id: str
    by: Operator
    plan_id: str
    plan_title: str
    plan_path: str
    plan_digest: str
    plan_text: str
    target: str
    variables: dict[str, str]
    version: str
    given_up: str = ""


@dataclass(frozen=True, slots=True)
class PlanRebased:
    """The run goes by another text of its plan from here on. `variables` are all values that hold from now on.

    `gates` are to be judged again, because what they need has changed. A waiver or acknowledgement of `checks` no
    longer counts, because the checks have changed.
    """

    by: Operator
    reason: str
    before_digest: str
    plan_digest: str
    plan_text: str
    variables: dict[str, str]
    changes: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BaselineMeasured:
    """The `before` values of the plan's objectives, measured at the start; None where it could not be measured."""

    values: dict[str, float | None]
    units: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VariablesGiven:
    """Values for variables that were still open; frozen from here on."""

    values: dict[str, str]
    by: Operator


@dataclass(frozen=True, slots=True)
class ConfirmationGiven:
    """A person typed the text that a step demands."""

    step: str
    by: Operator
    text: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit's process, records and output are, and can be judged: `machine` is a digest of the machine's id.

    `workspace` is the id of the folder, by which clones of a machine are told apart.
    """

    host: str
    machine: str
    directory: str
    workspace: str = ""

    def __str__(self) -> str:
        own = f", workspace {self.workspace[:8]}" if self.workspace else ""
        return f"{self.host} (its records are in {self.directory}{own})"

    def may_be(self, other: Place) -> bool:
        """Whether it is the same place, or could be: a missing id proves nothing."""
        same = (self.host, self.machine, self.directory) == (other.host, other.machine, other.directory)
        return same and (not self.workspace or not other.workspace or self.workspace == other.workspace)


@dataclass(frozen=True, slots=True)
class StepStarted:
    """Written before anything runs. `rollback` is the command that would undo it; `place` None is where it is read.

    `prepared` tells the files that were set aside for its records from all others: while they stand, nothing ran.
    """

    unit: str
    attempt: int
    by: Operator
    argv: tuple[str, ...]
    argv_digest: str
    env_names: tuple[str, ...]
    cwd: str
    plan_digest: str
    timeout_s: float
    rollback: str = ""
    confirmed: str = ""
    evidence: tuple[Evidence, ...] = ()
    place: Place | None = None
    prepared: str = ""


@dataclass(frozen=True, slots=True)
class StepEnded:
    """Written before any screen says how it ended. `exit_code`: negative for a signal, None if nothing was executed.

    `output_sha256` vouches for the output that was kept; empty where there is none. `remote` are the programs in it
    that handed work to another machine or a server. Where one of them was cut off, the outcome is unknown.
    Everybody may read `outputs`. `sealed` holds, encrypted, what later steps get instead where one holds a secret.
    """

    unit: str
    attempt: int
    outcome: Outcome
    exit_code: int | None
    duration_s: float
    reason: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    output_bytes: int = 0
    output_sha256: str = ""
    remote: tuple[str, ...] = ()
    sealed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepUnknown:
    """It started, and nobody can say how it ended. `remote`: see `StepEnded`."""

    unit: str
    attempt: int
    reason: str
    remote: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepEndedLate:
    """How an attempt ended, known only after its outcome was on record as unknown. What followed stays."""

    unit: str
    attempt: int
    outcome: Outcome
    exit_code: int | None
    duration_s: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StepNotStarted:
    """It was announced but proved never to have begun; it may run without being run twice."""

    unit: str
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class StepResolved:
    """Somebody decided what an unknown outcome counts as; where `policy` is set, the plan's `on_unknown` did."""

    unit: str
    attempt: int
    choice: Choice
    reason: str
    by: Operator
    evidence: tuple[Evidence, ...] = ()
    policy: str = ""


@dataclass(frozen=True, slots=True)
class StepRetried:
    """A person let a unit run again that failed, or a done step whose gate is not passed yet.

    `gate` is the phase of such a step: what its gate saw up to now no longer counts.
    """

    unit: str
    by: Operator
    gate: str = ""


@dataclass(frozen=True, slots=True)
class Ticked:
    """A human did one item of a manual step; `complete` when it was the last."""

    step: str
    item: int
    evidence: str
    by: Operator
    complete: bool


@dataclass(frozen=True, slots=True)
class GateOpened:
    """A gate begins to look at what it requires: `needs` are its checks and promises."""

    phase: str
    by: Operator
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateWaitsForHuman:
    """All that a gate requires is fine; a person has to say go."""

    phase: str
    evidence: tuple[Evidence, ...] = ()
    held_s: float = 0.0


@dataclass(frozen=True, slots=True)
class GateAnswered:
    """A person said go or no-go."""

    phase: str
    yes: bool
    note: str
    by: Operator


@dataclass(frozen=True, slots=True)
class GatePassed:
    """The next phase is open. The evidence is what the gate saw in its last look."""

    phase: str
    evidence: tuple[Evidence, ...] = ()
    held_s: float = 0.0
    measurements: tuple[Measurement, ...] = ()


@dataclass(frozen=True, slots=True)
class GateFailed:
    """The gate stays shut; it can be tried again."""

    phase: str
    reason: str
    evidence: tuple[Evidence, ...] = ()
    measurements: tuple[Measurement, ...] = ()


@dataclass(frozen=True, slots=True)
class GateGreen:
    """All that a gate requires is fine from here on: its hold, which lasts `hold_s`, counts."""

    phase: str
    hold_s: float = 0.0


@dataclass(frozen=True, slots=True)
class GateHeld:
    """How much of a soak is counted up to now. Only time between fresh, green observations counts."""

    phase: str
    held_s: float


@dataclass(frozen=True, slots=True)
class GateBroken:
    """A hold was broken after it had counted `held_s`; it begins anew."""

    phase: str
    reason: str
    held_s: float = 0.0
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class GateWaits:
    """The gate is not green and is judged again. `until` (epoch seconds) it may take, as things stand."""

    phase: str
    reason: str
    until: float
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class GateUndecided:
    """Nothing that a gate requires failed, but something warns or cannot be known: a person decides."""

    phase: str
    reason: str
    checks: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class WarningAcknowledged:
    """A person lets a warning pass at one place (`gate:PHASE` or `step:ID`), for as long as it stays a warning."""

    place: str
    check: str
    reason: str
    by: Operator
    summary: str = ""


@dataclass(frozen=True, slots=True)
class AcknowledgementEnded:
    """The check warns no longer; should it warn again, that is another warning."""

    place: str
    check: str
    status: StatusWord


@dataclass(frozen=True, slots=True)
class RequirementWaived:
    """A person lets a check that is not fine pass at one place, for a while. `until` is epoch seconds."""

    place: str
    check: str
    reason: str
    by: Operator
    for_s: float
    until: float
    status: NamedStatus = ""


@dataclass(frozen=True, slots=True)
class DriverChanged:
    """Another person drives from here on; `before` is who did until now."""

    by: Operator
    before: Operator | None
    why: str


@dataclass(frozen=True, slots=True)
class TakeoverAsked:
    """A person who watches asks the one who drives for the run."""

    by: Operator
    holder: str


@dataclass(frozen=True, slots=True)
class TakeoverAnswered:
    """The one who drives handed over or refused; nobody having answered is a refusal too."""

    by: Operator
    asked_by: Operator
    granted: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class AbortRequested:
    """Somebody stopped what was going on. `what` is a unit, `gate PHASE` or `run`."""

    what: str
    reason: str
    by: Operator


@dataclass(frozen=True, slots=True)
class RollbackItem:
    """One action of a rollback, whole, so that it can be gone on with from here alone. `env` still holds its templates.

    `undoes` is the step that it compensates, empty for an action of a named plan.
    """

    unit: str
    run: str
    undoes: str = ""
    env: dict[str, str] = field(default_factory=dict)
    cwd: str = ""
    timeout_s: float = 600.0
    expect_s: float | None = None


@dataclass(frozen=True, slots=True)
class RollbackStarted:
    """A rollback path is begun: what it will do, in order, and what it cannot undo."""

    number: int
    name: str
    by: Operator
    items: tuple[RollbackItem, ...]
    cannot_undo: tuple[str, ...] = ()
    budget_s: float | None = None
    title: str = ""
    verify: tuple[str, ...] = ()
    data_loss: str = ""
    loses_since: float | None = None
    loses_after: str = ""


@dataclass(frozen=True, slots=True)
class RollbackEnded:
    """The rollback path has been taken; its verify checks are reported, whatever they say."""

    number: int
    duration_s: float
    within_budget: bool | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class RunEnded:
    """No more steps of this run."""

    state: Literal["done", "rolled_back", "aborted"]
    by: Operator
    reason: str = ""


Event = (
    RunStarted
    | PlanRebased
    | BaselineMeasured
    | ConfirmationGiven
    | StepStarted
    | StepEnded
    | StepUnknown
    | StepEndedLate
    | StepNotStarted
    | StepResolved
    | StepRetried
    | Ticked
    | VariablesGiven
    | GateOpened
    | GateWaitsForHuman
    | GateAnswered
    | GatePassed
    | GateFailed
    | GateGreen
    | GateHeld
    | GateBroken
    | GateWaits
    | GateUndecided
    | WarningAcknowledged
    | AcknowledgementEnded
    | RequirementWaived
    | DriverChanged
    | TakeoverAsked
    | TakeoverAnswered
    | AbortRequested
    | RollbackStarted
    | RollbackEnded
    | RunEnded
)

_TYPES: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__args__}


@dataclass(frozen=True, slots=True)
class Record:
    """An event with its place, time and hash. `mono` is the monotonic clock of the boot `boot_id`."""

    seq: int
    run_id: str
    at: float
    mono: float
    boot_id: str
    event: Event
    hash: str = ""


def encode_event(event: Event) -> tuple[str, str]:
    """Return the event's type and its JSON."""
    return type(event).__name__, msgspec.json.encode(event).decode()


def decode_event(kind: str, data: str | bytes) -> Event:
    """Return the event again. Raise `ValueError` for a type or shape that is not known."""
    shape = _TYPES.get(kind)
    if shape is None:
        raise ValueError(f"no such event: {kind}")
    try:
        value: Any = msgspec.json.decode(data, type=shape)
    except (msgspec.MsgspecError, TypeError, RecursionError) as error:
        raise ValueError(f"{kind}: {error}") from error
    return value  # type: ignore[no-any-return]
