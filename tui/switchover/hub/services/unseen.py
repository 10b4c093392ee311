"""What is over and nobody has seen yet, on a host that no plan describes. It outlives the agent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from switchover.clock import Clock
from switchover.hub.services.dead_listeners import LISTENER, DeadListeners, Listener
from switchover.hub.services.kept_failures import FAILED, KeptFailures
from switchover.hub.services.unseen_file import KeptLog, UnseenFile, UnseenState
from switchover.services.journalctl import journal_command
from switchover.services.provider_api import LogSource, LogSpan, ServiceEvent
from switchover.snapshot import ServiceRow

__all__ = ["Unseen"]

_AT_ONCE = 20  # processes whose log is looked for in one go
_MOST_LOGS = 500
_MOST_LINES, _MOST_LINE = 20, 500  # of each log
_GONE = "its log went with it"

FindLogs = Callable[[Sequence[str], LogSpan], Awaitable[list[LogSource | tuple[str, str]]]]


class Unseen:
    """Keeps failures and dead listeners, with their last lines. What only watches writes nothing: `writes` is False.

    `find` returns where the logs of rows are read.
    """

    def __init__(self, path: Path, boot: str, *, writes: bool = True) -> None:
        self._file = UnseenFile(path)
        self._boot = boot
        self._writes = writes
        state = self._file.read()
        self._failures = KeptFailures(dict(state.failed), dict(state.seen), state.kept)
        self._listeners = DeadListeners(dict(state.live) if state.boot == boot else {}, dict(state.dead))
        self._logs: dict[str, KeptLog] = dict(state.logs)
        self._now = 0.0
        self.find: FindLogs | None = None
        self.rows: tuple[ServiceRow, ...] = ()

    @classmethod
    def of(cls, path: Path, clock: Clock, find: FindLogs, read_only: bool) -> Unseen:
        """Return what is kept on this host. What is read-only writes nothing."""
        made = cls(path, clock.boot_id(), writes=not read_only)
        made.find = find
        return made

    @property
    def trouble(self) -> str:
        """Why an agent that starts anew would not know of it; empty while it would."""
        return self._file.trouble

    def hear(self, told: ServiceEvent, detail: str, now: float) -> None:
        """Take what a source reported."""
        self._failures.hear(told, detail, now)

    def follow(self, found: tuple[ServiceRow, ...], lines: Mapping[str, tuple[str, ...]], now: float) -> None:
        """Compare with what was found; `rows` are what is kept now. `lines` are the last of logs, by id of a row."""
        self._now = now
        self.rows = (*self._failures.follow(found), *self._listeners.follow(found, now))
        for name in (*(FAILED + name for name in self._failures.failed), *self._listeners.dead):
            if said := lines.get(name) or lines.get(name.removeprefix(FAILED)):
                self._keep(name, _with_lines(self._logs.get(name, KeptLog()), said))

    def row(self, name: str) -> ServiceRow | None:
        """Return what is kept under an id."""
        return next((row for row in self.rows if row.id == name), None)

    def seen(self, name: str) -> None:
        """Forget what a person has seen; all of it where there is no name."""
        for one in [name] if name else [row.id for row in self.rows]:
            self._failures.seen(one)
            self._listeners.seen(one)
            if one.startswith((FAILED, LISTENER)):
                self._logs.pop(one, None)
        self.rows = tuple(row for row in self.rows if name and row.id != name)

    def lines(self, name: str) -> tuple[str, ...]:
        """Return the last lines of its log that were read."""
        return self._logs.get(name, KeptLog()).lines

    def log_source(self, row: ServiceRow, span: LogSpan) -> LogSource | str:
        """Return where a process that is gone wrote its log, or in words why nobody knows."""
        log = self._logs.get(row.id, KeptLog())
        if log.path:
            return LogSource(row.name, "file", path=log.path)
        if log.match:
            return LogSource(row.name, "command", argv=journal_command(log.match, span), parse="journal-json")
        return f"{_GONE}; {len(log.lines)} lines of it are kept, under I" if log.lines else _GONE

    async def keep(self) -> None:
        """Note where what listens writes its log, and write down what the next agent has to know."""
        if self.find is not None:
            await self._find_logs(self.find)
        await asyncio.to_thread(self.save())

    async def _find_logs(self, find: FindLogs) -> None:
        settled = {LISTENER + (one.row.identity or one.row.id): one.row for _, one in self._settled()}
        for name, row in [(n, r) for n, r in settled.items() if n not in self._logs][:_AT_ONCE]:
            log = KeptLog()
            for source in await find([row.id], LogSpan(follow=False)):
                if isinstance(source, LogSource):
                    log = KeptLog(source.path, source.argv[-1] if source.parse == "journal-json" else "")
                    break
            self._keep(name, log)
        wanted = {*settled, *self._listeners.dead, *(FAILED + name for name in self._failures.failed)}
        self._logs = {name: log for name, log in self._logs.items() if name in wanted}

    def save(self) -> Callable[[], None]:
        """Return what writes down all that is kept now, where it is another than before. That one blocks."""
        failures, listeners = self._failures, self._listeners
        state = UnseenState(
            failed={name: _plain(row) for name, row in failures.failed.items()},
            kept=failures.kept,
            seen=dict(failures.seen_by),
            dead=dict(listeners.dead),
            live={port: Listener(_plain(one.row), one.since) for port, one in self._settled()},
            boot=self._boot,
            logs={name: log for name, log in self._logs.items() if log != KeptLog()},
        )
        return partial(self._file.write, state) if self._writes else _write_nothing

    def _settled(self) -> list[tuple[str, Listener]]:
        return list(self._listeners.settled(self._now))

    def _keep(self, name: str, log: KeptLog) -> None:
        if name in self._logs or len(self._logs) < _MOST_LOGS:
            self._logs[name] = log


def _write_nothing() -> None:
    """Only watch."""


def _with_lines(log: KeptLog, lines: Sequence[str]) -> KeptLog:
    return KeptLog(log.path, log.match, tuple(line[:_MOST_LINE] for line in lines[-_MOST_LINES:]))


def _plain(row: ServiceRow) -> ServiceRow:
    """Leave out what changes from look to look: it would be written again and again."""
    return replace(
        row,
        cpu_percent=None,
        cpu_history=(),
        memory_bytes=None,
        observed_at=None,
        latency_ms=None,
        actions=(),
        needs=(),
    )
