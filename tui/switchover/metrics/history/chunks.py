"""What is gathered of a series before it goes to disk: points, and the minutes made of them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["MINUTE_S", "MinuteChunk", "Point", "RawChunk"]

MINUTE_S = 60.0
MOST_POINTS = 240
MOST_S = 14_400.0
MOST_MINUTES = 240

Point = tuple[float, float]
"""When (epoch seconds) and how much; NaN is a gap."""


@dataclass(slots=True)
class RawChunk:
    """Points `step` seconds apart from `start` on. What was not measured between two is a gap."""

    start: float
    step: float
    points: array[float] = field(default_factory=lambda: array("d"))

    @property
    def end(self) -> float:
        """When the newest point was measured, on the grid."""
        return self.start + (len(self.points) - 1) * self.step

    def takes(self, at: float) -> bool:
        """Tell whether a point of that time belongs to this chunk."""
        slot = round((at - self.start) / self.step)
        return len(self.points) <= slot < MOST_POINTS and at - self.start < max(MOST_S, self.step)

    def add(self, at: float, value: float) -> None:
        """Put a point that it takes on the grid."""
        slot = round((at - self.start) / self.step)
        self.points.extend([math.nan] * (slot - len(self.points)))
        self.points.append(value)


@dataclass(slots=True)
class MinuteChunk:
    """Minutes from `start` on (a whole minute): mean, least and most of each."""

    start: float
    mean: array[float] = field(default_factory=lambda: array("d"))
    least: array[float] = field(default_factory=lambda: array("d"))
    most: array[float] = field(default_factory=lambda: array("d"))

    def takes(self, minute: float) -> bool:
        """Tell whether a minute belongs to this chunk."""
        return len(self.mean) <= round((minute - self.start) / MINUTE_S) < MOST_MINUTES

    def copy(self) -> MinuteChunk:
        """Return one that does not grow with this."""
        return MinuteChunk(self.start, self.mean[:], self.least[:], self.most[:])

    def add(self, minute: float, values: Iterable[float]) -> None:
        """Put a minute that it takes in its place; one without any value is a gap."""
        slot = round((minute - self.start) / MINUTE_S)
        known = [value for value in values if not math.isnan(value)]
        for row in (self.mean, self.least, self.most):
            row.extend([math.nan] * (slot - len(row)))
        self.mean.append(math.fsum(known) / len(known) if known else math.nan)
        self.least.append(min(known, default=math.nan))
        self.most.append(max(known, default=math.nan))
