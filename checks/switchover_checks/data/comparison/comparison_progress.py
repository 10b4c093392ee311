"""How far a comparison is, how fast it may go, and until when."""

from __future__ import annotations

import time
from typing import Protocol

from switchover_checks.api import ProbeError, Status

__all__ = ["ComparisonProgress", "ProgressPort", "in_time"]

_NOTED_EVERY_S = 0.5
_LONGEST_REST_S = 1.0


class ProgressPort(Protocol):
    """Where progress is told; a `Context` is one."""

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Say how far it is."""


def in_time(deadline: float) -> None:
    """Raise `ProbeError` once the deadline is over."""
    if time.monotonic() > deadline:
        raise ProbeError("not all rows could be compared before the deadline", status=Status.UNKNOWN)


class ComparisonProgress:
    """Tells the progress of all tables together, and rests so that `share` of the time is spent working."""

    def __init__(self, port: ProgressPort, deadline: float, total: int, share: float = 1.0) -> None:
        self._port, self._deadline, self._total, self._share = port, deadline, total, share
        self._before = 0
        self._table = ""
        self._noted = self._worked_since = time.monotonic()

    def begin(self, table: str) -> None:
        """Take up a table."""
        self._table = table

    def end(self, rows: int) -> None:
        """Leave a table behind."""
        self._before += rows

    def rows(self, done: int) -> None:
        """Note how many rows of the table are done, rest, and raise `ProbeError` after the deadline."""
        in_time(self._deadline)
        now = time.monotonic()
        if self._share < 1:
            rest = (now - self._worked_since) * (1 - self._share) / self._share
            time.sleep(min(rest, _LONGEST_REST_S))
            self._worked_since = time.monotonic()
        if now - self._noted >= _NOTED_EVERY_S:
            self._noted = now
            whole = self._before + done
            self._port.progress(whole, max(self._total, whole), f"table {self._table}, {done} rows")
