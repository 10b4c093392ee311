"""How the lines that fit are spread over time: for the bar that shows where it went wrong."""

from __future__ import annotations

from collections.abc import Iterable

from switchover.logs.index import Index, Summary
from switchover.logs.levels import ERROR, WARN
from switchover.logs.ring import Ring

__all__ = ["BUCKETS", "Density", "density_of"]

BUCKETS = 120
_EXACT = 4096  # lines that are counted one by one
_MOST_LOOKED_INTO = 128  # segments whose lines are, where they go over several buckets

Density = tuple[list[tuple[int, int, int]], float, float]  # (lines, warnings, errors), from, until


def density_of(ring: Ring, index: Index) -> Density:
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
            for at, level in _lines(ring, index, number):
                bucket = counts[_bucket(at - since, width)]
                bucket[0] += 1
                bucket[1] += level == WARN
                bucket[2] += level >= ERROR
        else:
            for column, count in enumerate(part[:3]):
                size = end - begin + 1
                share, rest = divmod(count, size)
                for n in range(size if share else rest):
                    counts[begin + n][column] += share + (n < rest)
    return [(lines, warnings, errors) for lines, warnings, errors in counts], since, until


def _span(ring: Ring, index: Index) -> tuple[float, float]:
    ats = [at for number in index.summaries for at, _ in _lines(ring, index, number)]
    return min(ats), max(ats)


def _span_of(parts: Iterable[Summary]) -> tuple[float, float]:
    """Return from when to when segments go, as their first and last lines tell."""
    begins, ends = zip(*((part.since, part.until) for part in parts), strict=True)
    return min(begins), max(ends)


def _lines(ring: Ring, index: Index, number: int) -> Iterable[tuple[float, int]]:
    segment = ring.segment(number)
    return ((segment.ats[offset], segment.levels[offset]) for offset in index.places(number))


def _bucket(after_s: float, width: float) -> int:
    return max(0, min(int(after_s / width), BUCKETS - 1))
