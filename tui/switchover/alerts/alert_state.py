"""When a rule fires and ends: pure, with time and truth as arguments. A late look never makes an end of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from switchover.plan.alerting.rule_parser import ParsedRule
from switchover.snapshot.states import SeverityWord

__all__ = ["AlertEvent", "AlertRule", "AlertState", "follow"]

_UNSTEADY_CHANGES = 5
_UNSTEADY_WITHIN_S = 1800.0
_CALM_S = 900.0
_MISSING_S = 300.0


class AlertEvent(StrEnum):
    """What happened to an alert."""

    FIRED = "fired"
    REMINDED = "reminded"
    ENDED = "ended"
    NOTED = "noted"  # a fact about a run, which is told once


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule: when it fires, its text, its notifiers, and after how many seconds it reminds."""

    name: str
    text: str
    parsed: ParsedRule | None = None  # None where a Prometheus judges it
    message: str = ""
    notify: tuple[str, ...] = ("log",)
    remind_s: float | None = None
    severity: SeverityWord = "critical"
    labels: tuple[tuple[str, str], ...] = ()
    runbook: str = ""
    hold_s: float = 0.0
    keep_s: float = 0.0
    fires_without_data: bool = False
    tells_missing: bool = True
    escalate_s: float | None = None
    escalate_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertState:
    """An alert up to now; all times monotonic seconds, None when it does not hold, or has not fired.

    `quiet_since` is since when it no longer holds though it fires on. `missing_since` is since when nobody knows.
    `changes` are the last times at which it fired or would have ended.
    """

    holds_since: float | None = None
    fired: float | None = None
    quiet_since: float | None = None
    missing_since: float | None = None
    changes: tuple[float, ...] = ()

    @property
    def unsteady(self) -> bool:
        """Whether it comes and goes so often that its end is not believed yet."""
        return len(self.changes) > _UNSTEADY_CHANGES

    def missing(self, now: float) -> bool:
        """Whether what it needs has been missing for long."""
        return self.missing_since is not None and now - self.missing_since >= _MISSING_S


def follow(rule: AlertRule, state: AlertState, truth: bool | None, now: float) -> tuple[AlertState, AlertEvent | None]:
    """Return the state at `now`, with what happened. What nobody knows (None) neither begins nor ends anything."""
    changes = tuple(at for at in state.changes if now - at < _UNSTEADY_WITHIN_S)
    state = replace(state, changes=changes) if changes != state.changes else state
    if truth is None:
        since = state.missing_since if state.missing_since is not None else now
        state = replace(state, missing_since=since)
        if not (rule.fires_without_data and state.missing(now)):
            return state, None
        truth = True
    elif state.missing_since is not None:
        state = replace(state, missing_since=None)
    return _holding(rule, state, now) if truth else _quiet(rule, state, now)


def _holding(rule: AlertRule, state: AlertState, now: float) -> tuple[AlertState, AlertEvent | None]:
    since = state.holds_since if state.holds_since is not None else now
    if state.fired is not None:
        return (state if state.quiet_since is None else replace(state, quiet_since=None)), None
    if now - since < rule.hold_s:
        return (state if state.holds_since is not None else replace(state, holds_since=since)), None
    return replace(
        state, holds_since=since, fired=now, quiet_since=None, changes=(*state.changes, now)
    ), AlertEvent.FIRED


def _quiet(rule: AlertRule, state: AlertState, now: float) -> tuple[AlertState, AlertEvent | None]:
    if state.fired is None:
        return (state if state.holds_since is None else replace(state, holds_since=None)), None
    quiet = state.quiet_since if state.quiet_since is not None else now
    changes = state.changes if state.quiet_since is not None else (*state.changes, now)
    state = replace(state, quiet_since=quiet, changes=changes)
    if now - quiet < (max(rule.keep_s, _CALM_S) if state.unsteady else rule.keep_s):
        return state, None
    return AlertState(changes=changes), AlertEvent.ENDED
