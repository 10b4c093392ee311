"""What nobody has renewed in time is unknown: the screen says so by itself, whatever the agent said last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from switchover.ui.text.numbers import clock
from switchover.ui.text.render_context import AgentLink, AgentLinkState

if TYPE_CHECKING:
    from switchover.snapshot import CheckRow, MetricRow, Problem, ServiceRow, Snapshot

__all__ = ["Outdated", "agent_problem"]

STARTS_IT = "`switchover agent start PLAN`, or q and `switchover PLAN`"
_NOBODY = "nothing is watched; what stands here is from before"
_TRUSTED_S = 3.0  # until then the agent is taken at its word: it judges ages itself, once a second

Row = TypeVar("Row", "CheckRow", "ServiceRow", "MetricRow")


class Outdated:
    """Marks rows that are older than they may be. What it made is kept until another row gets too old."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._counts: tuple[int, ...] = ()
        self._marked: Snapshot | None = None

    def mark(self, snapshot: Snapshot, silent_s: float) -> Snapshot:
        """Return the Snapshot as it may be shown `silent_s` seconds after it was true.

        Ages are counted from the Snapshot's own time, so that a clock that was set makes nothing fresh again.
        """
        if silent_s <= _TRUSTED_S:
            return snapshot
        at = snapshot.at
        counts = tuple(
            sum(_is_old(row, at, silent_s) for row in rows)
            for rows in (snapshot.checks, snapshot.services, snapshot.found, snapshot.metrics)
        )
        if snapshot is not self._snapshot or counts != self._counts or self._marked is None:
            self._snapshot, self._counts = snapshot, counts
            self._marked = _mark(snapshot, silent_s)
        return self._marked


def _is_old(row: Any, at: float, silent_s: float) -> bool:
    return row.observed_at is not None and max(at - row.observed_at, 0.0) + silent_s > row.stale_after_s


def _mark(snapshot: Snapshot, silent_s: float) -> Snapshot:
    def marked(
        rows: tuple[Row, ...], unknown: Callable[[Row], Row], rest: Callable[[Row], Row] = lambda row: row
    ) -> tuple[Row, ...]:
        now = tuple((unknown if _is_old(row, snapshot.at, silent_s) else rest)(row) for row in rows)
        return now if any(new is not old for new, old in zip(now, rows, strict=True)) else rows

    return replace(
        snapshot,
        checks=marked(snapshot.checks, _unknown_check, _not_running),
        services=marked(snapshot.services, _unknown_service),
        found=marked(snapshot.found, _unknown_service),
        metrics=marked(snapshot.metrics, _unknown_metric),
    )


def _unknown_check(row: CheckRow) -> CheckRow:
    if row.resting:
        return row
    return replace(
        row, status="unknown", summary=f"no result since {clock(row.observed_at)}", findings=(), running=False
    )


def _not_running(row: CheckRow) -> CheckRow:
    return replace(row, running=False) if row.running else row


def _unknown_service(row: ServiceRow) -> ServiceRow:
    return replace(
        row,
        state="unknown",
        health="unknown",
        detail=f"no answer since {clock(row.observed_at)}",
        cpu_percent=None,
        cpu_history=(),
        memory_bytes=None,
        started_at=None,
        pid=None,
        latency_ms=None,
        ready=None,
        wanted=None,
        actions=tuple(action for action in row.actions if action in {"logs", "inspect"}),
    )


def _unknown_metric(row: MetricRow) -> MetricRow:
    return replace(
        row, status="pending" if row.latest is None else "unknown", note=f"no value since {clock(row.observed_at)}"
    )


def agent_problem(link: AgentLink, now: float, silent_s: float) -> Problem:
    """Say that nobody watches, or that it cannot be seen here: the first problem of all."""
    from switchover.snapshot import Problem

    if link.state is AgentLinkState.STOPPED:
        return Problem("unknown", "agent", link.why, link.since, cause=_NOBODY, next=STARTS_IT)
    if link.state is AgentLinkState.LOST:
        return Problem("unknown", "agent", "the line to it is lost", link.since, cause=link.why)
    return Problem(
        "unknown",
        "agent",
        f"says nothing since {clock(now - silent_s)}",
        now - silent_s,
        next="`switchover agent status` says why",
    )
