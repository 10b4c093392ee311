"""Cuts a stream of bytes into lines, and lines that never end into what is worth keeping."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["LONGEST", "Splitter"]

_LOOKED_AT = 1 << 16
LONGEST = 16 << 20  # bytes kept of one line


class Splitter:
    """Holds back an unfinished line, at most `longest` bytes of it. What is beyond is counted and reported."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._held: list[bytes] = []
        self._size = 0
        self._lost = 0

    @property
    def holds(self) -> bool:
        """Whether there is the beginning of a line."""
        return bool(self._size)

    @property
    def held(self) -> bytes:
        """The beginning of a line, as far as a screen is concerned."""
        begin = b""
        for part in self._held:
            begin += part[:_LOOKED_AT]
            if len(begin) >= _LOOKED_AT:
                break
        return begin[:_LOOKED_AT]

    def feed(self, data: bytes) -> Sequence[bytes]:
        """Return the lines that are whole now, without their ends."""
        parts = data.split(b"\n")
        if len(parts) == 1:
            self._hold(data)
            return ()
        rest = parts.pop()
        if self._size:
            self._hold(parts[0])
            parts[0] = self._take()
        if len(data) > self._longest:
            parts = [self._cut(part) for part in parts]
        if rest:
            self._hold(rest)
        return parts

    def finish(self) -> Sequence[bytes]:
        """Return the line that was begun, which will not go on."""
        return (self._take(),) if self._size else ()

    def _hold(self, data: bytes) -> None:
        room = self._longest - self._size
        if len(data) > room:
            self._lost += len(data) - max(room, 0)
            data = data[: max(room, 0)]
        if data:
            self._held.append(data)
            self._size += len(data)

    def _take(self) -> bytes:
        line = b"".join(self._held)
        if self._lost:
            line += b" ... (%d bytes more were not kept)" % self._lost
        self._held, self._size, self._lost = [], 0, 0
        return line

    def _cut(self, line: bytes) -> bytes:
        if len(line) <= self._longest:
            return line
        return line[: self._longest] + b" ... (%d bytes more were not kept)" % (len(line) - self._longest)
