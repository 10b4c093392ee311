"""The lines that are kept: bounded in bytes and in number, the oldest given up first, by whole segments.

Lines are kept in columns, 256 to a segment. A place in a segment is one byte, so half a million lines cost little more
than their text. A line's number says where it lies.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

__all__ = ["SEGMENT", "LineRing", "Segment"]

SEGMENT = 256
SOURCES = 256  # at most, in one stream
_BESIDE = 32  # bytes for a line besides its text: time, level, source, event, the reference to it


class Segment:
    """Up to 256 lines in columns; `number` times 256 is the number of its first line."""

    __slots__ = ("ats", "events", "levels", "number", "size", "sources", "texts")

    def __init__(self, number: int) -> None:
        self.number = number
        self.ats = array("d")
        self.levels = bytearray()
        self.sources = bytearray()
        self.events = array("Q")
        self.texts: list[str] = []
        self.size = 0

    def __len__(self) -> int:
        return len(self.texts)


class LineRing:
    """Keeps the newest lines. `first` is the number of the oldest one kept, `end` the number that the next one gets."""

    def __init__(self, most_bytes: int, most_lines: int) -> None:
        self._most_bytes = most_bytes
        self._most_lines = max(most_lines, SEGMENT)
        self._segments = [Segment(0)]
        self._bytes = 0
        self.first = 0
        self.end = 0

    @property
    def kept(self) -> int:
        """How many lines are kept."""
        return self.end - self.first

    @property
    def dropped(self) -> int:
        """How many lines were given up."""
        return self.first

    @property
    def segments(self) -> Sequence[Segment]:
        """All segments, the oldest first; only the last one may have room."""
        return self._segments

    def segment(self, number: int) -> Segment:
        """Return the segment with this number, which must be kept."""
        return self._segments[number - self._segments[0].number]

    def add(
        self,
        source: int,
        ats: Sequence[float],
        levels: Sequence[int],
        texts: Sequence[str],
        events: Sequence[int] = (),
    ) -> None:
        """Keep lines of one source after all others. `events` are its own numbers of bad events, 0 for none."""
        begin, count = 0, len(texts)
        numbers = [number * SOURCES + source if number else 0 for number in events] if any(events) else [0] * count
        while begin < count:
            last = self._segments[-1]
            room = SEGMENT - len(last)
            if not room:
                self._segments.append(Segment(last.number + 1))
                continue
            end = min(count, begin + room)
            part = texts[begin:end]
            size = sum(map(sys.getsizeof, part)) + _BESIDE * (end - begin)
            last.ats.extend(ats[begin:end])
            last.levels.extend(levels[begin:end])
            last.sources.extend(bytes((source,)) * (end - begin))
            last.events.extend(numbers[begin:end])
            last.texts.extend(part)
            last.size += size
            self._bytes += size
            begin = end
        self.end += count
        self._keep_within_bounds()

    def text(self, seq: int) -> str:
        """Return the text of a line that is kept."""
        return self.segment(seq // SEGMENT).texts[seq % SEGMENT]

    def _keep_within_bounds(self) -> None:
        gone = 0
        while len(self._segments) - gone > 1 and (self._bytes > self._most_bytes or self.kept > self._most_lines):
            oldest = self._segments[gone]
            self._bytes -= oldest.size
            gone += 1
            self.first = (oldest.number + 1) * SEGMENT
        if gone:
            del self._segments[:gone]
