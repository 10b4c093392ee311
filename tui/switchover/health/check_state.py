"""What a check's results add up to over time: a pure state machine, without clock or I/O of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from switchover.health.check_failures import CheckFailure, note_failure
from switchover_checks.api import Result, Status
from switchover_checks.language.units import format_duration

__all__ = ["HISTORY_LENGTH", "CheckState", "EffectiveStatus", "Rule", "advance", "stand"]

HISTORY_LENGTH = 60
_BAD = (Status.WARN, Status.CRIT, Status.UNKNOWN)
_KNOWN = (Status.OK, *_BAD)
_MOST_CHANGES = 100
_NEVER = Result(Status.PENDING, "not looked at yet")


@dataclass(frozen=True, slots=True)
class Rule:
    """How many results in a row change a status, and how old a result may become (seconds).

    A check that went from fine to not fine or back more than `most_changes` times within `unsteady_s` is unsteady.
    """

    fail_after: int = 1
    ok_after: int = 1
    stale_after_s: float = 40.0
    most_changes: int = 5
    unsteady_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class CheckState:
    """A check up to now. `status` is what counts; `result` is the newest, which may not count yet.

    `observed_at`, `changed_at` and `last_ok_at` are epoch seconds; `observed_mono` is monotonic, for the age. `history`
    holds the newest results' statuses as digits, oldest first. `wrong_since` is when the first bad result of the
    current row came. Good results that did not count do not end the row. With `or_before` it is the latest possible
    time. `changes` are the newest times (monotonic) at which it became fine or stopped being so. `last_bad` is the
    newest status that was not fine.
    """

    status: Status = Status.PENDING
    result: Result = _NEVER
    observed_at: float | None = None
    observed_mono: float | None = None
    duration_s: float | None = None
    changed_at: float | None = None
    last_ok_at: float | None = None
    waits_for: tuple[str, ...] = ()
    history: tuple[int, ...] = ()
    failures: int = 0
    recoveries: int = 0
    wrong_since: float | None = None
    or_before: bool = False
    changes: tuple[float, ...] = ()
    last_bad: Status = Status.WARN
    failures_kept: tuple[CheckFailure, ...] = ()

    @property
    def pending_failures(self) -> int:
        """Bad results in a row that do not count yet."""
        return self.failures if self.status is Status.OK else 0


@dataclass(frozen=True, slots=True)
class EffectiveStatus:
    """The effective status of a check at a moment: status, reason, and whether the last result is too old."""

    status: Status
    summary: str
    stale: bool = False
    changes: int = 0
    """How often it changed lately, where that is too often: then it is held at its last bad status."""
    at_this_moment: Status | None = None
    """How it would stand, were it not held or in maintenance."""

    @property
    def judged(self) -> Status:
        """How rules judge it. What fails in maintenance begins nothing and ends nothing, as what is not known yet."""
        expected = self.status is Status.SKIPPED and self.at_this_moment is not None
        return Status.PENDING if expected else self.status

    @property
    def unheld(self) -> Status:
        """How it stands at this very moment."""
        return self.status if self.at_this_moment is None else self.at_this_moment


def advance(
    state: CheckState,
    result: Result,
    rule: Rule,
    *,
    at: float,
    mono: float,
    duration_s: float | None = None,
    waits_for: tuple[str, ...] = (),
) -> CheckState:
    """Return the state after one more result, observed at `at` (epoch) and `mono` (monotonic).

    From a known state, `fail_after` bad results in a row make it bad and `ok_after` good ones make it good. With
    nothing known before (never probed, skipped, or stale) the first result counts at once.
    """
    raw = result.status
    good = raw is Status.OK
    known = state.status in _KNOWN
    if known and state.observed_mono is not None and mono - state.observed_mono > rule.stale_after_s:
        known = False
    failures = 0 if good else state.failures + 1
    recoveries = state.recoveries + 1 if good else 0
    status = state.status
    if raw is Status.SKIPPED or not known:
        status = raw
    elif good:
        if status is not Status.OK and recoveries >= rule.ok_after:
            status = Status.OK
    elif status is not Status.OK or failures >= rule.fail_after:
        status = raw
    wrong_since, or_before = state.wrong_since, state.or_before
    if raw is Status.SKIPPED or raw is Status.PENDING or (good and status is Status.OK):
        wrong_since, or_before = None, False
    elif not good and wrong_since is None:
        wrong_since, or_before = at, not known
    changes = state.changes
    if known and status in _KNOWN and (status is Status.OK) is not (state.status is Status.OK):
        changes = tuple(t for t in (*changes, mono) if mono - t <= rule.unsteady_s)[-_MOST_CHANGES:]
    return replace(
        state,
        changes=changes,
        last_bad=status if status in _BAD else state.last_bad,
        failures_kept=note_failure(state.failures_kept, result, at),
        status=status,
        result=result,
        observed_at=at,
        observed_mono=mono,
        duration_s=duration_s,
        changed_at=at if status is not state.status else state.changed_at,
        last_ok_at=at if good else state.last_ok_at,
        waits_for=waits_for,
        history=(*state.history, int(raw))[-HISTORY_LENGTH:],
        failures=failures,
        recoveries=recoveries,
        wrong_since=wrong_since,
        or_before=or_before,
    )


def stand(state: CheckState, rule: Rule, *, mono: float, clock_text: str = "") -> EffectiveStatus:
    """Say how the check stands at `mono`. A result older than the rule allows is UNKNOWN, never the last green.

    `clock_text` is the time of the last result as a human reads it.
    """
    if state.observed_mono is None:
        return EffectiveStatus(Status.PENDING, state.result.summary)
    if mono - state.observed_mono > rule.stale_after_s:
        return EffectiveStatus(
            Status.UNKNOWN, f"no result since {clock_text}" if clock_text else "no result in time", stale=True
        )
    changes = sum(mono - at <= rule.unsteady_s for at in state.changes)
    if changes > rule.most_changes and state.status in _KNOWN:
        within = format_duration(rule.unsteady_s)
        summary = f"unsteady, {changes} changes in {within}; now {state.status.label}: {state.result.summary}"
        held = state.status if state.status in _BAD else state.last_bad
        return EffectiveStatus(held, summary, changes=changes, at_this_moment=state.status)
    if state.status is Status.OK and state.failures:
        return EffectiveStatus(
            Status.OK, f"{state.result.summary} ({state.failures} of {rule.fail_after} before it counts)"
        )
    if state.recoveries and state.status is not Status.OK:
        return EffectiveStatus(state.status, f"recovering, {state.recoveries} of {rule.ok_after} good in a row")
    return EffectiveStatus(state.status, state.result.summary)
