"""Covers a step's output with a key, byte by byte, so that nobody reads it on the other machine's disk.

Both ends know the key; it is on no disk over there. Standard library only, Python 3.6.
"""

from __future__ import annotations

import hashlib

BLOCK = 1 << 14


class Keystream:
    """The bytes that cover a stream, found by their offset in it. To cover and to uncover is the same."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._index = -1
        self._block = b""

    def cross(self, offset: int, data: bytes) -> bytes:
        """Return `data`, which stands at `offset` of the stream, covered or uncovered."""
        out, done = [], 0
        while done < len(data):
            index, at = divmod(offset + done, BLOCK)
            part = data[done : done + BLOCK - at]
            cover = self._of(index)[at : at + len(part)]
            mixed = int.from_bytes(part, "big") ^ int.from_bytes(cover, "big")
            out.append(mixed.to_bytes(len(part), "big"))
            done += len(part)
        return b"".join(out)

    def _of(self, index: int) -> bytes:
        if index != self._index:
            self._block = hashlib.shake_256(b"output" + self.key + index.to_bytes(8, "big")).digest(BLOCK)
            self._index = index
        return self._block
