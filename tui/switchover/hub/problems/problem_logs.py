"""The last log lines of services that are not fine, read once for each time that something becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from switchover.clock import Clock
from switchover.hub.hub_ports import Publishing
from switchover.hub.problems.bundler import LogSources
from switchover.hub.services.log_tail import read_tail
from switchover.services.provider_api import LogSource, LogSpan
from switchover.services.service_kind import service_kind
from switchover.snapshot import ServiceRow, Snapshot

__all__ = ["ProblemLogs"]

_LINES = 40
_MOST_SERVICES = 20
_AT_ONCE = 2
_AGAIN_AFTER_S = 15.0  # a service in a crash loop is another one every second

_State = tuple[str, str, int | None, str]


class ProblemLogs:
    """Reads in the background. `lines` are by the id of the service's row."""

    def __init__(self, log_sources: LogSources, clock: Clock, hub: Publishing) -> None:
        self._log_sources = log_sources
        self._clock = clock
        self._hub = hub
        self._states: dict[str, tuple[_State, float]] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self.lines: Mapping[str, tuple[str, ...]] = {}

    def follow(self, snapshot: Snapshot) -> None:
        """Read what is not known yet of what is wrong now; forget what is fine again."""
        wanted = dict.fromkeys(problem.service for problem in snapshot.problems if problem.service)
        if not wanted and not self._states:
            return
        names = list(wanted)[:_MOST_SERVICES]
        rows = {row.id or row.name: row for row in snapshot.services if (row.id or row.name) in wanted}
        if len(rows) < len(wanted):
            rows.update((row.id, row) for row in snapshot.found if row.id in wanted)
        for gone in [name for name in self._states if name not in wanted]:
            del self._states[gone]
            if gone in self.lines:
                self.lines = {name: lines for name, lines in self.lines.items() if name != gone}
        for name in names:
            if (row := rows.get(name)) is not None:
                self._consider(name, row)

    async def aclose(self) -> None:
        """Stop reading."""
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _consider(self, name: str, row: ServiceRow) -> None:
        if row.health not in {"crit", "warn"} or not service_kind(row.kind).logs_unasked:
            return
        if name in self._reading or len(self._reading) >= _AT_ONCE:
            return
        state, now = (row.state, row.health, row.restarts, row.identity), self._clock.monotonic()
        before = self._states.get(name)
        if before is not None and (before[0] == state or now - before[1] < _AGAIN_AFTER_S):
            return
        self._states[name] = (state, now)
        task = asyncio.ensure_future(self._read(name))
        self._reading[name] = task
        task.add_done_callback(lambda _: self._over(name))

    def _over(self, name: str) -> None:
        self._reading.pop(name, None)

    async def _read(self, name: str) -> None:
        try:
            sources = await self._log_sources([name], LogSpan(_LINES, follow=False))
        except Exception:  # a log that cannot be found is only one sign less
            return
        lines: list[str] = []
        for source in sources[:3]:
            if isinstance(source, LogSource) and source.kind not in {"cloudwatch", "gcp"}:
                lines += (await read_tail(source, _LINES, self._hub.redact))[0]
        if name in self._states and self.lines.get(name, ()) != tuple(lines):
            self.lines = {**self.lines, name: tuple(lines)}
            self._hub.publish_now()
