"""What is watched now: `since` and `until` name phases and steps of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from switchover.plan.members.presence import Presence, WatchPoint

__all__ = ["NOTHING_BEGUN", "PhaseMark", "not_needed", "not_watched"]


@dataclass(frozen=True, slots=True)
class PhaseMark:
    """How far a phase or a step is. `ended` is a good end; `turn` that of the step, or of the phase's gate."""

    started: bool = False
    ended: bool = False
    turn: bool = False


NOTHING_BEGUN = PhaseMark()


def not_watched(presence: Presence, marks: Mapping[str, PhaseMark]) -> str:
    """Say why a thing is not watched now; empty when it is. `marks` are those of phases, and of steps (PHASE.STEP)."""
    since, until = presence.since, presence.until
    if since is not None and not _begun(since, marks):
        return f"watched {_from(since)} on"
    if until is not None and _over(until, marks):
        return f"watched until {_over_words(until)}"
    return ""


def not_needed(presence: Presence, marks: Mapping[str, PhaseMark]) -> str:
    """Say why a service need not run now; empty when it has to."""
    since, until = presence.since, presence.until
    if since is not None and not _begun(since, marks):
        return f"not started yet: needed {_from(since)} on"
    if until is not None and _over(until, marks):
        return f"not needed any more since {_over_words(until)}"
    return ""


def _begun(point: WatchPoint, marks: Mapping[str, PhaseMark]) -> bool:
    mark = marks.get(point.name, NOTHING_BEGUN)
    match point.at:
        case "phase":
            return mark.started
        case "step":
            return mark.ended
        case _:
            return mark.turn


def _over(point: WatchPoint, marks: Mapping[str, PhaseMark]) -> bool:
    mark = marks.get(point.name, NOTHING_BEGUN)
    return mark.started if point.at == "step" else mark.ended


def _from(point: WatchPoint) -> str:
    match point.at:
        case "phase":
            return f"from phase {point.phase}"
        case "step":
            return f"from the end of step {point.name}"
        case "turn":
            return f"from step {point.name}"
        case _:
            return f"from the gate of phase {point.phase}"


def _over_words(point: WatchPoint) -> str:
    return f"step {point.name} started" if point.at == "step" else f"phase {point.phase} ended"
