"""When a rule fires, reminds and ends: pure, with time and status as arguments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from switchover.plan.conditions import Condition
from switchover_checks.api import Status

__all__ = ["AlertEvent", "AlertRule", "AlertState", "follow"]


class AlertEvent(StrEnum):
    """What happened to an alert."""

    FIRED = "fired"
    REMINDED = "reminded"
    ENDED = "ended"
    NOTED = "noted"  # a fact about a run, which is told once


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule of the plan: its condition, its text, its notifiers, and after how many seconds it reminds."""

    name: str
    text: str
    condition: Condition
    message: str = ""
    notify: tuple[str, ...] = ("log",)
    remind_s: float | None = None


@dataclass(frozen=True, slots=True)
class AlertState:
    """A rule up to now; all times monotonic seconds, None when it does not hold, or has not fired."""

    holds_since: float | None = None
    fired: float | None = None
    told: float | None = None


def follow(
    rule: AlertRule, state: AlertState, status: Status | None, now: float
) -> tuple[AlertState, AlertEvent | None]:
    """Return the state at `now`, with what happened.

    A check that is skipped or pending ends nothing: it is not known to be better. One that is no longer watched (None)
    ends it.
    """
    if not rule.condition.holds(status):
        if state.fired is None:
            return AlertState(), None
        if status in (Status.SKIPPED, Status.PENDING):
            return state, None
        return AlertState(), AlertEvent.ENDED
    since = state.holds_since if state.holds_since is not None else now
    if state.fired is None:
        if now - since >= rule.condition.hold_s:
            return AlertState(since, now, now), AlertEvent.FIRED
        return AlertState(since), None
    told = state.told if state.told is not None else now
    if rule.remind_s is not None and now - told >= rule.remind_s:
        return AlertState(since, state.fired, now), AlertEvent.REMINDED
    return AlertState(since, state.fired, told), None
