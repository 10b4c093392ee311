"""Rotated files that hold a part of the time that is asked for, which the log itself does not reach."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

from switchover.logs.reading.splitter import Splitter
from switchover.logs.sources.open_file import CHUNK, OpenFile
from switchover.logs.sources.rotation import Siblings
from switchover.logs.sources.source_api import Feed, LogTimeSpan, RawLine
from switchover.logs.sources.start_position import begin_of_tail, first_after, first_since

__all__ = ["push_earlier"]


class _Part(NamedTuple):
    """The part of a rotated file that is asked for, from byte to byte."""

    path: str
    begin: int
    end: int


async def push_earlier(feed: Feed, siblings: Siblings, log: OpenFile, end: int, span: LogTimeSpan) -> str:
    """Push the lines of rotated files that were written in `span`, oldest first; return what may hold more of them.

    `log` is the file whose lines follow up to its byte `end`. All together are no more than `span.tail`.
    """
    assert span.since is not None
    left = span.tail - _lines(log.descriptor, 0, end)
    parts: list[_Part] = []
    for one in reversed(siblings.written_since(span.since)):
        if left <= 0:
            break
        if one.key != log.key and (part := _part(one.path, left, span)) is not None:
            parts.append(part)
            left -= _count(part)
    for part in reversed(parts):
        await _push(feed, part)
    packed = siblings.packed_since(span.since) if left > 0 else []
    return f"{packed[0]} may hold more of that time" if packed else ""


def _part(path: str, lines: int, span: LogTimeSpan) -> _Part | None:
    """Return where the last lines of a file written in the span stand. None where it cannot be read."""
    assert span.since is not None
    try:
        file = OpenFile(path)
    except OSError:
        return None
    try:
        end = file.size
        begin = first_since(file.descriptor, end, span.since)
        if span.until is not None:
            end = max(begin, first_after(file.descriptor, end, span.until + 1.0))
        return _Part(path, begin_of_tail(file.descriptor, end, lines, begin), end)
    finally:
        file.close()


def _count(part: _Part) -> int:
    with suppress(OSError):
        file = OpenFile(part.path)
        try:
            return _lines(file.descriptor, part.begin, part.end)
        finally:
            file.close()
    return 0


def _lines(descriptor: int, begin: int, end: int) -> int:
    count = 0
    for place in range(begin, end, CHUNK):
        count += os.pread(descriptor, min(CHUNK, end - place), place).count(b"\n")
    return count


async def _push(feed: Feed, part: _Part) -> None:
    with suppress(OSError):
        file = OpenFile(part.path)
        try:
            latest, splitter = file.changed_at, Splitter()
            for place in range(part.begin, part.end, CHUNK):
                data = os.pread(file.descriptor, min(CHUNK, part.end - place), place)
                await feed.push([RawLine(None, line, latest=latest) for line in splitter.feed(data)])
            await feed.push([RawLine(None, line, latest=latest) for line in splitter.finish()])
        finally:
            file.close()
