"""Rows of the Snapshot from the live state: pure functions, told the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from switchover.health.catalog import CheckItem
from switchover.health.state import CheckState, Standing
from switchover.metrics.sampler import Track
from switchover.plan.model import Service
from switchover.services.api import RunState
from switchover.services.host import ProcessSeen
from switchover.services.inventory import ServiceState
from switchover.snapshot import CheckRow, FindingRow, MetricRow, ServiceRow
from switchover_checks.api import Status

__all__ = ["POINTS", "Expectation", "check_row", "clock_text", "metric_row", "process_row", "service_row"]

POINTS = 240


def clock_text(at: float | None) -> str:
    """Write epoch seconds as the local time of day."""
    return time.strftime("%H:%M:%S", time.localtime(at)) if at is not None else ""


def check_row(item: CheckItem, state: CheckState, standing: Standing, *, running: bool, resting: str) -> CheckRow:
    """Return the row of a check. `resting` says why it is not watched now; then its past is not shown as present."""
    spec = item.spec
    row = CheckRow(
        name=item.name,
        kind=spec.type,
        status="pending",
        summary=resting,
        title=spec.title or "",
        service=item.service,
        observed_at=state.observed_at,
        last_ok_at=state.last_ok_at,
        history=state.history,
        needs=item.needs,
        every_s=spec.every,
        stale_after_s=item.rule.stale_after_s,
    )
    if resting:
        return row
    changed_at = state.changed_at
    if standing.stale and state.observed_at is not None:
        changed_at = state.observed_at + item.rule.stale_after_s
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
        pending_failures=state.pending_failures,
        evidence=tuple(state.result.evidence.items()),
    )


@dataclass(frozen=True, slots=True)
class Expectation:
    """What tells whether a service that does not run ought to.

    `live` is the side that serves, empty when not known; `first` the side that serves before the migration;
    `over` says that the run is over (done, rolled back or aborted); `no_return` that an irreversible step has begun.
    """

    live: str = ""
    first: str = ""
    over: bool = False
    no_return: bool = False

    def idle(self, side: str, *, ever_ran: bool) -> str:
        """Say why it is fine that a service of `side` does not run; empty when it is not."""
        if not side or side == (self.live or self.first):
            return ""
        if not ever_ran:
            return "not started yet" if not self.over else "not the live side"
        if self.over or self.no_return:
            return "stopped, not the live side"
        return ""


def service_row(
    name: str, service: Service, state: ServiceState, expectation: Expectation, *, mono: float, resting: str = ""
) -> ServiceRow:
    """Return the row of a service. One that was not looked at in time is unknown.

    `resting` says why it need not run now, where the plan says when it has to.
    """
    seen = state.seen
    stale_after = 3 * service.every + 5.0
    health, run_state, detail = seen.health, seen.state, seen.detail
    side = service.env or ""
    changed_at = state.changed_at
    stale = state.observed_mono is not None and mono - state.observed_mono > stale_after
    if stale:
        health, run_state = Status.UNKNOWN, RunState.UNKNOWN
        detail = f"no answer since {clock_text(state.observed_at)}"
        changed_at = state.observed_at + stale_after if state.observed_at is not None else None
    elif run_state is RunState.STOPPED and (why := resting or expectation.idle(side, ever_ran=state.ever_ran)):
        health, detail = Status.PENDING, why
    shown = run_state is RunState.RUNNING
    return ServiceRow(
        name=name,
        side=side,
        kind=service.kind,
        state=run_state.value,
        health=health.label,
        detail=detail,
        cpu_percent=seen.cpu_percent if shown else None,
        cpu_history=state.cpu_history if shown else (),
        memory_bytes=seen.memory_bytes if shown else None,
        started_at=seen.started_at if shown else None,
        restarts=_restarts(service, state),
        pid=seen.pid if shown else None,
        url=state.url,
        latency_ms=round(seen.latency_ms, 1) if shown and seen.latency_ms is not None else None,
        needs=service.needs,
        observed_at=state.observed_at,
        changed_at=changed_at,
        stale_after_s=stale_after,
    )


def _restarts(service: Service, state: ServiceState) -> int | None:
    """Return the restarts that the provider counts, else those that were seen; None where there is nothing to see."""
    if state.seen.restarts is not None:
        return state.seen.restarts
    return state.restarts if service.kind == "process" and state.observed_at is not None else None


def process_row(process: ProcessSeen, at: float, every_s: float) -> ServiceRow:
    """Return the row of a process of the host, which belongs to no plan."""
    seen = process.seen
    return ServiceRow(
        name=f"{process.name} {seen.pid}",
        side="",
        kind="process",
        state=seen.state.value,
        health=seen.health.label,
        detail=process.user,
        cpu_percent=round(seen.cpu_percent, 1) if seen.cpu_percent is not None else None,
        memory_bytes=seen.memory_bytes,
        started_at=seen.started_at,
        pid=seen.pid,
        observed_at=at,
        stale_after_s=3 * every_s + 5.0,
    )


def metric_row(track: Track, *, now: float, points: Callable[[], tuple[float | None, ...]] | None = None) -> MetricRow:
    """Return the row of a metric; `now` is epoch seconds. What is late has no status but unknown."""
    series = track.series
    stale_after = 3 * series.step_s + 5.0
    stale = series.observed_at is not None and now - series.observed_at > stale_after
    note = track.note or (f"no value since {clock_text(series.observed_at)}" if stale else "")
    status = track.status(stale=stale)
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
