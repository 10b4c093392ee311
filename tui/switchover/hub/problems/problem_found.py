"""Which problems of unplanned services are worth showing. Pure, and cheap where nothing changed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from switchover.snapshot import ServiceRow

__all__ = ["BAD", "UnplannedProblems", "worth_telling"]

BAD = frozenset({"crit", "warn", "unknown"})
_ENDED = re.compile(r"\bexit(?:ed)?(?: code)?[ =:(]*(?:0|130|143)\b")  # by itself, or as somebody asked it to
_HISTORY_S = 24 * 3600.0


def worth_telling(row: ServiceRow, now: float) -> bool:
    """Say whether a row that no plan names is something wrong now.

    A program that ended as it should, or was told to, is no problem. Nor is a container that ended a day ago.
    """
    if row.health not in BAD:
        return False
    if row.kind == "process":
        return row.state == "running"
    if row.state == "stopped" and row.kind in {"docker", "compose"}:
        if _ENDED.search(row.detail) or row.detail.startswith("created"):
            return False
        return row.changed_at is None or now - row.changed_at <= _HISTORY_S
    return True


class UnplannedProblems:
    """Keeps what is wrong among many rows. It is computed again only when the rows change."""

    def __init__(self) -> None:
        self._rows: tuple[ServiceRow, ...] | None = None
        self._hour = -1
        self._bad: tuple[ServiceRow, ...] = ()

    def of(self, rows: tuple[ServiceRow, ...], now: float) -> tuple[ServiceRow, ...]:
        """Return the rows that are worth telling."""
        hour = int(now // 3600)
        if rows is not self._rows or hour != self._hour:
            self._rows, self._hour, self._bad = rows, hour, tuple(_bad(rows, now))
        return self._bad


def _bad(rows: Iterable[ServiceRow], now: float) -> Iterable[ServiceRow]:
    return (row for row in rows if row.health in BAD and worth_telling(row, now))
