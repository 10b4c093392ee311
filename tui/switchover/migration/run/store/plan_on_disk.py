"""The plan's file as it is now, which may differ from the plan that a run follows."""

from __future__ import annotations

import hashlib
from pathlib import Path

from switchover.errors import PlanError
from switchover.plan.loader.load import LoadedPlan, load_plan_text
from switchover.plan.loader.whole_text import read_whole
from switchover.plan.plan_bytes import decode_plan, read_plan

__all__ = ["PlanFile"]

_Mark = tuple[int, int, int, int]


class PlanFile:
    """Reads the file only when it has changed; asking costs a `stat` for each file of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark: tuple[_Mark | None, ...] | None = None
        self._parts: tuple[Path, ...] = ()
        self._digest = ""

    def digest(self) -> str:
        """Return the SHA-256 of what the file holds now; empty where it cannot be read."""
        mark = self._look()
        if mark is None:
            self._mark, self._digest = None, ""
        elif mark != self._mark:
            try:
                whole, self._parts = read_whole(self.path)
                self._digest = hashlib.sha256(whole.encode()).hexdigest()
            except PlanError:
                self._digest = ""
            self._mark = self._look()
        return self._digest

    def read(self, known: LoadedPlan) -> LoadedPlan:
        """Return the plan that the file holds now, `known` where it is the same. Raise `PlanError`."""
        if hashlib.sha256(read_whole(self.path)[0].encode()).hexdigest() == known.digest:
            return known
        return load_plan_text(decode_plan(read_plan(self.path), self.path), known.path)

    def _look(self) -> tuple[_Mark | None, ...] | None:
        own = _mark_of(self.path)
        return None if own is None else (own, *map(_mark_of, self._parts))


def _mark_of(path: Path) -> _Mark | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
