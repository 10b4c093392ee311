"""How the lines that fit are spread over time: for the bar that shows where it went wrong."""

from __future__ import annotations

from collections.abc import Iterable

from switchover.logs.line_index import LineIndex, Summary
from switchover.logs.line_ring import LineRing
from switchover.logs.reading.levels import ERROR

__all__ = ["BUCKETS", "Density", "density_of"]

BUCKETS = 120
_EXACT = 4096  # lines that are counted one by one
_MOST_LOOKED_INTO = 128  # segments whose lines are, where they go over several buckets

Density = tuple[list[tuple[int, int, int]], float, float]  # (lines, events that warn, that err), from, until


def density_of(ring: LineRing, index: LineIndex) -> Density:
    """Return buckets of equal length over all lines that fit. Every line is in one, so their sums are true.

    Where lines are many, and their times in no order, a line may stand beside its bucket.
    """
    exact = index.total <= _EXACT
    parts = index.summaries
    if not parts:
        return [], 0.0, 0.0
    since, until = _span(ring, index) if exact else _span_of(parts.values())
    width = max((until - since) / BUCKETS, 1e-6)
    counts = [[0, 0, 0] for _ in range(BUCKETS)]
    looked_into = 0
    for number, part in parts.items():
        begin, end = _bucket(part.since - since, width), _bucket(part.until - since, width)
        if begin == end and not exact:
            for column, count in enumerate(part[:3]):
                counts[begin][column] += count
        elif exact or looked_into < _MOST_LOOKED_INTO:
            looked_into += 1
            segment = ring.segment(number)
            for offset in index.places(number):
                counts[_bucket(segment.ats[offset] - since, width)][0] += 1
            for offset in index.bad(number):
                counts[_bucket(segment.ats[offset] - since, width)][2 if segment.levels[offset] >= ERROR else 1] += 1
        else:
            for column, count in enumerate(part[:3]):
                size = end - begin + 1
                share, rest = divmod(count, size)
                for n in range(size if share else rest):
                    counts[begin + n][column] += share + (n < rest)
    return [(lines, warnings, errors) for lines, warnings, errors in counts], since, until


def _span(ring: LineRing, index: LineIndex) -> tuple[float, float]:
    ats = [ring.segment(number).ats[offset] for number in index.summaries for offset in index.places(number)]
    return min(ats), max(ats)


def _span_of(parts: Iterable[Summary]) -> tuple[float, float]:
    """Return from when to when segments go, as their first and last lines tell."""
    begins, ends = zip(*((part.since, part.until) for part in parts), strict=True)
    return min(begins), max(ends)


def _bucket(after_s: float, width: float) -> int:
    return max(0, min(int(after_s / width), BUCKETS - 1))
