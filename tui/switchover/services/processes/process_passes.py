"""Passes over all processes, in which those that do nothing are read only now and then.

Most processes of a host sleep. Yet the kernel takes longer to write their lines than the rest of a listing takes. Only
such rest whose end the kernel reports, so that none is taken to be there that has gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from switchover.services.processes.process_table import ProcessRow, read_row

__all__ = ["ProcessPasses"]

_CALM_S = 12.0  # a process that did nothing for this long rests
_REST_S = 10.0  # for so long, and for up to _SPREAD_S more, so that they are not all due at once
_SPREAD_S = 10.0
_ASLEEP = frozenset("SI")


@dataclass(slots=True)
class _Known:
    row: ProcessRow
    since: float
    due: float


class ProcessPasses:
    """Remembers the rows of the last pass. `is_told` says whether the end of a process (pid, start) is reported."""

    def __init__(self, is_told: Callable[[tuple[int, int]], bool]) -> None:
        self._is_told = is_told
        self._known: dict[str, _Known] = {}

    def read(self, mono: float) -> list[ProcessRow]:
        """Return every process but the kernel's own threads; one that rests as the same object as before."""
        before, now = self._known, {}
        rows = []
        for name in os.listdir("/proc"):  # noqa: PTH208 - the pass must be lean
            if not name.isdigit():
                continue
            known = before.get(name)
            if known is None or mono >= known.due or not (known.row.kernel or self._is_told(known.row.process)):
                row = read_row(int(name))
                if row is None:
                    continue
                known = _follow(known, row, mono)
            now[name] = known
            if not known.row.kernel:
                rows.append(known.row)
        self._known = now
        return rows

    def saw(self, row: ProcessRow) -> None:
        """Take notice of what was read by itself: it is read in the next pass too."""
        self._known.pop(str(row.pid), None)


def _follow(known: _Known | None, row: ProcessRow, mono: float) -> _Known:
    if known is None or known.row != row:
        return _Known(row, mono, mono)
    rests = row.state in _ASLEEP and mono - known.since >= _CALM_S
    known.row = row
    known.due = mono + _REST_S + row.pid % _SPREAD_S if rests else mono
    return known
