"""Reads a log from where the last look ended: over rotations and truncations, a bounded piece at a time."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["FIRST_BYTES", "NewLines", "line_at", "read_new"]

FIRST_BYTES = 1 << 20
"""So much of its end the first look reads. Where its lines say that this is too little, it reads more."""
_MOST_BYTES = 16 << 20
_PIECE = 1 << 18
_LONGEST = 64 << 10
_MARK = 64


@dataclass
class NewLines:
    """What came since the last look. `behind` are bytes that are still to be read; `lost` says what never will be."""

    lines: list[tuple[int, str]] = field(default_factory=list)
    """Each with the place in its file where it begins."""
    behind: int = 0
    lost: str = ""
    first: bool = False
    whole: bool = False
    """Of a first look: whether all that the log holds was read."""
    bytes: int = 0
    """Of a first look: how much of its end was read."""


def read_new(
    path: Path, known: dict[str, Any], deadline: float, too_late: Callable[[str], bool] = lambda _line: False
) -> NewLines:
    """Read on, and note in `known` how far. Raise `OSError`.

    A first look goes back until a line is not too late to be the first.
    """
    found = NewLines()
    with path.open("rb") as file:
        info = os.fstat(file.fileno())
        start = _start(path, info, file, known, found, deadline, too_late)
        end = _take(file, start, info.st_size, found, deadline, places=True)
        found.behind += max(0, info.st_size - end - _LONGEST) if end < info.st_size else 0
        known.update(inode=info.st_ino, device=info.st_dev, offset=end, mark=_mark(file, end))
    return found


def _first_start(file: Any, size: int, found: NewLines, too_late: Callable[[str], bool]) -> int:
    """Return where a first look begins."""
    found.first, back = True, FIRST_BYTES
    while True:
        start = max(0, size - back)
        found.whole, found.bytes = not start, size - start
        if not start:
            return 0
        file.seek(start)
        start += len(file.readline(_LONGEST))
        if back >= _MOST_BYTES or not too_late(_text(file.readline(_LONGEST).rstrip(b"\n"))):
            return start
        back *= 4


def _start(
    path: Path,
    info: os.stat_result,
    file: Any,
    known: dict[str, Any],
    found: NewLines,
    deadline: float,
    too_late: Callable[[str], bool],
) -> int:
    """Return where to read on; of a log that was rotated, first read the rest of the one before."""
    if "inode" not in known:
        return _first_start(file, info.st_size, found, too_late)
    offset = int(known["offset"])
    if (info.st_ino, info.st_dev) == (known["inode"], known["device"]):
        same = offset <= info.st_size and _mark(file, offset) == known["mark"]
        return offset if same else 0  # it was emptied, and written anew
    before = _rotated(path, known)
    if before is None:
        found.lost = "the log before it is gone; its last lines may not have been read"
        return 0
    with before.open("rb") as old:
        size = os.fstat(old.fileno()).st_size
        end = _take(old, min(offset, size), size, found, deadline, places=False)
        _take_rest(old, end, found)
    return 0


def _rotated(path: Path, known: dict[str, Any]) -> Path | None:
    """Find the file that was the log at the last look, beside it."""
    try:
        with os.scandir(path.parent) as entries:
            for entry in entries:
                if entry.inode() == known["inode"] and entry.is_file() and not entry.name.endswith((".gz", ".xz")):
                    return path.parent / entry.name
    except OSError:
        return None
    return None


def _take(file: Any, start: int, size: int, found: NewLines, deadline: float, *, places: bool) -> int:
    """Read whole lines from `start`; return where the first that is not whole begins."""
    file.seek(start)
    position, rest, budget = start, b"", _MOST_BYTES
    while budget > 0 and time.monotonic() < deadline and position + len(rest) < size:
        piece = file.read(min(_PIECE, size - position - len(rest)))
        if not piece:
            break
        budget -= len(piece)
        rest += piece
        *whole, rest = rest.split(b"\n")
        for line in whole:
            found.lines.append((position if places else -1, _text(line)))
            position += len(line) + 1
        if len(rest) > _LONGEST:  # a line without an end is taken in pieces
            found.lines.append((position if places else -1, _text(rest)))
            position, rest = position + len(rest), b""
    return position


def _take_rest(file: Any, position: int, found: NewLines) -> None:
    """Take the last line of a log that nobody goes on writing."""
    file.seek(position)
    if rest := file.read(_LONGEST):
        found.lines += [(-1, _text(line)) for line in rest.split(b"\n") if line]


def _mark(file: Any, offset: int) -> str:
    """Return a digest of the bytes before a place: that they are others tells a log that was written anew."""
    begin = max(0, offset - _MARK)
    file.seek(begin)
    return hashlib.sha256(file.read(offset - begin)).hexdigest()[:16]


def line_at(path: Path, inode: int, offset: int) -> str:
    """Read one line again; empty where the file is another one by now."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_ino != inode or offset < 0:
                return ""
            file.seek(offset)
            return _text(file.readline(_LONGEST).rstrip(b"\n"))
    except OSError:
        return ""


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", "replace")
