"""The bytes of a backup, read once from front to end, as far as the deadline allows."""

from __future__ import annotations

import time
from typing import Protocol

from switchover_checks.api import ProbeError, Status

__all__ = ["PIECE", "DamagedError", "Readable", "Stream", "UnprovedError"]

PIECE = 1 << 20
_MOST_TEXT = 256 << 20


class DamagedError(ValueError):
    """What was read is not whole; the text says where."""


class UnprovedError(Exception):
    """What was read shows no fault, and nothing in it proves that it is whole."""


class Readable(Protocol):
    """A binary file, or what unpacks one."""

    def read(self, size: int, /) -> bytes:
        """Read at most `size` bytes; none at the end."""


class Stream:
    """Bytes in their order, with a look ahead. Raises `ProbeError` (UNKNOWN) when the deadline is over."""

    def __init__(self, source: Readable, deadline: float) -> None:
        self._source, self._deadline = source, deadline
        self._ahead = b""
        self.position = 0
        self.tail = b""
        """The last 1,024 bytes that were read."""

    def peek(self, size: int) -> bytes:
        """Return the next bytes without passing them; fewer where the end comes before."""
        while len(self._ahead) < size and (piece := self._source.read(size - len(self._ahead))):
            self._ahead += piece
        return self._ahead[:size]

    def read(self, size: int = PIECE) -> bytes:
        """Return the next bytes, at most `size`; none at the end."""
        if time.monotonic() > self._deadline:
            raise ProbeError("reading the backup takes longer than the check may", status=Status.UNKNOWN)
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            data = self._source.read(size)
        self.position += len(data)
        self.tail = (self.tail + data)[-1024:] if len(data) < 1024 else data[-1024:]
        return data

    def exactly(self, size: int, what: str) -> bytes:
        """Return the next `size` bytes. Raise `DamagedError` when there are not so many."""
        parts = []
        left = size
        while left:
            data = self.read(min(left, PIECE))
            if not data:
                raise DamagedError(f"it is cut off in {what}")
            parts.append(data)
            left -= len(data)
        return b"".join(parts)

    def rest(self) -> bytes:
        """Return all that is left; for what is known to be small."""
        parts = []
        while data := self.read():
            parts.append(data)
            if sum(map(len, parts)) > _MOST_TEXT:
                raise UnprovedError("it is too large to be read at once")
        return b"".join(parts)

    def drain(self) -> int:
        """Read to the end and return how many bytes there were in all."""
        while self.read():
            pass
        return self.position
