"""A file that is followed through everything that is done to logs: renamed away, copied and cut, linked elsewhere."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress

from switchover.logs.reading.splitter import Splitter
from switchover.logs.sources.earlier_files import push_earlier
from switchover.logs.sources.open_file import CHUNK, OpenFile
from switchover.logs.sources.rotation import Key, Rotated, Siblings
from switchover.logs.sources.source_api import Feed, LineSource, LogTimeSpan, RawLine, SourceSpec
from switchover.logs.sources.start_position import begin_of_tail, first_since
from switchover.logs.sources.wake import Wake

__all__ = ["FileSource", "open_source"]

_PACE_S = 0.01  # between two looks at a file that is being written to
_LEAVE_AFTER_S = 3600.0  # for which a renamed file has to be quiet: its writer may not have noticed yet
_DELETED_AFTER_S = 5.0  # and one that was deleted, which takes room on the disk for as long as it is open
_MOST_LEAVING = 4
_RETRY_S = 2.0
_MOST_LEFT = 100
_MOST_LOOKS = 1000  # at rotated files, which may get other names while they are looked at


def open_source(spec: SourceSpec) -> LineSource:
    """Return what reads the file `path`."""
    return FileSource(spec.path)


class FileSource:
    """Follows what stands at a path."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._siblings = Siblings(path)
        self._wake = Wake(path)
        self._file: OpenFile | None = None
        self._leaving: list[tuple[OpenFile, float]] = []
        self._left: dict[Key, tuple[int, bytes]] = {}  # how far files were read that are not open any more
        self._cut: tuple[int, bytes, Splitter] | None = None  # how far a file was read that was cut; a copy goes on
        self._is_new = False  # whether it came to stand there while it was waited for
        self._latest: float | None = None  # when the lines were written at the latest that stand there already

    async def read(self, feed: Feed, span: LogTimeSpan) -> None:
        """Read the last lines, then follow."""
        self._wake.arm()
        try:
            while True:
                if self._file is None and not await self._open(feed, span):
                    if not span.follow:
                        return
                    continue
                if await self._read_on(feed):
                    await asyncio.sleep(_PACE_S)
                    continue
                if span.follow and self._file is not None:
                    feed.begun(self._file.splitter.held)
                feed.caught_up()
                if not span.follow:
                    if self._file is not None:
                        await _push(feed, self._file.splitter.finish(), self._latest)
                    return
                self._latest = None
                await self._wake.wait()
        finally:
            self._wake.close()
            for file in (self._file, *(file for file, _ in self._leaving)):
                if file is not None:
                    file.close()
            self._file, self._leaving = None, []

    async def _open(self, feed: Feed, span: LogTimeSpan) -> bool:
        """Open the file at its last lines, or at its beginning if it is new. Return whether it could be opened."""
        try:
            self._file = await asyncio.to_thread(OpenFile, self._path)  # a dead network mount hangs here
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
        self._siblings.remember_all()
        self._wake.arm()
        more = ""
        if not self._is_new:
            end, self._latest = self._file.size, self._file.changed_at
            least = first_since(self._file.descriptor, end, span.since) if span.since is not None else 0
            if span.until is not None:
                end = max(least, first_since(self._file.descriptor, end, span.until + 1.0, is_end=True) or end)
            begin = begin_of_tail(self._file.descriptor, end, span.tail, least)
            if span.since is not None and begin == 0:  # what was written before its first line may be asked for too
                more = await push_earlier(feed, self._siblings, self._file, end, span)
            self._file.go_to(begin)
        feed.reading(more)
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
        if (status.st_dev, status.st_ino) == self._file.key:
            return moved
        await self._follow(feed)
        return True

    async def _follow(self, feed: Feed) -> None:
        """Another file stands there: read the old one to its end, those in between, then the new one."""
        old = self._file
        assert old is not None
        await self._drain(feed, old)
        try:
            new = OpenFile(self._path)
        except OSError:
            return  # gone again, or not readable: looked at again
        if new.key == old.key:
            new.close()
            return
        await self._read_missed(feed, lambda one: one.key == new.key, old.key)
        self._file = new
        self._leaving.append((old, asyncio.get_running_loop().time() + _LEAVE_AFTER_S))
        self._wake.arm()
        feed.reading()

    async def _read_leaving(self, feed: Feed) -> bool:
        """Read what is still written to files that were moved away."""
        moved, now = False, asyncio.get_running_loop().time()
        staying: list[tuple[OpenFile, float]] = []
        for place, (file, until) in enumerate(self._leaving):
            if await self._drain(feed, file):
                moved = True
                staying.append((file, now + _LEAVE_AFTER_S))
            elif now < until and not self._is_over(file, until - now, len(self._leaving) - place):
                if until - now < _LEAVE_AFTER_S - _DELETED_AFTER_S:
                    await _push(feed, file.splitter.finish())  # its last words are not kept back
                staying.append((file, until))
            else:
                await _push(feed, file.splitter.finish())
                self._leave(file)
                file.close()
        self._leaving = staying
        return moved

    def _is_over(self, file: OpenFile, left_s: float, newer: int) -> bool:
        """Tell whether to stop waiting for a file that was moved away: it is deleted, or one of many."""
        quiet_s = _LEAVE_AFTER_S - left_s
        return quiet_s > _DELETED_AFTER_S and (newer > _MOST_LEAVING or file.is_deleted)

    async def _drain(self, feed: Feed, file: OpenFile) -> bool:
        """Read to the end of a file; return whether there was anything."""
        moved = False
        while True:
            data = file.next()
            if data is None:
                await self._read_copies(feed, file)
            elif not data:
                return moved
            else:
                if file.is_fresh:
                    await self._read_missed(feed, _is(file.key, data, file.position - len(data)))
                    file.is_fresh = False
                await _push(feed, file.splitter.feed(data), self._latest)
                if len(data) < CHUNK:
                    return True
            moved = True

    async def _read_copies(self, feed: Feed, file: OpenFile) -> None:
        """Read what the copy of a file has that was not read here before it was cut."""
        if file.position:
            self._cut = (file.position, file.written, file.splitter)
            for one in self._siblings.new({file.key}):
                copy = _open_rotated(one)
                if copy is None:
                    continue
                try:
                    if copy.holds(file.position, file.written):
                        await self._read_to_end(feed, copy)
                        self._siblings.remember(one)
                        break
                finally:
                    copy.close()
            else:  # what was begun there will not go on
                await _push(feed, file.splitter.finish())
        file.begin_anew()

    async def _read_missed(self, feed: Feed, is_newer: Callable[[OpenFile], bool], *keys: Key) -> None:
        """Read the rotated files that are not known, each to its end: they were the log while nobody read it.

        From the first one for which `is_newer` holds, they are left for later. Those with `keys` are read elsewhere.
        """
        for _ in range(_MOST_LOOKS):
            for one in self._siblings.new({*keys, *(file.key for file, _ in self._leaving)}):
                file = _open_rotated(one)
                if file is None:
                    break  # it has another name by now, or is gone: look again
                try:
                    if is_newer(file):
                        return
                    await self._read_to_end(feed, file)
                    self._siblings.remember(one)
                finally:
                    file.close()
                break  # others may have come or moved meanwhile
            else:
                return

    async def _read_to_end(self, feed: Feed, file: OpenFile) -> None:
        """Read a rotated file, but what was read of it by another name or before it became a copy."""
        if self._cut is not None and file.holds(*self._cut[:2]):
            file.go_to(self._cut[0])
            file.splitter, self._cut = self._cut[2], None
        elif (left := self._left.get(file.key)) is not None and left[0] and file.holds(*left):
            file.go_to(left[0])
        while data := file.next():
            await _push(feed, file.splitter.feed(data))
        await _push(feed, file.splitter.finish())
        self._leave(file)

    def _leave(self, file: OpenFile) -> None:
        """Remember how far a file was read."""
        self._left[file.key] = (file.position, file.written)
        if len(self._left) > _MOST_LEFT:
            del self._left[next(iter(self._left))]


def _open_rotated(one: Rotated) -> OpenFile | None:
    with suppress(OSError):
        file = OpenFile(one.path)
        if file.key == one.key:
            return file
        file.close()
    return None


def _is(key: Key, data: bytes, at: int) -> Callable[[OpenFile], bool]:
    """Return what recognises a file by itself or, where it is a copy, by how it begins."""
    return lambda one: one.key == key or one.begins_with(data, at)


async def _push(feed: Feed, lines: Sequence[bytes], latest: float | None = None) -> None:
    if lines:
        await feed.push([RawLine(None, line, latest=latest) for line in lines])


def _why(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "may not be read: permission denied; read it as its owner or as a member of its group"
    return f"cannot be read: {error.strerror or error}"
