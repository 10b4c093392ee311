"""Where something listened and nothing does any more: kept until a person has seen it, or something listens again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from switchover.snapshot import ServiceRow

__all__ = ["DeadListeners"]

_SETTLED_S = 60.0  # what listened for less than that was no service
_MOST = 50
_EPHEMERAL = range(32768, 61000)  # as Linux has it unless it is told otherwise
_FOR_EVER_S = 1e9  # what is over does not get too old to be true


@dataclass(slots=True)
class _Listener:
    """A port on which something was seen to listen. `row` is as it was seen last, `since` when it was seen first."""

    row: ServiceRow
    since: float


class DeadListeners:
    """Compares what listens now with what listened before. For a host that no plan describes."""

    def __init__(self) -> None:
        self._rows: tuple[ServiceRow, ...] = ()
        self._known: dict[str, _Listener] = {}
        self._dead: dict[str, ServiceRow] = {}

    def follow(self, rows: tuple[ServiceRow, ...], now: float) -> tuple[ServiceRow, ...]:
        """Return a row for each port where nothing listens any more; `rows` are those of what was found."""
        if rows and rows is not self._rows:
            self._rows = rows
            self._compare(rows, now)
        return tuple(self._dead.values())

    def seen(self, name: str) -> None:
        """Forget one that a person has looked at."""
        self._dead = {port: row for port, row in self._dead.items() if row.id != name}

    def _compare(self, rows: Iterable[ServiceRow], now: float) -> None:
        by_id = {row.id: row for row in rows if row.kind == "process"}
        for row in by_id.values():
            for port in row.ports if row.state == "running" else ():
                self._dead.pop(port, None)
                known = self._known.get(port)
                self._known[port] = _Listener(row, known.since if known is not None else now)
        for port, listener in list(self._known.items()):
            there = by_id.get(listener.row.id)
            if there is not None and there.state != "stopped" and there.identity == listener.row.identity:
                continue  # it lives; a list that came without its ports says nothing about them
            del self._known[port]
            dead = _row(port, listener.row, there, now)
            told = dead.health == "crit" or not _is_ephemeral(port)
            if told and now - listener.since >= _SETTLED_S and len(self._dead) < _MOST:
                self._dead[port] = dead


def _is_ephemeral(port: str) -> bool:
    """Say whether the kernel gave this port to who asked for any: nobody can count on it."""
    number = port.rpartition(":")[2]
    return number.isdigit() and int(number) in _EPHEMERAL


def _row(port: str, was: ServiceRow, there: ServiceRow | None, now: float) -> ServiceRow:
    killed = there is not None and there.health == "warn"
    how = there.detail if there is not None and there.state == "stopped" else f"pid {was.pid} has gone"
    return replace(
        was,
        name=f"{was.name} on {port}",
        id=f"listener:{port}",
        state="stopped",
        health="crit" if killed else "warn",  # else it may have been asked to end
        detail=f"nothing listens on {port} any more: {how}",
        cpu_percent=None,
        cpu_history=(),
        memory_bytes=None,
        started_at=None,
        pid=None,
        ports=(),
        parent=None,
        actions=(),
        observed_at=now,
        stale_after_s=_FOR_EVER_S,
        changed_at=now,
        wrong_since=now,
        or_before=False,
    )
