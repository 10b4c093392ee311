"""Writing what is shown to a file: whole, without secrets, readable by nobody else, never over another."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TextIO

from switchover.logs.line_ring import SEGMENT, LineRing
from switchover.logs.log_queries import LogQueries
from switchover.logs.long_line import LongLine
from switchover.logs.reading.levels import LEVEL_NAMES
from switchover.private_files import make_private_dir, open_private

__all__ = ["SaveError", "save_lines"]

_AT_ONCE = 200  # lines between two looks at what else there is to do
_MOST_NAMES = 1000


class SaveError(Exception):
    """It could not be written; the text says why and what to do."""


async def save_lines(
    queries: LogQueries, ring: LineRing, names: Sequence[str], query: Mapping[str, Any], folder: str
) -> dict[str, Any]:
    """Write all lines that fit into a new file in `folder`; return its path and their number. Raise `SaveError`."""
    asked = queries.ask(query)
    while asked.step():  # noqa: ASYNC110 - the others have their turn between two steps
        await asyncio.sleep(0)
    if asked.problem:
        raise SaveError(asked.problem)
    count = asked.index.total
    numbers = asked.index.numbers(0, count)
    path = ""
    try:
        make_private_dir(folder)
        descriptor, path = _new_file(folder, names)
        written = 0
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            for begin in range(0, count, _AT_ONCE):
                part = [seq for seq in numbers[begin : begin + _AT_ONCE] if seq >= ring.first]
                for is_long, some in groupby(part, queries.shown.is_long):
                    kept = [seq for seq in some if seq >= ring.first]  # a long one takes its time to be written
                    if not is_long:
                        file.writelines(_written(queries, ring, names, kept))
                        written += len(kept)
                        continue
                    for seq in kept:
                        written += await _write_long(file, queries, ring, names, seq)
                await asyncio.sleep(0)
            lines_begun = queries.begun(asked)
            for one in lines_begun:
                file.write(f"{_written_at(one['at'], one['source'], one['level'])}{queries.whole(one['seq'])}\n")
            written += len(lines_begun)
    except OSError as error:
        if path:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108
        raise SaveError(f"cannot write to {folder}: {error.strerror}; nothing was kept") from error
    except BaseException:
        if path:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108
        raise
    return {"path": path, "lines": written}


def _written(queries: LogQueries, ring: LineRing, names: Sequence[str], numbers: Sequence[int]) -> list[str]:
    texts = queries.shown.texts(numbers)
    return [f"{_head(ring, names, seq)}{texts[seq]}\n" for seq in numbers]


async def _write_long(file: TextIO, queries: LogQueries, ring: LineRing, names: Sequence[str], seq: int) -> int:
    if seq < ring.first:
        return 0
    long = queries.shown.long(seq)
    file.write(_head(ring, names, seq))
    async for piece in _pieces(long):
        file.write(piece)
    file.write("\n")
    return 1


async def _pieces(long: LongLine) -> AsyncIterator[str]:
    """Give a long line in pieces; the others have their turn between two."""
    done = 0
    while True:
        long.make(done + 1)
        piece = long.text(done, long.total)
        yield piece
        if long.is_whole:
            return
        done += len(piece)
        await asyncio.sleep(0)


def _head(ring: LineRing, names: Sequence[str], seq: int) -> str:
    segment, offset = ring.segment(seq // SEGMENT), seq % SEGMENT
    return _written_at(segment.ats[offset], names[segment.sources[offset]], LEVEL_NAMES[segment.levels[offset]])


def _written_at(at: float, source: str, level: str) -> str:
    written = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{written} {source} {level or '-'} "


def _new_file(folder: str, names: Sequence[str]) -> tuple[int, str]:
    what = re.sub(r"[^A-Za-z0-9._-]+", "-", names[0].rpartition("/")[2])[:60].strip("-.") if len(names) == 1 else "logs"
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for number in range(_MOST_NAMES):
        path = f"{folder}/{what or 'logs'}-{stamp}{f'-{number}' if number else ''}.log"
        with suppress(FileExistsError):
            return open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), path
    raise SaveError(f"{folder} is full of files of this second")
