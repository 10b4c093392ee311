"""What became of a log that was rotated: the files beside it that hold what was written to it before.

A rotated file is known by its name (the log's own, then numbers or a date) and by not having been there before.
Compressed ones are left alone: what they hold was read while they were the log.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import NamedTuple

__all__ = ["Rotated", "Siblings", "matches_before"]

_SUFFIX = re.compile(r"[.\-_][\d.\-_TZ:]+")


class Rotated(NamedTuple):
    """A file beside the log."""

    path: str
    key: tuple[int, int]
    size: int
    modified: int


class Siblings:
    """Remembers which rotated files there were, and tells which came since."""

    def __init__(self, path: str) -> None:
        self._folder, self._name = os.path.split(path)
        self._known: dict[tuple[int, int], tuple[int, int]] = {}

    def remember(self) -> None:
        """Take what is there now as known: it was read, or is older than what is read."""
        self._known = {one.key: (one.size, one.modified) for one in self.now()}

    def now(self) -> list[Rotated]:
        """Return the rotated files, the one that was written to last at the end."""
        found = []
        with suppress(OSError), os.scandir(self._folder or "/") as entries:
            for entry in entries:
                rest = entry.name[len(self._name) :]
                if not entry.name.startswith(self._name) or _SUFFIX.fullmatch(rest) is None:
                    continue
                with suppress(OSError):
                    if entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        key = (status.st_dev, status.st_ino)
                        found.append(Rotated(entry.path, key, status.st_size, status.st_mtime_ns))
        return sorted(found, key=lambda one: one.modified)

    def new(self, *but: tuple[int, int]) -> list[Rotated]:
        """Return those that were not there before, in the order in which they were written; without some."""
        return [
            one
            for one in self.now()
            if one.key not in but and self._known.get(one.key, (-1, -1)) != (one.size, one.modified)
        ]


def matches_before(descriptor: int, position: int, written: bytes) -> bool:
    """Tell whether a file holds `written` right before `position`: then it is a copy of what was read up to there."""
    return os.pread(descriptor, len(written), position - len(written)) == written
