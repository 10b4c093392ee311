"""Looks at metrics for gates, checklists and promises: measured now, as checks are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from switchover.clock import Clock
from switchover.health.probing import CheckObservation, Evaluator
from switchover.hub.services.check_rows import metric_row
from switchover.metrics.sampler import Sampler, Track
from switchover_checks.api import Metric, Result, Status

__all__ = ["MetricLooks"]


class MetricLooks:
    """Measures metrics when somebody waits for them. `sampler` keeps what is measured, as always.

    `rests` tells the metrics that nobody else measures now.
    """

    def __init__(self, evaluator: Evaluator, sampler: Sampler, clock: Clock, rests: Callable[[str], object]) -> None:
        self._evaluator = evaluator
        self._sampler = sampler
        self._clock = clock
        self._rests = rests

    async def read(self, names: Collection[str]) -> Mapping[str, CheckObservation]:
        """Measure the named metrics now. What has a fresh value is OK, unless it is out of its bounds."""
        tracks = {name: self._sampler.tracks[name] for name in names}
        checks = {str(track.config.get("check")) for track in tracks.values() if track.spec.kind == "check"}
        found = await self._evaluator.evaluate_items(checks) if checks else {}
        for check, seen in found.items():  # of a metric that is watched, the number has come by itself
            self._sampler.note_check(
                check,
                seen.result.metrics,
                seen.duration_s,
                at=seen.observed_at,
                mono=self._clock.monotonic(),
                rests=lambda name: name not in names or not self._rests(name),
            )
        asked = {name for _, group in self._sampler.rhythms() for name in group}
        await self._sampler.sample([name for name in names if name in asked])
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
