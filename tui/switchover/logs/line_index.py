"""Which of the lines that are kept fit a query: tested once each, the newest first, and remembered by segment.

A changed query goes through the kept lines in small steps, so a key never waits for it. New lines are tested as they
come.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

from switchover.logs.line_heads import Heads, Place
from switchover.logs.line_ring import SEGMENT, LineRing, Segment
from switchover.logs.reading.levels import ERROR, WARN

__all__ = ["LineIndex", "Summary"]

Test = Callable[[Segment, Sequence[int]], bytes]
_PLACES = bytes(range(SEGMENT))


class Summary(NamedTuple):
    """The lines of a segment that fit: how many, how many warn or err, and their first and last time."""

    lines: int
    warnings: int
    errors: int
    since: float
    until: float


class LineIndex:
    """The lines for which `test` holds; with `within` only those of another index are tested.

    `low` is the oldest segment tested, `high` the number of the next line to test. Everything between them is known.
    """

    def __init__(self, ring: LineRing, test: Test | None, within: LineIndex | None = None) -> None:
        self._ring = ring
        self._test = test
        self._within = within
        self._places: dict[int, bytes] = {}
        self._bad: dict[int, bytes] = {}
        self._heads = Heads()
        self.summaries: dict[int, Summary] = {}
        self.low = ring.segments[-1].number
        self.high = self.low * SEGMENT
        self._oldest = ring.segments[0].number
        self._counts: list[int] | None = None

    def step(self) -> bool:
        """Test the lines that came, else the next older segment; return whether there was anything to do."""
        self._forget()
        end = self._ring.end if self._within is None else self._within.high
        if self.high < end:
            number = self.high // SEGMENT
            segment = self._ring.segment(number)
            stop = min(end - number * SEGMENT, SEGMENT)
            self._look(segment, self.high - number * SEGMENT, stop)
            self.high = number * SEGMENT + stop
            return True
        oldest = self._oldest if self._within is None else self._within.low
        if self.low > oldest:
            segment = self._ring.segment(self.low - 1)
            self._look(segment, 0, SEGMENT, older=True)
            self.low -= 1
            return True
        return False

    @property
    def size_ahead(self) -> int:
        """How many bytes the segment has that is tested next."""
        end = self._ring.end if self._within is None else self._within.high
        number = self.high // SEGMENT if self.high < end else self.low - 1
        first = self._ring.segments[0].number
        return self._ring.segment(number).size if first <= number <= self._ring.segments[-1].number else 0

    @property
    def progress(self) -> float:
        """How much of what is kept was tested, from 0 to 1."""
        kept = self._ring.kept
        if not kept:
            return 1.0
        tested = self.high - max(self.low * SEGMENT, self._ring.first)
        return max(0.0, min(1.0, tested / kept))

    @property
    def total(self) -> int:
        """How many lines are known to fit."""
        return self._sums()[-1]

    def before(self, seq: int) -> int:
        """Return how many of the lines that fit stand before this number."""
        number = min(max(seq // SEGMENT, self.low), self._last() + 1)
        sums = self._sums()
        place = min(number - self.low, len(sums) - 1)
        within = self._places.get(number, b"")
        offset = seq - number * SEGMENT
        return sums[place] + (bisect_left(within, offset) if offset >= 0 else 0)

    def numbers(self, begin: int, end: int) -> list[int]:
        """Return the numbers of the lines that fit, from the one at place `begin` up to place `end`."""
        sums = self._sums()
        begin, end = max(0, begin), min(end, sums[-1])
        found: list[int] = []
        while begin < end:
            place = bisect_right(sums, begin) - 1
            number = self.low + place
            first = begin - sums[place]
            part = self._places[number][first : first + end - begin]
            found += [number * SEGMENT + offset for offset in part]
            begin += len(part)
        return found

    def next_error(self, seq: int, by: int) -> int | None:
        """Return the number of the nearest error after (`by` 1) or before (-1) this line: the first line of each."""
        span = range(max(seq // SEGMENT, self.low), self._last() + 1)
        if by < 0:
            span = range(min(seq // SEGMENT, self._last()), self.low - 1, -1)
        for number in span:
            levels = self._ring.segment(number).levels
            places = bytes([place for place in self._bad.get(number, b"") if levels[place] >= ERROR])
            offset = seq - number * SEGMENT
            if by > 0 and (at := bisect_right(places, offset)) < len(places):
                return number * SEGMENT + places[at]
            if by < 0 and (at := bisect_left(places, offset)) > 0:
                return number * SEGMENT + places[at - 1]
        return None

    def places(self, number: int) -> bytes:
        """Return where in a segment the lines stand that fit."""
        return self._places.get(number, b"")

    def bad(self, number: int) -> bytes:
        """Return where in a segment the events stand that warn or err: the first line of each that fits."""
        return self._bad.get(number, b"")

    def _last(self) -> int:
        return (self.high - 1) // SEGMENT if self.high else 0

    def _look(self, segment: Segment, begin: int, end: int, *, older: bool = False) -> None:
        number = segment.number
        offsets: Sequence[int] = _PLACES[begin:end]
        if self._within is not None:
            known = self._within.places(number)
            offsets = known[bisect_left(known, begin) : bisect_left(known, end)]
        fits = bytes(offsets) if self._test is None else self._test(segment, offsets)
        levels, ats = segment.levels, segment.ats
        bad = [n for n in fits if levels[n] >= WARN]
        gone: Sequence[Place] = ()
        if older:
            heads, gone = self._heads.below(number, bad, segment.events)
        else:
            heads = self._heads.above(number, bad, segment.events)
        self._places[number] = self._places.get(number, b"") + fits
        self._bad[number] = self._bad.get(number, b"") + heads
        if fits:
            errors = sum(levels[n] >= ERROR for n in heads)
            first, last = ats[fits[0]], ats[fits[-1]]
            since, until = min(first, last), max(first, last)
            lines, warnings, erring = 0, 0, 0
            if (before := self.summaries.get(number)) is not None:
                since, until = min(since, before.since), max(until, before.until)
                lines, warnings, erring = before[:3]
            self.summaries[number] = Summary(
                lines + len(fits), warnings + len(heads) - errors, erring + errors, since, until
            )
        for place in gone:
            self._uncount(*place)
        self._counts = None

    def _uncount(self, number: int, offset: int) -> None:
        """Count this line no more: its event has an earlier one."""
        if (places := self._bad.get(number)) is None:
            return
        self._bad[number] = places.replace(bytes((offset,)), b"")
        known = self.summaries[number]
        erred = self._ring.segment(number).levels[offset] >= ERROR
        self.summaries[number] = known._replace(warnings=known.warnings - (not erred), errors=known.errors - erred)

    def _sums(self) -> list[int]:
        self._forget()
        if self._counts is None:
            sizes = (len(self._places.get(number, b"")) for number in range(self.low, self._last() + 1))
            self._counts = [0, *accumulate(sizes)]
        return self._counts

    def _forget(self) -> None:
        """Let go of what the ring gave up."""
        oldest = self._ring.segments[0].number
        if oldest == self._oldest:
            return
        for number in range(self._oldest, oldest):
            self._places.pop(number, None)
            self._bad.pop(number, None)
            self.summaries.pop(number, None)
        self._oldest = oldest
        self.low = max(self.low, oldest)
        self.high = max(self.high, oldest * SEGMENT)
        self._counts = None
