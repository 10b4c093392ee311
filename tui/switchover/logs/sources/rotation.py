"""What became of a log that was rotated: the files beside it that hold what was written to it before.

A rotated file has the log's own name, then numbers or a date. It was not there before. Compressed ones are left alone:
what they hold was read while they were the log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple

__all__ = ["Key", "Rotated", "Siblings"]

Key = tuple[int, int]  # device, inode

_SUFFIX = re.compile(r"[.\-_][\d.\-_TZ:]+")
_PACKINGS = frozenset({"gz", "xz", "bz2", "zst", "lz4"})
_COUNT = re.compile(r"[.\-_](\d{1,4})")


class Rotated(NamedTuple):
    """A file beside the log."""

    path: str
    key: Key
    size: int
    modified: int


class Siblings:
    """Remembers which rotated files are known, and returns those that are not."""

    def __init__(self, path: str) -> None:
        self._folder, self._name = os.path.split(path)
        self._known: dict[Key, tuple[int, int]] = {}

    def remember_all(self) -> None:
        """Take what is there now as known: it is older than what is read."""
        self._known = {one.key: (one.size, one.modified) for one in self._now()}

    def remember(self, one: Rotated) -> None:
        """Take a file as known, in this state."""
        self._known[one.key] = (one.size, one.modified)

    def new(self, without: Collection[Key] = ()) -> list[Rotated]:
        """Return those that are not known, or were written to since; the one that was the log first comes first."""
        now = self._now()
        there = {one.key for one in now}
        self._known = {key: state for key, state in self._known.items() if key in there}
        return [
            one
            for one in now
            if one.key not in without and self._known.get(one.key, (-1, -1)) != (one.size, one.modified)
        ]

    def written_since(self, at: float) -> list[Rotated]:
        """Return those that were written to at that time (epoch seconds) or later, the oldest first."""
        return [one for one in self._now() if one.modified / 1e9 >= at]

    def packed_since(self, at: float) -> list[str]:
        """Return the names of compressed ones that were written to at that time or later."""
        found = []
        with suppress(OSError), os.scandir(self._folder or "/") as entries:
            for entry in entries:
                rest, _, packing = entry.name[len(self._name) :].rpartition(".")
                if entry.name.startswith(self._name) and packing in _PACKINGS and _SUFFIX.fullmatch(rest):
                    with suppress(OSError):
                        if entry.stat(follow_symlinks=False).st_mtime >= at:
                            found.append(entry.name)
        return sorted(found)

    def _now(self) -> list[Rotated]:
        found: dict[Key, tuple[int, int, str, Rotated]] = {}
        with suppress(OSError), os.scandir(self._folder or "/") as entries:
            for entry in entries:
                rest = entry.name[len(self._name) :]
                if not entry.name.startswith(self._name) or _SUFFIX.fullmatch(rest) is None:
                    continue
                with suppress(OSError):
                    if entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        key = (status.st_dev, status.st_ino)
                        one = Rotated(entry.path, key, status.st_size, status.st_mtime_ns)
                        # The clock of a file system is coarse: `.2` is older than `.1` of the same moment.
                        count = _COUNT.fullmatch(rest)
                        found[key] = (one.modified, -int(count[1]) if count else 0, rest, one)
        return [one for *_, one in sorted(found.values())]
