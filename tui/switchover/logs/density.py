"""How the lines that fit are spread over time: for the bar that shows where it went wrong."""

from __future__ import annotations

from collections.abc import Iterable

from switchover.logs.index import Index, Summary
from switchover.logs.levels import ERROR, WARN
from switchover.logs.ring import Ring

__all__ = ["BUCKETS", "Density", "density_of"]

BUCKETS = 120
_EXACT = 4096  # lines that are counted one by one

Density = tuple[list[tuple[int, int, int]], float, float]  # (lines, warnings, errors), from, until


def density_of(ring: Ring, index: Index) -> Density:
    """Return buckets of equal length over all lines that fit; where these are many, right to 256 of them."""
    parts: Iterable[Summary]
    parts = list(_lines(ring, index)) if index.total <= _EXACT else list(index.summaries.values())
    if not parts:
        return [], 0.0, 0.0
    since, until = min(part.since for part in parts), max(part.until for part in parts)
    width = max((until - since) / BUCKETS, 1e-6)
    counts = [[0.0, 0.0, 0.0] for _ in range(BUCKETS)]
    for lines, warnings, errors, first, last in parts:
        begin, end = _bucket(first - since, width), _bucket(last - since, width)
        share = 1.0 / (end - begin + 1)
        for bucket in counts[begin : end + 1]:
            bucket[0] += lines * share
            bucket[1] += warnings * share
            bucket[2] += errors * share
    return [(_whole(n), _whole(warn), _whole(err)) for n, warn, err in counts], since, until


def _lines(ring: Ring, index: Index) -> Iterable[Summary]:
    for segment in ring.segments:
        ats, levels = segment.ats, segment.levels
        for offset in index.places(segment.number):
            level, at = levels[offset], ats[offset]
            yield Summary(1, int(level == WARN), int(level >= ERROR), at, at)


def _bucket(after_s: float, width: float) -> int:
    return min(int(after_s / width), BUCKETS - 1)


def _whole(count: float) -> int:
    """Round, but never to nothing: one error among many lines has to be seen."""
    return round(count) or (1 if count > 0 else 0)
