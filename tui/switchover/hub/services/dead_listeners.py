"""Where something listened and nothing does any more: kept until a person has seen it, or something listens again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from switchover.snapshot import ServiceRow

__all__ = ["LISTENER", "DeadListener", "DeadListeners", "Listener"]

LISTENER = "listener:"  # how the id of a row begins that is here because nothing listens any more
_SETTLED_S = 60.0  # what listened for less than that was no service
_MOST = 50
_MOST_LIVE = 500
_SHOWN = 3  # ports that a name tells
_EPHEMERAL = range(32768, 61000)  # as Linux has it unless it is told otherwise
_FOR_EVER_S = 1e9  # what is over does not get too old to be true


@dataclass(frozen=True, slots=True)
class Listener:
    """A port on which something was seen to listen. `row` is as it was seen last, `since` when it was seen first."""

    row: ServiceRow
    since: float


@dataclass(frozen=True, slots=True)
class DeadListener:
    """A process that listened and has ended. `ports` are those where nothing listens now."""

    row: ServiceRow
    ports: tuple[str, ...]
    how: str


@dataclass(slots=True)
class DeadListeners:
    """Compares what listens now with what listened before. For a host that no plan describes."""

    live: dict[str, Listener] = field(default_factory=dict)
    dead: dict[str, DeadListener] = field(default_factory=dict)
    _rows: tuple[ServiceRow, ...] = ()

    def follow(self, rows: tuple[ServiceRow, ...], now: float) -> tuple[ServiceRow, ...]:
        """Return a row for each process that listened where nothing does now; `rows` are those of what was found."""
        if rows is not self._rows and any(row.kind == "process" for row in rows):  # else they were not listed yet
            self._rows = rows
            self._compare(rows, now)
        return tuple(map(_shown, self.dead.values()))

    def seen(self, name: str) -> None:
        """Forget one that a person has seen."""
        self.dead.pop(name, None)

    def settled(self, now: float) -> Iterator[tuple[str, Listener]]:
        """Return what has listened for long enough to be a service, each with its port."""
        return ((port, one) for port, one in self.live.items() if now - one.since >= _SETTLED_S)

    def _compare(self, rows: Iterable[ServiceRow], now: float) -> None:
        by_id = {row.id: row for row in rows if row.kind == "process"}
        for row in by_id.values():
            for port in row.ports if row.state == "running" else ():
                self._answered(port)
                known = self.live.get(port)
                if known is not None or len(self.live) < _MOST_LIVE:
                    self.live[port] = Listener(row, known.since if known is not None else now)
        ended: dict[str, list[str]] = {}
        for port, listener in list(self.live.items()):
            there = by_id.get(listener.row.id)
            if there is not None and there.state != "stopped" and there.identity == listener.row.identity:
                continue  # it lives; a list that came without its ports says nothing about them
            del self.live[port]
            if now - listener.since >= _SETTLED_S and (_was_killed(there) or not _is_ephemeral(port)):
                ended.setdefault(listener.row.id, []).append(port)
                self._note(listener.row, there, ended[listener.row.id], now)

    def _note(self, was: ServiceRow, there: ServiceRow | None, ports: list[str], now: float) -> None:
        name = LISTENER + (was.identity or was.id)
        if name in self.dead or len(self.dead) < _MOST:
            self.dead[name] = _dead(name, was, there, tuple(sorted(ports, key=_number)), now)

    def _answered(self, port: str) -> None:
        """Let go of a port on which something listens again."""
        for name, one in list(self.dead.items()):
            if port in one.ports:
                left = tuple(other for other in one.ports if other != port)
                if left:
                    self.dead[name] = replace(one, ports=left)
                else:
                    del self.dead[name]


def _number(port: str) -> tuple[int, str]:
    number = port.rpartition(":")[2]
    return (int(number) if number.isdecimal() else 0, port)


def _is_ephemeral(port: str) -> bool:
    """Say whether the kernel gave this port to who asked for any: nobody can count on it."""
    return _number(port)[0] in _EPHEMERAL


def _was_killed(there: ServiceRow | None) -> bool:
    return there is not None and there.health == "warn"  # else it may have been asked to end


def _dead(name: str, was: ServiceRow, there: ServiceRow | None, ports: tuple[str, ...], now: float) -> DeadListener:
    how = there.detail if there is not None and there.state == "stopped" else f"pid {was.pid} has gone"
    row = replace(
        was,
        id=name,
        state="stopped",
        health="crit" if _was_killed(there) else "warn",
        cpu_percent=None,
        cpu_history=(),
        memory_bytes=None,
        started_at=None,
        pid=None,
        ports=(),
        parent=None,
        actions=("logs", "inspect"),
        observed_at=now,
        stale_after_s=_FOR_EVER_S,
        changed_at=now,
        wrong_since=now,
        or_before=False,
    )
    return DeadListener(row, ports, how)


def _shown(dead: DeadListener) -> ServiceRow:
    more = len(dead.ports) - _SHOWN
    ports = ", ".join(dead.ports[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    detail = f"nothing listens on {ports} any more: {dead.how}"
    return replace(dead.row, name=f"{dead.row.name} on {ports}", detail=detail)
