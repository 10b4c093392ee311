"""The processes of this host: those that the plan names, and all there are.

A process has no shell of its own to open. Its container or unit has one, and that is offered there.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

from switchover.errors import RefusedError
from switchover.services.processes.process_actions import SIGNALS, Guard, send
from switchover.services.processes.process_finder import Finder
from switchover.services.processes.process_kind import ProcessKind
from switchover.services.processes.process_logs import find_log
from switchover.services.processes.process_observation import ProcessUsage, ended, observe_process
from switchover.services.processes.process_passes import ProcessPasses
from switchover.services.processes.process_ports import Listeners
from switchover.services.processes.process_table import TICKS_PER_SECOND, ProcessFactsCache, ProcessRow
from switchover.services.processes.process_watch import ProcessWatch
from switchover.services.provider_api import (
    Capability,
    Found,
    LogSource,
    LogSpan,
    Observation,
    ProcessState,
    ServiceEvent,
    ServiceTarget,
)
from switchover_checks.api import ProbeError, Status
from switchover_checks.runtime.threads import Threads

__all__ = ["ProcessProvider"]

_DEADLINE_S = 5.0
_SPARE = 100  # processes that may have gone and are not forgotten yet
_SLOW = "the process table does not answer"


class ProcessProvider:
    """Finds processes and reads their CPU, memory and start time; the kernel reports when one ends.

    `base_dir` is where relative pid files are. One younger than `settled_s` seconds that listens nowhere is not listed:
    a command that comes and goes is no service.
    """

    kind: ClassVar[str] = ProcessKind.kind
    probe_is_cheap: ClassVar[bool] = True
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        (Capability.LIST, Capability.INSPECT, Capability.WATCH, Capability.STATS, Capability.LOGS)
    ) | frozenset(SIGNALS)

    def __init__(self, base_dir: Path, monotonic: Callable[[], float], settled_s: float = 0.0) -> None:
        self._settled_ticks = settled_s * TICKS_PER_SECOND
        self._base_dir = base_dir
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._threads = Threads()
        self._book = ProcessFactsCache()
        self._usage = ProcessUsage()
        self._listeners = Listeners()
        self._planned: dict[str, tuple[int, int]] = {}
        self._listed: dict[int, tuple[int, int]] = {}
        self._watch = ProcessWatch(base_dir, self._probe_again)
        self._passes = ProcessPasses(self._watch.holds)
        self._found: dict[tuple[int, int], tuple[ProcessRow, tuple[str, ...], Found]] = {}
        self._off = ""
        self._kept = 0

    def off(self) -> str:
        """Say why processes cannot be read; empty while they can."""
        return self._off

    async def aclose(self) -> None:
        """Forget the processes."""
        self._planned.clear()
        self._listed.clear()

    # Looking

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        """Look at the processes behind `targets`."""
        try:
            async with asyncio.timeout(_DEADLINE_S), self._lock:
                seen = await self._threads.run(partial(self._inspect, tuple(targets)))
        except (TimeoutError, ProbeError):
            self._book.avoid()
            return {target.name: Observation(ProcessState.UNKNOWN, Status.UNKNOWN, _SLOW) for target in targets}
        for target in targets:
            if target.pid is None:
                await self._watch.plan(target, self._planned.get(target.name))
        return seen

    async def _probe_again(self, target: ServiceTarget) -> Observation:
        return (await self.inspect([target]))[target.name]

    def _inspect(self, targets: tuple[ServiceTarget, ...]) -> dict[str, Observation]:
        finder = Finder(self._base_dir, self._book, self._listeners, self._monotonic())
        guard = Guard()
        seen = {target.name: self._probe(target, finder, guard) for target in targets}
        if finder.table is not None or len(self._book) > 2 * self._kept + _SPARE:
            self._forget_gone(finder)
        return seen

    def _forget_gone(self, finder: Finder) -> None:
        """Forget the processes that have gone, also where nobody has them listed for weeks."""
        processes = {row.process for row in finder.rows()}
        for book in (self._book, self._usage):
            book.keep(processes)
        self._kept = len(self._book)

    def _probe(self, target: ServiceTarget, finder: Finder, guard: Guard) -> Observation:
        known = self._process_of(target)
        try:
            row = finder.find(target, known)
        except (ValueError, OSError, re.error) as error:
            self._planned.pop(target.name, None)
            return Observation(ProcessState.UNKNOWN, Status.UNKNOWN, str(error))
        if target.pid is not None and (row is None or (known is not None and row.process != known)):
            return ended(known or (target.pid, 0), "", planned=False)
        if row is None:
            self._planned.pop(target.name, None)
            return Observation(ProcessState.STOPPED, Status.CRIT, finder.why(target))
        self._passes.saw(row)
        if target.pid is None:
            self._planned[target.name] = row.process
        ports = self._listeners.ports_of().get(row.pid, ()) if target.listen is not None or target.pid else ()
        return self._see(row, guard, ports, planned=target.pid is None)

    def _see(self, row: ProcessRow, guard: Guard, ports: tuple[str, ...], *, planned: bool) -> Observation:
        facts = self._book.of(row)
        guarded = bool(guard.why(row.pid, facts.line))
        return observe_process(row, facts, self._usage, self._monotonic(), ports, planned=planned, guarded=guarded)

    def _process_of(self, target: ServiceTarget) -> tuple[int, int] | None:
        """Return the process that was last seen behind a target."""
        pid, _, ticks = target.identity.partition(":")
        if pid.isdigit() and ticks.isdigit():
            return int(pid), int(ticks)
        return self._planned.get(target.name) if target.pid is None else self._listed.get(target.pid)

    # Listing

    async def discover(self) -> Sequence[Found]:
        """Return every process but the kernel's threads, the busiest first, then the largest.

        Who listens where takes longest to find out. So the first list comes without, and requests another listing.
        """
        try:
            async with asyncio.timeout(_DEADLINE_S), self._lock:
                ports = bool(self._listed) or not self._watch.list_again()
                found = await self._threads.run(partial(self._discover, with_ports=ports))
        except (TimeoutError, ProbeError):
            self._book.avoid()
            self._off = _SLOW
            return ()
        self._off = ""
        await self._watch.follow(self._listed.values())
        return found

    def _discover(self, *, with_ports: bool) -> tuple[Found, ...]:
        finder = Finder(self._base_dir, self._book, self._listeners, self._monotonic())
        finder.table = self._passes.read(self._monotonic())
        rows, guard = finder.rows(), Guard()
        ports = finder.listeners().ports_of() if with_ports else {}
        processes = {row.process for row in rows}
        for book in (self._book, self._usage):
            book.keep(processes)
        self._found = {process: known for process, known in self._found.items() if process in processes}
        self._listed = {row.pid: row.process for row in rows}
        planned = set(self._planned.values())  # these are listed as what the plan calls them
        youngest = time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS_PER_SECOND - self._settled_ticks
        found = [
            self._find(row, guard, ports.get(row.pid, ()))
            for row in rows
            if row.process not in planned and (row.ticks <= youngest or row.pid in ports)
        ]
        found.sort(
            key=lambda one: (round(one.observation.cpu_percent or 0.0), one.observation.memory_bytes or 0), reverse=True
        )
        return tuple(found)

    def _find(self, row: ProcessRow, guard: Guard, ports: tuple[str, ...]) -> Found:
        before = self._found.get(row.process)
        if before is not None and before[0] is row and before[1] == ports and not before[2].observation.cpu_percent:
            return before[2]  # it rests
        target = ServiceTarget(f"process:{row.pid}", "process", ref=str(row.pid), pid=row.pid, identity=row.identity)
        seen = self._see(row, guard, ports, planned=False)
        facts = self._book.of(row)
        found = Found(target, seen, facts.title, facts.group)
        self._found[row.process] = row, ports, found
        return found

    # Being told

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Tell which processes end, within a millisecond, and which pid files change."""
        await self._watch.run(tell)

    # Acting

    async def act(self, target: ServiceTarget, action: Capability, argument: str = "") -> str:
        """Send a signal to the process that was last seen behind `target`; never to another that has its pid now."""
        if action not in SIGNALS:
            raise RefusedError(f"a process cannot be asked to {action}")
        process = self._process_of(target)
        if process is None:
            raise RefusedError(f"{target.name} does not run, or was not looked at yet")
        return await self._threads.run(partial(send, process, action))

    def command_line(self, target: ServiceTarget, action: Capability, argument: str = "") -> tuple[str, ...]:
        """Return `kill -SIGNAL PID`."""
        process = self._process_of(target)
        if action not in SIGNALS or process is None:
            return ()
        return "kill", f"-{SIGNALS[action].name.removeprefix('SIG')}", str(process[0])

    # Logs

    async def log_source(self, target: ServiceTarget, span: LogSpan) -> LogSource | str:
        """Return the plan's log file, else one that the process holds open."""
        for log in target.logs:
            if not log.startswith(("cloudwatch:", "gcp:")):
                return LogSource(target.name, "file", path=str(self._base_dir / log))
        process = self._process_of(target)
        if process is None:
            return f"{target.name} does not run; name its log under `logs:` in the plan"
        with suppress(TimeoutError, ProbeError):
            async with asyncio.timeout(_DEADLINE_S):
                return await self._threads.run(partial(find_log, target.name, process[0], span))
        return f"the open files of pid {process[0]} do not answer"
