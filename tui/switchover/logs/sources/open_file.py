"""A file that is open for reading: how far it was read, and how a replacement is noticed."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from switchover.logs.reading.splitter import Splitter
from switchover.logs.sources.rotation import Key

__all__ = ["CHUNK", "OpenFile"]

CHUNK = 1 << 18
_WRITTEN = 256  # bytes before the place of reading


class OpenFile:
    """Reads a file by place, so that what stands before the place can be looked at with the same call.

    `is_fresh` until something was read of it, or after it was cut.
    """

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        status = os.fstat(self.descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self.descriptor)
            raise OSError(0, "is a folder" if stat.S_ISDIR(status.st_mode) else "is no ordinary file")
        self.key: Key = (status.st_dev, status.st_ino)
        self.position = 0
        self.written = b""
        self.is_fresh = True
        self.splitter = Splitter()

    @property
    def size(self) -> int:
        """Its length now, in bytes."""
        return os.fstat(self.descriptor).st_size

    @property
    def changed_at(self) -> float:
        """When it was written to last (epoch seconds)."""
        return os.fstat(self.descriptor).st_mtime

    @property
    def is_deleted(self) -> bool:
        """It has no name any more."""
        return not os.fstat(self.descriptor).st_nlink

    def go_to(self, position: int) -> None:
        """Read on from here."""
        self.position = position
        begin = max(0, position - _WRITTEN)
        self.written = os.pread(self.descriptor, position - begin, begin)

    def next(self) -> bytes | None:
        """Return what was written since; None where what had been read is not there any more."""
        before = len(self.written)
        data = os.pread(self.descriptor, before + CHUNK, self.position - before)
        if data[:before] != self.written:
            return None
        fresh = data[before:]
        if fresh:
            self.position += len(fresh)
            self.written = data[-_WRITTEN:]
        return fresh

    def begin_anew(self) -> None:
        """Read it from the beginning: it was cut. A writer that kept its place leaves a hole, which is passed over."""
        self.position, self.written, self.is_fresh = 0, b"", True
        self.splitter = Splitter()
        with suppress(OSError):
            self.position = os.lseek(self.descriptor, 0, os.SEEK_DATA)

    def holds(self, position: int, written: bytes) -> bool:
        """Tell whether `written` stands right before `position`: then it was read up to there, by whatever name."""
        return self.size >= position and os.pread(self.descriptor, len(written), position - len(written)) == written

    def begins_with(self, data: bytes, at: int) -> bool:
        """Tell whether this, as far as it goes, begins with `data`, whose first byte is the one at `at`."""
        end = min(self.size, at + len(data))
        begin = max(at, end - _WRITTEN)
        return os.pread(self.descriptor, max(0, end - begin), begin) == data[begin - at : max(begin, end) - at]

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)
