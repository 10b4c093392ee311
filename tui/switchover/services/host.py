"""What runs on this host, with no plan at all: the processes that use most CPU and memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from switchover.services.api import RunState, Seen
from switchover_checks.api import Status
from switchover_checks.threads import Threads

__all__ = ["HostProcesses", "ProcessSeen"]


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """A process of the host by its short name and pid."""

    name: str
    user: str
    seen: Seen


class HostProcesses:
    """Lists the busiest processes: most CPU since the last look first, then most memory."""

    def __init__(self, monotonic: Callable[[], float], most: int = 15) -> None:
        self._monotonic = monotonic
        self._most = most
        self._threads = Threads()
        self._cpu: dict[tuple[int, float], tuple[float, float]] = {}

    async def top(self) -> tuple[ProcessSeen, ...]:
        """Return the busiest processes now."""
        return await self._threads.run(self._top)

    def _top(self) -> tuple[ProcessSeen, ...]:
        import psutil

        before, self._cpu = self._cpu, {}
        now = self._monotonic()
        found: list[tuple[float, int, ProcessSeen]] = []
        for process in psutil.process_iter():
            try:
                with process.oneshot():
                    started = process.create_time()
                    times = process.cpu_times()
                    memory = process.memory_info().rss
                    name = process.name()
                    user = process.username()
            except psutil.Error:
                continue
            if not memory:  # kernel threads
                continue
            used = times.user + times.system
            key = (process.pid, started)
            self._cpu[key] = (now, used)
            last = before.get(key)
            percent = 100 * (used - last[1]) / (now - last[0]) if last and now > last[0] else None
            seen = Seen(
                RunState.RUNNING,
                Status.OK,
                pid=process.pid,
                started_at=started,
                cpu_percent=percent,
                memory_bytes=memory,
                identity=f"{process.pid}:{started}",
            )
            found.append((percent or 0.0, memory, ProcessSeen(name, user, seen)))
        found.sort(key=lambda entry: (round(entry[0]), entry[1]), reverse=True)
        return tuple(entry[2] for entry in found[: self._most])
