"""What the kernel reports about processes: those that end, and pid files that come to name another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from switchover.services.file_watch import FileEvent, FileWatch
from switchover.services.processes.pidfd import PidWatch
from switchover.services.processes.process_observation import ended
from switchover.services.provider_api import Observation, ProcessState, ServiceEvent, ServiceTarget
from switchover_checks.api import Status

__all__ = ["ProcessWatch"]

_AGAIN_S = (0.05, 0.1, 0.2, 0.4, 0.8)  # after a process has ended: something that watches over it may start it anew
_FORGET_S = 60.0
_HELD_AT_ONCE = 50


class ProcessWatch:
    """Holds processes by a pidfd each, while somebody wants their events. `observe_gate` reads a target of the plan."""

    def __init__(self, base_dir: Path, probe: Callable[[ServiceTarget], Awaitable[Observation]]) -> None:
        self._base_dir = base_dir
        self._probe = probe
        self._tell: Callable[[ServiceEvent], None] | None = None
        self._pids = PidWatch()
        self._files: FileWatch | None = None
        self._planned: dict[str, tuple[ServiceTarget, tuple[int, int] | None]] = {}
        self._listed: frozenset[tuple[int, int]] = frozenset()
        self._listed_at = 0.0
        self._watched: dict[str, tuple[str, Callable[[], None]]] = {}
        self._searches: dict[str, asyncio.Task[None]] = {}

    async def run(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Tell until cancelled."""
        self._tell, self._files = tell, FileWatch()
        tell(ServiceEvent("process", "", listing=True))
        try:
            for target, process in list(self._planned.values()):
                await self.plan(target, process)
            while True:
                await asyncio.sleep(_FORGET_S)
                if time.monotonic() - self._listed_at > _FORGET_S:  # nobody looks at the list any more
                    self._listed = frozenset()
                    self._keep()
        finally:
            self._tell = None
            self._pids.keep(set())
            for search in self._searches.values():
                search.cancel()
            self._watched.clear()
            files, self._files = self._files, None
            await files.aclose()

    async def plan(self, target: ServiceTarget, process: tuple[int, int] | None) -> None:
        """Hold the process that was found behind a target of the plan, and watch its pid file."""
        other = self._planned.get(target.name, (target, process))[1] != process
        self._planned[target.name] = target, process
        if self._tell is None:
            return
        if other:
            self._keep()
        if process is not None:
            self._hold(process)
        before = self._watched.get(target.name, ("", None))[0]
        if self._files is not None and target.pid_file and target.pid_file != before:
            tell = self._tell

            def changed(_: FileEvent) -> None:
                tell(ServiceEvent("process", target.ref or target.name))

            self._watched[target.name] = target.pid_file, lambda: None
            end = await self._files.add(self._base_dir / target.pid_file, changed)
            self._watched[target.name] = target.pid_file, end

    async def follow(self, processes: Iterable[tuple[int, int]]) -> None:
        """Hold these, which were listed, and let go of those that are not any more."""
        self._listed, self._listed_at = frozenset(processes), time.monotonic()
        if self._tell is None:
            return
        self._keep()
        for number, process in enumerate(self._listed):
            self._hold(process)
            if number % _HELD_AT_ONCE == 0:
                await asyncio.sleep(0)  # the loop has other work to do
            if self._tell is None:
                return

    def list_again(self) -> bool:
        """Tell that there is more to list. False where nobody wants them."""
        if self._tell is not None:
            self._tell(ServiceEvent("process", "", listing=True))
        return self._tell is not None

    def holds(self, process: tuple[int, int]) -> bool:
        """Say whether the end of a process (pid, start in ticks) will be reported."""
        return process in self._pids

    def _keep(self) -> None:
        self._pids.keep(self._listed | {process for _, process in self._planned.values() if process is not None})

    def _hold(self, process: tuple[int, int]) -> None:
        if not self._pids.watch(process, self._ended):
            self._ended(process, "")

    def _ended(self, process: tuple[int, int], how: str) -> None:
        if self._tell is None:
            return
        now = time.time()
        for name, (target, held) in list(self._planned.items()):
            if held == process:
                self._planned[name] = target, None
                seen = ended(process, how, planned=True)
                self._tell(
                    ServiceEvent("process", target.ref or name, "died", status=Status.CRIT, at=now, observation=seen)
                )
                self._search(target)
        if process in self._listed:
            self._listed -= {process}
            self._tell(
                ServiceEvent("process", str(process[0]), "gone", at=now, observation=ended(process, how, planned=False))
            )

    def _search(self, target: ServiceTarget) -> None:
        if target.name not in self._searches:
            task = asyncio.create_task(self._until_found(target), name=f"search {target.name}")
            self._searches[target.name] = task
            task.add_done_callback(lambda _: self._searches.pop(target.name, None))

    async def _until_found(self, target: ServiceTarget) -> None:
        for pause in _AGAIN_S:
            await asyncio.sleep(pause)
            seen = await self._probe(target)
            if seen.state is ProcessState.RUNNING:
                if self._tell is not None:
                    ref = target.ref or target.name
                    self._tell(
                        ServiceEvent("process", ref, "started", status=seen.health, at=time.time(), observation=seen)
                    )
                return
