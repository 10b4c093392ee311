"""Writing what is shown to a file: whole, without secrets, readable by nobody else, never over another."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from switchover.logs.desk import Desk
from switchover.logs.levels import LEVEL_NAMES
from switchover.logs.ring import SEGMENT, Ring

__all__ = ["KeepError", "keep"]

_AT_ONCE = 200  # lines between two looks at what else there is to do
_MOST_NAMES = 1000


class KeepError(Exception):
    """It could not be written; the text says why and what to do."""


async def keep(desk: Desk, ring: Ring, names: Sequence[str], query: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Write all lines that fit into a new file in `folder`; return its path and their number. Raise `KeepError`."""
    asked = desk.ask(query)
    while asked.step():  # noqa: ASYNC110 - the others have their turn between two steps
        await asyncio.sleep(0)
    if asked.problem:
        raise KeepError(asked.problem)
    count = asked.index.total
    numbers = asked.index.numbers(0, count)
    path = ""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103 - no pathlib: this process starts fast
        descriptor, path = _new_file(folder, names)
        written = 0
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            for begin in range(0, count, _AT_ONCE):
                part = [seq for seq in numbers[begin : begin + _AT_ONCE] if seq >= ring.first]
                file.writelines(_written(desk, ring, names, part))
                written += len(part)
                await asyncio.sleep(0)
            lines_begun = desk.begun(asked)
            file.writelines(
                _line(one["at"], one["source"], one["level"], desk.whole(one["seq"])) for one in lines_begun
            )
            written += len(lines_begun)
    except OSError as error:
        if path:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108
        raise KeepError(f"cannot write to {folder}: {error.strerror}; nothing was kept") from error
    except BaseException:
        if path:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108
        raise
    return {"path": path, "lines": written}


def _written(desk: Desk, ring: Ring, names: Sequence[str], numbers: Sequence[int]) -> list[str]:
    texts = desk.shown.texts(numbers)
    lines = []
    for seq in numbers:
        segment, offset = ring.segment(seq // SEGMENT), seq % SEGMENT
        source, level = names[segment.sources[offset]], LEVEL_NAMES[segment.levels[offset]]
        lines.append(_line(segment.ats[offset], source, level, texts[seq]))
    return lines


def _line(at: float, source: str, level: str, text: str) -> str:
    written = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{written} {source} {level or '-'} {text}\n"


def _new_file(folder: str, names: Sequence[str]) -> tuple[int, str]:
    what = re.sub(r"[^A-Za-z0-9._-]+", "-", names[0].rpartition("/")[2])[:60].strip("-.") if len(names) == 1 else "logs"
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for number in range(_MOST_NAMES):
        path = f"{folder}/{what or 'logs'}-{stamp}{f'-{number}' if number else ''}.log"
        with suppress(FileExistsError):
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), path
    raise KeepError(f"{folder} is full of files of this second")
