"""Processes by pid file, by pattern over the command line, or by the port they listen on; psutil in a thread."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from switchover.services.api import Capability, RunState, Seen, Target
from switchover_checks.api import Status
from switchover_checks.threads import Threads

if TYPE_CHECKING:
    import psutil

__all__ = ["ProcessProvider"]


class ProcessProvider:
    """Finds processes and reads their CPU, memory and start time.

    A process once found is kept while it lives, so that a look costs a few reads of /proc and the CPU has a difference.
    """

    kind: ClassVar[str] = "process"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.INSPECT, Capability.STATS})

    def __init__(self, base_dir: Path, monotonic: Callable[[], float]) -> None:
        self._base_dir = base_dir
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._threads = Threads()
        self._known: dict[str, psutil.Process] = {}
        self._cpu: dict[str, tuple[str, float, float]] = {}

    def off(self) -> str:
        """Return nothing: processes can always be looked at."""
        return ""

    async def aclose(self) -> None:
        """Forget the processes."""
        self._known.clear()

    async def inspect(self, targets: Sequence[Target]) -> Mapping[str, Seen]:
        """Look at the processes behind `targets`."""
        async with self._lock:
            return await self._threads.run(partial(self._inspect, tuple(targets)))

    def _inspect(self, targets: tuple[Target, ...]) -> dict[str, Seen]:
        finder = _Finder(self._base_dir)
        return {target.name: self._look(target, finder) for target in targets}

    def _look(self, target: Target, finder: _Finder) -> Seen:
        import psutil

        try:
            process = self._find(target, finder)
        except (ValueError, OSError, re.error) as error:
            self._known.pop(target.name, None)
            return Seen(RunState.UNKNOWN, Status.UNKNOWN, str(error))
        if process is None:
            self._known.pop(target.name, None)
            self._cpu.pop(target.name, None)
            return Seen(RunState.STOPPED, Status.CRIT, finder.why(target))
        try:
            with process.oneshot():
                status = process.status()
                if status in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
                    return Seen(RunState.STOPPED, Status.CRIT, f"pid {process.pid} has ended and waits for its parent")
                times = process.cpu_times()
                memory = process.memory_info().rss
                started = process.create_time()
        except psutil.NoSuchProcess:
            self._known.pop(target.name, None)
            return Seen(RunState.STOPPED, Status.CRIT, f"pid {process.pid} ended")
        except psutil.AccessDenied:
            return Seen(RunState.RUNNING, Status.OK, "belongs to another user", pid=process.pid)
        stopped = status == psutil.STATUS_STOPPED
        identity = f"{process.pid}:{started}"
        return Seen(
            RunState.RUNNING,
            Status.CRIT if stopped else Status.OK,
            "stopped by a signal (SIGSTOP)" if stopped else "",
            pid=process.pid,
            started_at=started,
            cpu_percent=self._percent(target.name, identity, times.user + times.system),
            memory_bytes=memory,
            identity=identity,
        )

    def _percent(self, name: str, identity: str, used: float) -> float | None:
        """Return the CPU used since the last look, in percent of one core; None on the first look at a process."""
        now = self._monotonic()
        before = self._cpu.get(name)
        self._cpu[name] = (identity, now, used)
        if before is None or before[0] != identity or now <= before[1]:
            return None
        return max(0.0, 100 * (used - before[2]) / (now - before[1]))

    def _find(self, target: Target, finder: _Finder) -> psutil.Process | None:
        known = self._known.get(target.name)
        if known is not None and known.is_running() and (not target.pid_file or finder.read_pid(target) == known.pid):
            return known
        found = finder.find(target)
        if found is not None:
            self._known[target.name] = found
        return found


class _Finder:
    """One search: the process table and the listening ports are read at most once, and only when needed."""

    def __init__(self, base_dir: Path) -> None:
        self._base_dir = base_dir
        self._table: list[tuple[psutil.Process, str]] | None = None
        self._ports: dict[int, int | None] | None = None

    def read_pid(self, target: Target) -> int | None:
        """Return the pid in the target's pid file; None when the file is not there. Raise `ValueError` for nonsense."""
        try:
            text = (self._base_dir / target.pid_file).read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return None
        first = text.split()[0] if text.split() else ""
        if not first.isdigit():
            raise ValueError(f"{target.pid_file} holds no pid but {text[:40]!r}")
        return int(first)

    def find(self, target: Target) -> psutil.Process | None:
        """Return the process that `target` names, None when none runs."""
        import psutil

        if target.pid_file:
            pid = self.read_pid(target)
        elif target.listen is not None:
            if target.listen not in self.ports():
                return None
            pid = self.ports()[target.listen]
            if pid is None:
                raise ValueError(f"port {target.listen} is listened on by a process of another user")
        elif target.pattern:
            return self._by_pattern(target.pattern)
        else:
            raise ValueError("needs pid_file, pattern or listen")
        try:
            return psutil.Process(pid) if pid is not None else None
        except psutil.NoSuchProcess:
            return None

    def why(self, target: Target) -> str:
        """Say what was looked for and not found."""
        if target.pid_file:
            try:
                pid = self.read_pid(target)
            except (OSError, ValueError):
                pid = None
            return f"pid {pid} of {target.pid_file} is gone" if pid is not None else f"no pid file {target.pid_file}"
        if target.listen is not None:
            return f"nothing listens on port {target.listen}"
        return f"no process matches {target.pattern}"

    def _by_pattern(self, pattern: str) -> psutil.Process | None:
        wanted = re.compile(pattern)
        matching = [process for process, line in self.table() if wanted.search(line)]
        return min(matching, key=_age, default=None)

    def table(self) -> list[tuple[psutil.Process, str]]:
        """Return every process but this one, with its command line."""
        import psutil

        if self._table is None:
            self._table = []
            for process in psutil.process_iter():
                if process.pid == os.getpid():
                    continue
                try:
                    self._table.append((process, " ".join(process.cmdline())))
                except psutil.Error:
                    continue
        return self._table

    def ports(self) -> dict[int, int | None]:
        """Return the listening TCP ports with the pid behind each, None where it may not be seen."""
        import psutil

        if self._ports is None:
            self._ports = {}
            for connection in psutil.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr:
                    port = connection.laddr.port
                    self._ports[port] = connection.pid or self._ports.get(port)
        return self._ports


def _age(process: psutil.Process) -> float:
    import psutil

    try:
        return process.create_time()
    except psutil.Error:
        return float("inf")
