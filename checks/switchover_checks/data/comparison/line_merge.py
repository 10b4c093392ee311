"""Two streams of rows as bytes, side by side. What is not the same becomes a range of keys.

Nothing is called different here. A range is read again, value by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from switchover_checks.data.comparison.compared_table import KeyRange
from switchover_checks.data.comparison.row_keys import KeyReader, OddKeyError, RowKey

__all__ = ["DifferingRange", "LineMerge", "MergeOutcome", "MergeWatcher"]

_QUIET = 50
"""So many equal rows in a row end a range."""
_LONGEST = 20_000
"""No range holds more rows of a side."""
_MOST_DIFFERING = 0.2
_ENOUGH = 5000
"""From so many rows on, a share of differing rows tells that the bytes do not tell anything."""


@dataclass(frozen=True, slots=True)
class DifferingRange:
    """A range to read again. `rows` passed in it on each side; None where its end was not seen."""

    keys: KeyRange
    rows: tuple[int, int] | None


@dataclass(slots=True)
class MergeOutcome:
    """The rows that passed (of an open range none), and the ranges in which something was not the same."""

    rows: list[int] = field(default_factory=lambda: [0, 0])
    ranges: list[DifferingRange] = field(default_factory=list)


class MergeWatcher(Protocol):
    """Is told between batches how far a comparison is. What it raises ends it."""

    def passed(self, outcome: MergeOutcome, equal: bytes | None) -> None:
        """Take note; `equal` is the last row that was the same, where one was."""


class LineMerge:
    """Reads both streams once."""

    def __init__(
        self,
        left: Iterator[list[bytes]],
        right: Iterator[list[bytes]],
        keys: KeyReader,
        watcher: MergeWatcher,
        start: tuple[MergeOutcome, KeyRange] | None = None,
    ) -> None:
        self._sides = _Feed(left), _Feed(right)
        self._keys, self._watcher = keys, watcher
        self._outcome, begin = start or (MergeOutcome(), KeyRange())
        self._begin = begin.after
        self._equal: bytes | None = None
        self._differing = 0

    def run(self) -> MergeOutcome:
        """Compare all. Raise `OddKeyError` where the order of the rows cannot be followed."""
        left, right = self._sides
        while left.fill() | right.fill():
            here, there = left.rest(), right.rest()
            if same := _same(here, there):
                self._equal = here[same - 1]
                left.drop(same)
                right.drop(same)
                self._count(same, same)
            if (left.fill() | right.fill()) and left.head != right.head and not self._follow():
                return self._outcome
            self._watcher.passed(self._outcome, self._equal)
        return self._outcome

    def _count(self, left: int, right: int) -> None:
        self._outcome.rows[0] += left
        self._outcome.rows[1] += right

    def _follow(self) -> bool:
        """Go on by the keys until both sides are equal for a while. Return False where it is no use to go on."""
        after = self._keys.read(self._equal).values if self._equal is not None else self._begin
        left, right = self._sides
        rows = [0, 0]
        quiet = 0
        last: RowKey | None = None
        while (left.fill() | right.fill()) and quiet < _QUIET and max(rows) < _LONGEST:
            a, b = left.head, right.head
            if a is not None and a == b:
                quiet += 1
                self._equal = a
                steps = (1, 1)
                last = None
            else:
                quiet = 0
                keys = (None if a is None else self._keys.read(a)), (None if b is None else self._keys.read(b))
                steps, key = _lower(*keys)
                last = self._in_order(last, key)
                self._differing += 1
            for place, step in enumerate(steps):
                self._sides[place].drop(step)
                rows[place] += step
            self._count(*steps)
        at_end = left.head is None and right.head is None
        upto = None if at_end else (last or self._keys.read(self._equal or b"")).values
        if self._hopeless():
            self._count(-rows[0], -rows[1])
            self._outcome.ranges.append(DifferingRange(KeyRange(after), None))
            return False
        self._outcome.ranges.append(DifferingRange(KeyRange(after, upto), (rows[0], rows[1])))
        self._begin, self._equal = upto, None
        return True

    @staticmethod
    def _in_order(last: RowKey | None, key: RowKey) -> RowKey:
        try:
            if last is not None and not last.order < key.order:
                raise OddKeyError
        except TypeError:
            raise OddKeyError from None
        return key

    def _hopeless(self) -> bool:
        seen = max(self._outcome.rows)
        return seen >= _ENOUGH and self._differing > seen * _MOST_DIFFERING


class _Feed:
    """One side: the rows that wait to be compared."""

    def __init__(self, batches: Iterator[list[bytes]]) -> None:
        self._batches = batches
        self._rows: list[bytes] = []
        self._place = 0

    @property
    def head(self) -> bytes | None:
        return self._rows[self._place] if self._place < len(self._rows) else None

    def rest(self) -> list[bytes]:
        return self._rows[self._place :] if self._place else self._rows

    def fill(self) -> bool:
        """Get more where nothing waits. Return False at the end."""
        while self._place == len(self._rows):
            batch = next(self._batches, None)
            if batch is None:
                return False
            self._rows, self._place = batch, 0
        return True

    def drop(self, count: int) -> None:
        self._place += count


def _same(left: Sequence[bytes], right: Sequence[bytes]) -> int:
    """Return how many rows at the beginning are equal."""
    most = min(len(left), len(right))
    if left[:most] == right[:most]:
        return most
    return next(place for place in range(most) if left[place] != right[place])


def _lower(a: RowKey | None, b: RowKey | None) -> tuple[tuple[int, int], RowKey]:
    """Return which sides go on, and the key that they pass."""
    if a is None or b is None:
        key = a or b
        assert key is not None
        return (int(a is not None), int(b is not None)), key
    if a.order == b.order:
        return (1, 1), a
    try:
        lower = a.order < b.order
    except TypeError:
        raise OddKeyError from None
    return ((1, 0), a) if lower else ((0, 1), b)
