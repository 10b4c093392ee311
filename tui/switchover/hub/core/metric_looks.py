"""Looks at metrics for gates, checklists and promises: measured now, as checks are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from switchover.clock import Clock
from switchover.health.probing import CheckObservation, Evaluator
from switchover.hub.services.check_rows import metric_row
from switchover.metrics.sampler import Sampler, Track
from switchover_checks.api import Metric, Result, Status

__all__ = ["MetricLooks", "SampledMetrics"]


class SampledMetrics(Protocol):
    """What measures metrics in their rhythm. `PlanWatcher` is one."""

    sampler: Sampler

    def metric_rests(self, name: str) -> str:
        """Say why a metric is not measured now; empty when it is."""


class MetricLooks:
    """Measures metrics when somebody waits for them. The sampler keeps what is measured, as always."""

    def __init__(self, evaluator: Evaluator, watched: SampledMetrics, clock: Clock) -> None:
        self._evaluator = evaluator
        self._watched = watched
        self._clock = clock

    async def read(self, names: Collection[str]) -> Mapping[str, CheckObservation]:
        """Measure the named metrics now. What has a fresh value is OK, unless it is out of its bounds."""
        sampler, rests = self._watched.sampler, self._watched.metric_rests
        tracks = {name: sampler.tracks[name] for name in names}
        checks = {str(track.config.get("check")) for track in tracks.values() if track.spec.kind == "check"}
        found = await self._evaluator.evaluate_items(checks) if checks else {}
        for check, seen in found.items():  # of a metric that is watched, the number has come by itself
            sampler.note_check(
                check,
                seen.result.metrics,
                seen.duration_s,
                at=seen.observed_at,
                mono=self._clock.monotonic(),
                rests=lambda name: name not in names or not rests(name),
            )
        asked = {name for _, group in sampler.rhythms() for name in group}
        await sampler.sample([name for name in names if name in asked])
        return {name: self._seen(track) for name, track in tracks.items()}

    def _seen(self, track: Track) -> CheckObservation:
        row = metric_row(track, mono=self._clock.monotonic(), points=tuple)
        status = track.status(stale=row.status == Status.UNKNOWN.label)
        value = track.series.latest
        if status is Status.PENDING or value is None:
            result = Result.unknown(row.note or "no value yet")
        else:
            summary = f"{value:g} {track.unit}".rstrip()
            if status is Status.UNKNOWN:
                summary = row.note
            elif status is not Status.OK:
                summary += f", outside {row.crit if status is Status.CRIT else row.warn}"
            result = Result(status, summary, metrics=(Metric("value", value, track.unit),))
        return CheckObservation(track.name, result.status, result, track.series.observed_at or self._clock.now())
