"""What happened at a gate: what was seen there, how it was judged, and what a person let pass."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.migration.facts.operator import Operator
from switchover.snapshot.states import NamedStatus, PromiseWord, StatusWord

__all__ = [
    "AcknowledgementEnded",
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
    "RequirementWaived",
    "WarningAcknowledged",
]


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
    """A promise as measured."""

    promise: str
    before: float | None
    after: float | None
    target: str
    state: PromiseWord
    let_pass: str = ""  # why it stands in nobody's way, though it is not met


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
    """How much of a hold is counted up to now. Only time between fresh, green observations counts."""

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
