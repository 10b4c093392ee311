"""Rows of the Snapshot from the live state: pure functions, with the time as an argument."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from switchover.health.catalog import CheckItem
from switchover.health.check_failures import CheckFailure
from switchover.health.check_state import CheckState, EffectiveStatus
from switchover.metrics.sampler import Track
from switchover.redaction import sanitize
from switchover.snapshot import CheckRow, FailureRow, FindingRow, MetricRow, ProgressRow
from switchover_checks.api import Status
from switchover_checks.runtime.probe_ports import ProgressNote

__all__ = ["POINTS", "check_row", "clock_text", "metric_row"]

POINTS = 240


def clock_text(at: float | None) -> str:
    """Write epoch seconds as the local time of day."""
    return time.strftime("%H:%M:%S", time.localtime(at)) if at is not None else ""


def check_row(
    item: CheckItem,
    state: CheckState,
    standing: EffectiveStatus,
    *,
    running: bool,
    resting: str,
    progress: ProgressNote | None = None,
    uptime: tuple[float | None, ...] = (),
) -> CheckRow:
    """Return the row of a check. `resting` says why it is not watched now; then its past is not shown as present."""
    spec = item.spec
    row = CheckRow(
        name=item.name,
        kind=spec.kind,
        status="pending",
        summary=resting,
        title=spec.title or "",
        service=item.service,
        observed_at=state.observed_at,
        last_ok_at=state.last_ok_at,
        history=state.history,
        needs=item.needs,
        every_s=spec.every_s,
        on_demand=spec.on_demand,
        stale_after_s=item.rule.stale_after_s,
        resting=bool(resting),
        uptime=uptime,
        failed=tuple(_failure_row(one) for one in state.failures_kept),
    )
    if resting:
        return row
    changed_at, wrong_since, or_before = state.changed_at, state.wrong_since, state.or_before
    if standing.stale and state.observed_at is not None:
        changed_at = state.observed_at + item.rule.stale_after_s
        if wrong_since is None or state.status is Status.OK:
            wrong_since, or_before = changed_at, False
    return replace(
        row,
        status=standing.status.label,
        summary=standing.summary,
        phase=state.result.phase,
        took_ms=1000 * state.duration_s if state.duration_s else None,
        changed_at=changed_at,
        findings=tuple(
            FindingRow(f.what, f.expected, f.observed, f.status.label, f.hint) for f in state.result.findings
        ),
        waits_for=state.waits_for,
        running=running,
        progress=_progress_row(progress),
        pending_failures=state.pending_failures,
        evidence=tuple(state.result.evidence.items()),
        wrong_since=wrong_since,
        or_before=or_before,
        changes=standing.changes,
    )


def _failure_row(one: CheckFailure) -> FailureRow:
    findings = tuple(FindingRow(f.what, f.expected, f.observed, f.status, f.hint) for f in one.findings)
    return FailureRow(
        one.at, one.until, one.status, one.summary, one.phase, one.times, findings, one.evidence, one.over
    )


def _progress_row(note: ProgressNote | None) -> ProgressRow | None:
    if note is None:
        return None
    share = min(note.done / note.total, 1.0) if note.total > 0 else None
    return ProgressRow(sanitize(note.text), share, note.left_s)


def metric_row(
    track: Track,
    *,
    mono: float,
    points: Callable[[], tuple[float | None, ...]] | None = None,
    resting: str = "",
) -> MetricRow:
    """Return the row of a metric; `mono` is the monotonic time. What is late has no status but unknown.

    `resting` says why it is not measured now.
    """
    series = track.series
    stale_after = 3 * series.step_s + track.late_s
    stale = series.observed_mono is not None and mono - series.observed_mono > stale_after
    note = resting or track.note or (f"no value since {clock_text(series.observed_at)}" if stale else "")
    status = Status.PENDING if resting else track.status(stale=stale)
    return MetricRow(
        name=track.name,
        group=track.group,
        unit=track.unit,
        values=points() if points is not None else series.newest(POINTS),
        latest=series.latest,
        title=track.title,
        warn=track.spec.warn or "",
        crit=track.spec.crit or "",
        status=status.label,
        baseline=track.baseline,
        observed_at=series.observed_at,
        step_s=series.step_s,
        stale_after_s=stale_after,
        note=note,
    )
