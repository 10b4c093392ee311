"""What runs on this host, with no plan at all: the processes that use most CPU and memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from switchover.services.api import Seen
from switchover.services.processes import ProcessProvider

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
        self._most = most
        self._processes = ProcessProvider(Path(), monotonic)

    async def top(self) -> tuple[ProcessSeen, ...]:
        """Return the busiest processes now."""
        found = await self._processes.discover()
        return tuple(ProcessSeen(one.title, one.seen.user, one.seen) for one in found[: self._most])
