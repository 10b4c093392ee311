"""Numbers that applications tell: counters, gauges and histograms with labels, at most so many of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["AppNumbers", "AppSeries", "Labels"]

Labels = tuple[tuple[str, str], ...]
SeriesKind = Literal["counter", "gauge", "histogram"]

MOST_SERIES = 2_000
MOST_POINTS = 1_000
BOUNDS = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0)


@dataclass(slots=True)
class AppSeries:
    """One series. `value` is the sum of a counter, the newest of a gauge; of a histogram `total` is the sum.

    `points` are (epoch seconds, value), oldest first; of a histogram the single samples.
    """

    name: str
    labels: Labels
    kind: SeriesKind
    value: float = 0.0
    count: int = 0
    total: float = 0.0
    buckets: list[int] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)

    def take(self, value: float, at: float) -> None:
        """Add one told value: to a counter it is added, a gauge becomes it, a histogram gets a sample."""
        self.count += 1
        if self.kind == "counter":
            self.value += max(0.0, value)
        elif self.kind == "gauge":
            self.value = value
        else:
            self.value, self.total = value, self.total + value
            self.buckets = self.buckets or [0] * (len(BOUNDS) + 1)
            self.buckets[bisect_left(BOUNDS, value)] += 1
        self.points.append((at, self.value))
        if len(self.points) > MOST_POINTS + 100:  # not one by one: that would move a thousand each time
            del self.points[:-MOST_POINTS]


class AppNumbers:
    """All series. One that would be too many is refused and counted, never silently merged with another."""

    def __init__(self, most: int = MOST_SERIES) -> None:
        self._most = most
        self.series: dict[tuple[str, Labels], AppSeries] = {}
        self.changed: set[tuple[str, Labels]] = set()
        self.refused = 0
        self._kinds: dict[str, SeriesKind] = {}

    def take(self, name: str, kind: SeriesKind, value: float, at: float, labels: Mapping[str, str]) -> None:
        """Take in one value of a series. A name keeps the kind with which it began; another kind is refused."""
        key = (name, tuple(sorted((k, v[:100]) for k, v in labels.items())))
        if self._kinds.get(name, kind) != kind:
            self.refused += 1
            return
        found = self.series.get(key)
        if found is None:
            if len(self.series) >= self._most:
                self.refused += 1
                return
            found = self.series[key] = AppSeries(name, key[1], kind)
            self._kinds[name] = kind
        found.take(value, at)
        self.changed.add(key)

    def told(self, name: str, where: Mapping[str, str]) -> tuple[str, float] | None:
        """Return the type and the value over all series with these labels; None where none was told.

        A counter is their sum, a gauge the newest, a histogram the mean of all samples.
        """
        found = [s for s in self.of_name(name) if where.items() <= dict(s.labels).items()]
        if not found:
            return None
        kind = found[0].kind
        if kind == "counter":
            return kind, sum(series.value for series in found)
        if kind == "gauge":
            return kind, max(found, key=lambda series: series.points[-1][0]).value
        return kind, sum(series.total for series in found) / max(sum(series.count for series in found), 1)

    def of_name(self, name: str) -> list[AppSeries]:
        """Return every series of that name, by labels."""
        return [self.series[key] for key in sorted(self.series) if key[0] == name]
