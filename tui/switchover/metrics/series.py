"""A series in memory: 1,000 points in an array, one each step. A gap is a gap, never zero."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

__all__ = ["Series"]

_GAP = math.nan


class Series:
    """The newest points of one number, `step_s` apart. Eight bytes a point, no object for each."""

    def __init__(self, step_s: float, capacity: int = 1000) -> None:
        self.step_s = step_s
        self._points = array("d", [_GAP]) * capacity
        self._next = 0
        self._count = 0
        self._last_mono: float | None = None
        self.observed_at: float | None = None
        self.observed_mono: float | None = None
        self.latest: float | None = None

    def __len__(self) -> int:
        return self._count

    def add(self, value: float | None, *, at: float, mono: float) -> None:
        """Add a point measured at `at` (epoch) and `mono` (monotonic). Steps that were missed become gaps."""
        if self._last_mono is not None:
            missed = round((mono - self._last_mono) / self.step_s) - 1
            for _ in range(min(missed, len(self._points))):
                self._push(_GAP)
        self._last_mono = mono
        if value is None or not math.isfinite(value):
            self._push(_GAP)
            return
        self._push(value)
        self.latest = value
        self.observed_at, self.observed_mono = at, mono

    def restore(self, points: Sequence[tuple[float, float]], *, now: float, mono: float) -> None:
        """Put points of before this process began in front: they fill the past and count as no fresh value."""
        if self._count or not points:
            return
        slots = [round((at - points[0][0]) / self.step_s) for at, _ in points]
        filled = 0
        for slot, (_, value) in zip(slots, points, strict=True):
            for _ in range(min(slot - filled, len(self._points))):
                self._push(_GAP)
            self._push(value)
            filled = slot + 1
        self._last_mono = mono - max(now - points[-1][0], 0.0)

    def _push(self, value: float) -> None:
        self._points[self._next] = value
        self._next = (self._next + 1) % len(self._points)
        self._count = min(self._count + 1, len(self._points))

    def newest(self, most: int) -> tuple[float | None, ...]:
        """Return up to `most` of the newest points, oldest first, None for a gap."""
        count = min(most, self._count)
        start = (self._next - count) % len(self._points)
        end = start + count
        points = self._points[start:end]
        if end > len(self._points):
            points += self._points[: end - len(self._points)]
        return tuple(None if math.isnan(p) else p for p in points)

    def known(self) -> list[float]:
        """Return every point that is not a gap, oldest first."""
        return [p for p in self.newest(self._count) if p is not None]
