"""The facts of a run. The journal keeps them in order; the state of a run is nothing but their fold.

A *unit* is what can be executed. It is a step (its id) or an action of a rollback (`rollback:1:0`: the first of the
first).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from switchover.migration.facts.gate_events import (
    AcknowledgementEnded,
    Evidence,
    GateAnswered,
    GateBroken,
    GateFailed,
    GateGreen,
    GateHeld,
    GateOpened,
    GatePassed,
    GateUndecided,
    GateWaits,
    GateWaitsForHuman,
    Measurement,
    RequirementWaived,
    WarningAcknowledged,
)
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.rollback_events import (
    RollbackEnded,
    RollbackItem,
    RollbackStarted,
)
from switchover.migration.facts.step_events import (
    ConfirmationGiven,
    EvidenceFile,
    FarPlace,
    Outcome,
    Place,
    StepEnded,
    StepEndedLate,
    StepNotReady,
    StepNotStarted,
    StepReady,
    StepResolved,
    StepRetried,
    StepSkipped,
    StepStarted,
    StepUnknown,
    Ticked,
)

__all__ = [
    "AbortRequested",
    "AcknowledgementEnded",
    "BaselineMeasured",
    "ConfirmationGiven",
    "DriverChanged",
    "Event",
    "Evidence",
    "EvidenceFile",
    "FarPlace",
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
    "OutputsPruned",
    "Place",
    "PlanRebased",
    "PromisesMeasured",
    "Record",
    "RequirementWaived",
    "RollbackEnded",
    "RollbackItem",
    "RollbackStarted",
    "RunEnded",
    "RunStarted",
    "StepEnded",
    "StepEndedLate",
    "StepNotReady",
    "StepNotStarted",
    "StepReady",
    "StepResolved",
    "StepRetried",
    "StepSkipped",
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


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run exists. The plan's text is kept here and used from here on, whatever happens to the file.

    `files` are the digests of what each step executes. `given_up` says what a person gave up so that it may begin:
    notes on runs whose journal is lost.
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
    files: dict[str, dict[str, str]] = field(default_factory=dict)


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
    files: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BaselineMeasured:
    """The `before` values of the plan's promises, measured at the start; None where it could not be measured."""

    values: dict[str, float | None]
    units: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PromisesMeasured:
    """Values of promises as a phase ended, or at the end of the run, then judged too."""

    before: dict[str, float | None]
    after: dict[str, float | None]
    measurements: tuple[Measurement, ...] = ()
    units: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VariablesGiven:
    """Values for variables that were still open; frozen from here on."""

    values: dict[str, str]
    by: Operator


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
class OutputsPruned:
    """What the steps of a run that is over wrote was removed: its retention had passed."""

    by: Operator


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
    | PromisesMeasured
    | ConfirmationGiven
    | StepStarted
    | StepEnded
    | StepUnknown
    | StepEndedLate
    | StepNotStarted
    | StepResolved
    | StepRetried
    | StepReady
    | StepNotReady
    | StepSkipped
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
    | OutputsPruned
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
