"""The line that stands for an event among lines that fit: its first one. The others of it are not counted."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import islice

__all__ = ["Heads", "Place"]

_MOST = 1024  # events whose lines may still come, or stand before those that were looked at

Place = tuple[int, int]  # segment, offset


class Heads:
    """Lines are examined upwards as they come, and downwards segment by segment."""

    def __init__(self) -> None:
        self._newest: dict[int, None] = {}
        self._lowest: dict[int, Place] = {}

    def above(self, segment: int, offsets: Sequence[int], events: array[int]) -> bytes:
        """Return which of these lines, all newer than those before, are the first of their event."""
        heads = bytearray()
        for offset in offsets:
            event = events[offset]
            if event in self._newest:
                continue
            heads.append(offset)
            if event:  # 0: an event of one line
                self._newest[event] = None
                if len(self._lowest) < _MOST:
                    self._lowest[event] = (segment, offset)
        _shorten(self._newest)
        return bytes(heads)

    def below(self, segment: int, offsets: Sequence[int], events: array[int]) -> tuple[bytes, list[Place]]:
        """Return the same for lines that are older than all before, and which ones are not the first any more."""
        heads, gone = bytearray(), []
        here: dict[int, Place] = {}
        for offset in offsets:
            event = events[offset]
            if event in here:
                continue
            heads.append(offset)
            if event:
                here[event] = (segment, offset)
                if (place := self._lowest.pop(event, None)) is not None:
                    gone.append(place)
        if here:
            self._lowest = dict(islice({**here, **self._lowest}.items(), _MOST))
            if len(self._newest) < _MOST:
                self._newest.update(dict.fromkeys(here))
        return bytes(heads), gone


def _shorten(events: dict[int, None]) -> None:
    while len(events) > _MOST:
        del events[next(iter(events))]
