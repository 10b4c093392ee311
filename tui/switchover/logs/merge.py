"""Several sources become one stream, by time.

A line gets its number when the lines before it are certain. At the beginning that is once every source has sent its
older lines. Later it is after a short while, in which another source may still bring an earlier line. Lines of one
source keep their own order, whatever times they bear.
"""

from __future__ import annotations

from collections.abc import Sequence

from switchover.logs.intake import Columns
from switchover.logs.line_ring import LineRing

__all__ = ["HORIZON_S", "Merge"]

HORIZON_S = 0.25
_MOST_HELD = 100_000  # lines

_Held = tuple[float, int, int, float, float, int, str, int]  # key, source, order, came at, time, level, text, event


class Merge:
    """Puts lines into the ring. With one source nothing is held back."""

    def __init__(self, ring: LineRing, sources: int, horizon_s: float = HORIZON_S) -> None:
        self._ring = ring
        self._alone = sources == 1
        self._horizon_s = horizon_s
        self._held: list[_Held] = []
        self._keys = [float("-inf")] * sources
        self._order = 0
        self._begun = False

    @property
    def holds(self) -> int:
        """How many lines wait for their place."""
        return len(self._held)

    def begin(self) -> None:
        """Every source has delivered its older lines: they are put in order now."""
        self._begun = True

    def add(self, source: int, columns: Columns, came: float) -> None:
        """Take lines of a source; `came` is the time now, of a clock that only runs forward."""
        if self._alone:
            self._ring.add(source, *columns)
            return
        key, order = self._keys[source], self._order
        for at, level, text, event in zip(*columns, strict=True):
            key = max(key, at)
            self._held.append((key, source, order, came, at, level, text, event))
            order += 1
        self._keys[source], self._order = key, order
        if len(self._held) > _MOST_HELD:
            self.settle(float("inf"))

    def settle(self, now: float) -> bool:
        """Give numbers to the lines that have waited long enough; return whether there were any."""
        if not self._held or not (self._begun or len(self._held) > _MOST_HELD):
            return False
        limit = now - self._horizon_s
        ripe = [held[0] for held in self._held if held[3] <= limit]
        if not ripe:
            return False
        until = max(ripe)
        self._held.sort()
        count = len(self._held)
        if self._held[-1][0] > until:
            count = _after(self._held, until)
        self._put(self._held[:count])
        del self._held[:count]
        return True

    def _put(self, held: Sequence[_Held]) -> None:
        begin = 0
        for n in range(1, len(held) + 1):
            if n == len(held) or held[n][1] != held[begin][1]:
                part = held[begin:n]
                columns = ([h[4] for h in part], [h[5] for h in part], [h[6] for h in part], [h[7] for h in part])
                self._ring.add(part[0][1], *columns)
                begin = n


def _after(held: Sequence[_Held], key: float) -> int:
    """Return how many of these, which are in order, have at most this key."""
    low, high = 0, len(held)
    while low < high:
        middle = (low + high) // 2
        if held[middle][0] <= key:
            low = middle + 1
        else:
            high = middle
    return low
