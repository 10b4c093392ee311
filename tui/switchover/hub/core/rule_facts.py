"""What rules are judged by: the newest values of metrics, windows over them, checks, costs."""

from __future__ import annotations

from collections.abc import Callable

from switchover.clock import Clock
from switchover.hub.core.assembler import Assembler
from switchover.metrics.sampler import Sampler, Track
from switchover.plan.alerting.rule_values import WINDOW_FUNCTIONS
from switchover.plan.conditions import Condition
from switchover.plan.promises.promise_units import PROMISE_UNITS
from switchover_checks.api import Status

__all__ = ["LiveFacts"]

_MISSED_STEPS = 3


class LiveFacts:
    """Reads them where they are kept. A window is reckoned anew only when its metric has a new point."""

    def __init__(self, assembler: Assembler, sampler: Callable[[], Sampler], clock: Clock) -> None:
        self._assembler = assembler
        self._sampler = sampler
        self._clock = clock
        self._windows: dict[tuple[str, float, str], tuple[Track, int, float | None]] = {}
        self._statuses: dict[Condition, Status | None] = {}
        self._now = 0.0

    def begin(self) -> None:
        """Begin a round: what was asked of checks before is asked anew."""
        self._now = self._clock.monotonic()
        self._statuses.clear()

    def value(self, metric: str) -> float | None:
        """Return the newest value, where it is fresh."""
        track = self._sampler().tracks.get(metric)
        if track is None or track.note or track.series.observed_mono is None:
            return None
        late = _MISSED_STEPS * track.series.step_s + track.late_s
        return track.series.latest if self._now - track.series.observed_mono <= late else None

    def window(self, metric: str, seconds: float, function: str) -> float | None:
        """Return what a function makes of the known points of the last seconds."""
        track = self._sampler().tracks.get(metric)
        if track is None or track.series.observed_mono is None:
            return None if function != "count" else 0.0
        silent = self._now - track.series.observed_mono
        if silent > seconds:
            return None if function != "count" else 0.0
        key = (metric, seconds, function)
        known = self._windows.get(key)
        if known is not None and known[0] is track and known[1] == track.version:
            return known[2]
        step = track.series.step_s
        points = [point for point in track.series.newest(max(int(seconds / step) + 1, 2)) if point is not None]
        made = WINDOW_FUNCTIONS[function](points, step)
        self._windows[key] = (track, track.version, made)
        return made

    def why(self, metric: str) -> str:
        """Return why a metric has no value now."""
        track = self._sampler().tracks.get(metric)
        if track is None or self.value(metric) is not None:
            return ""
        return track.note or f"{metric} has no fresh value"

    def scale(self, metric: str) -> float:
        """Return what one of a metric's unit is in seconds or bytes."""
        track = self._sampler().tracks.get(metric)
        measures, factor = PROMISE_UNITS.get(track.unit if track is not None else "", ("", 1.0))
        return factor if measures in ("time", "size") else 1.0

    def status(self, condition: Condition) -> Status | None:
        """Return how a check or service stands."""
        if condition not in self._statuses:
            self._statuses[condition] = self._assembler.status_for(condition)
        return self._statuses[condition]

    def cost(self, name: str) -> float | None:
        """Return a figure of the costs; None where it is not known."""
        return self._assembler.cost_figures.get(name)
