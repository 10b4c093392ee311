"""A file that is followed through everything that is done to logs: renamed away, copied and cut, linked elsewhere."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from contextlib import suppress

from switchover.logs.sources.api import Feed, RawLine, Source, SourceSpec, Span
from switchover.logs.sources.place import begin_of_tail, first_since
from switchover.logs.sources.rotation import Rotated, Siblings, matches_before
from switchover.logs.sources.wake import Wake
from switchover.logs.splitter import Splitter

__all__ = ["FileSource", "open_source"]

_CHUNK = 1 << 18
_PACE_S = 0.01  # between two looks at a file that is being written to
_WRITTEN = 256  # bytes before the place of reading, by which another content is noticed
_LEAVE_AFTER_S = 5.0  # for which a renamed file has to be quiet: its writer may not have noticed yet
_RETRY_S = 2.0
_MOST_LEFT = 100


def open_source(spec: SourceSpec) -> Source:
    """Return what reads the file `path`."""
    return FileSource(spec.path)


class _Open:
    """An open file, how far it was read, and the bytes before that."""

    def __init__(self, path: str, position: int = 0) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        status = os.fstat(self.descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self.descriptor)
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "no ordinary file"
            raise IsADirectoryError(0, f"is {what}")
        self.key = (status.st_dev, status.st_ino)
        self.position = position
        self.written = b""
        self.splitter = Splitter()

    @property
    def size(self) -> int:
        return os.fstat(self.descriptor).st_size

    def go_to(self, position: int) -> None:
        """Read on from here."""
        self.position = position
        begin = max(0, position - _WRITTEN)
        self.written = os.pread(self.descriptor, position - begin, begin)

    def next(self) -> bytes | None:
        """Return what was written since; None where what had been read is not there any more."""
        before = len(self.written)
        data = os.pread(self.descriptor, before + _CHUNK, self.position - before)
        if data[:before] != self.written:
            return None
        fresh = data[before:]
        if fresh:
            self.position += len(fresh)
            self.written = data[-_WRITTEN:]
        return fresh

    def begin_anew(self) -> None:
        """The file was cut: read it from the beginning, or from where there is data again."""
        self.position, self.written = 0, b""
        self.splitter = Splitter()
        with suppress(OSError):  # a writer that kept its place leaves a hole before it
            self.position = os.lseek(self.descriptor, 0, os.SEEK_DATA)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)


class FileSource:
    """Follows what stands at a path."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._siblings = Siblings(path)
        self._wake = Wake(path)
        self._file: _Open | None = None
        self._leaving: list[tuple[_Open, float]] = []
        self._left: dict[tuple[int, int], tuple[int, bytes]] = {}  # how far files were read that are not open any more
        self._is_new = False  # whether it came to stand there while it was waited for

    async def read(self, feed: Feed, span: Span) -> None:
        """Read the last lines, then follow."""
        self._wake.arm()
        try:
            while True:
                if self._file is None and not await self._open(feed, span):
                    if not span.follow:
                        return
                    continue
                moved = await self._read_on(feed)
                if moved:
                    await asyncio.sleep(_PACE_S)
                    continue
                feed.caught_up()
                if not span.follow:
                    await self._finish(feed)
                    return
                await self._wake.wait()
        finally:
            self._wake.close()
            for file in (self._file, *(file for file, _ in self._leaving)):
                if file is not None:
                    file.close()
            self._file, self._leaving = None, []

    async def _open(self, feed: Feed, span: Span) -> bool:
        """Open the file at its last lines, or at its beginning where it was not there before; tell whether it could."""
        try:
            self._file = await asyncio.to_thread(_Open, self._path)  # a dead network mount hangs here
        except FileNotFoundError:
            if not span.follow:
                feed.off("is not there")
                return False
            self._is_new = True
            feed.reading("not there yet; it is read as soon as it is")
            feed.caught_up()
            self._wake.arm()
            await self._wake.wait()
            return False
        except OSError as error:
            feed.off(_why(error))
            if span.follow:
                await asyncio.sleep(_RETRY_S)
            return False
        self._siblings.remember()
        self._wake.arm()
        if not self._is_new:
            end = self._file.size
            least = first_since(self._file.descriptor, end, span.since) if span.since is not None else 0
            if span.until is not None:
                end = max(least, first_since(self._file.descriptor, end, span.until + 1.0) or end)
            self._file.go_to(begin_of_tail(self._file.descriptor, end, span.tail, least))
        feed.reading()
        return True

    async def _read_on(self, feed: Feed) -> bool:
        """Read what was written, wherever it stands by now; return whether there was anything."""
        assert self._file is not None
        moved = await self._read_leaving(feed)
        if await self._drain(feed, self._file):
            return True
        try:
            status = os.stat(self._path)  # noqa: PTH116 - no pathlib: this process starts fast
        except OSError:
            feed.reading("moved away; the next one is read as soon as it is there")
            return moved
        key = (status.st_dev, status.st_ino)
        if key == self._file.key:
            return moved
        await self._follow(feed, key)
        return True

    async def _follow(self, feed: Feed, key: tuple[int, int]) -> None:
        """Another file stands there: read the old one to its end, those in between, then the new one."""
        old = self._file
        assert old is not None
        await self._drain(feed, old)
        for one in self._siblings.new(old.key, key, *(file.key for file, _ in self._leaving)):
            await self._read_whole(feed, one)
        try:
            new = _Open(self._path)
        except OSError:
            return  # gone again, or not readable: looked at again
        self._file = new
        self._leaving.append((old, asyncio.get_running_loop().time() + _LEAVE_AFTER_S))
        self._siblings.remember()
        self._wake.arm()
        feed.reading()

    async def _read_leaving(self, feed: Feed) -> bool:
        """Read what is still written to files that were moved away."""
        moved, now = False, asyncio.get_running_loop().time()
        staying = []
        for file, until in self._leaving:
            if await self._drain(feed, file):
                moved, until = True, now + _LEAVE_AFTER_S  # noqa: PLW2901 - the same file, for longer
            if now < until:
                staying.append((file, until))
            else:
                await _push(feed, file.splitter.finish())
                self._leave(file)
        self._leaving = staying
        return moved

    async def _drain(self, feed: Feed, file: _Open) -> bool:
        """Read to the end of a file; return whether there was anything."""
        moved = False
        while True:
            data = file.next()
            if data is None:
                await self._cut(feed, file)
                moved = True
                continue
            if not data:
                return moved
            moved = True
            await _push(feed, file.splitter.feed(data))
            if len(data) < _CHUNK:
                return True

    async def _cut(self, feed: Feed, file: _Open) -> None:
        """The file was cut, after it was copied as a rule: read what the copy has and was not read here."""
        copies = self._siblings.new(file.key)
        for number, one in enumerate(copies):
            with suppress(OSError):
                copy = _Open(one.path)
                try:
                    if one.size >= file.position and matches_before(copy.descriptor, file.position, file.written):
                        copy.splitter = file.splitter
                        copy.go_to(file.position)
                        await self._read_copy(feed, copy)
                        for later in copies[number + 1 :]:
                            await self._read_whole(feed, later)
                        break
                finally:
                    copy.close()
        await _push(feed, file.splitter.finish())
        self._siblings.remember()
        file.begin_anew()

    async def _read_whole(self, feed: Feed, one: Rotated) -> None:
        """Read a file that was the log for so short a time that nobody looked."""
        with suppress(OSError):
            file = _Open(one.path)
            try:
                position, written = self._left.get(one.key, (0, b""))
                if position and matches_before(file.descriptor, position, written):
                    file.go_to(position)  # known by another name: somebody has written to it after all
                if file.key == one.key:
                    await self._read_copy(feed, file)
                    self._left[file.key] = (file.position, file.written)
            finally:
                file.close()

    async def _read_copy(self, feed: Feed, file: _Open) -> None:
        while data := file.next():
            await _push(feed, file.splitter.feed(data))
        await _push(feed, file.splitter.finish())

    def _leave(self, file: _Open) -> None:
        self._left[file.key] = (file.position, file.written)
        if len(self._left) > _MOST_LEFT:
            del self._left[next(iter(self._left))]
        file.close()

    async def _finish(self, feed: Feed) -> None:
        if self._file is not None:
            await _push(feed, self._file.splitter.finish())


async def _push(feed: Feed, lines: Sequence[bytes]) -> None:
    if lines:
        await feed.push([RawLine(None, line) for line in lines])


def _why(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "may not be read: permission denied; read it as its owner or as a member of its group"
    return f"cannot be read: {error.strerror or error}"
