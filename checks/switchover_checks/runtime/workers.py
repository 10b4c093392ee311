"""The child processes that probe: started, kept for the next probe, and ended."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from switchover_checks.runtime.commands import Child
from switchover_checks.runtime.process_tree import Sweeper

__all__ = ["MOST_LINE", "Worker", "Workers"]

MOST_LINE = 4 << 20
_MOST_IDLE = 2
_IDLE_S = 60.0


class Workers:
    """Child processes that probe. Those of built-in kinds wait a while for the next one: to start costs 250 ms."""

    def __init__(self) -> None:
        self._idle: list[Worker] = []
        self._leaving: set[asyncio.Task[None]] = set()

    async def take(self, base_dir: Path, sweeper: Sweeper | None, *, again: bool) -> Worker:
        """Return a process that nobody uses; with `again` one that has worked before, where there is one."""
        while again and self._idle:
            worker = self._idle.pop()
            worker.keep()
            if worker.usable and worker.base_dir == base_dir:
                return worker
            await worker.close()
        return await Worker.start(base_dir, sweeper)

    async def give_back(self, worker: Worker) -> None:
        """Keep a process that has answered; close it when nobody wants it for a while."""
        if not worker.usable or len(self._idle) >= _MOST_IDLE:
            await worker.close()
            return
        worker.used = True
        self._idle.append(worker)
        worker.let_go(_IDLE_S, lambda: self._retire(worker))

    def _retire(self, worker: Worker) -> None:
        if worker in self._idle:
            self._idle.remove(worker)
            task = asyncio.ensure_future(worker.close())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def aclose(self) -> None:
        """End all that wait."""
        idle, self._idle = self._idle, []
        for worker in idle:
            worker.keep()
            await worker.close()
        await asyncio.gather(*self._leaving)


class Worker:
    """A child process and the line to it."""

    def __init__(
        self, child: Child, reader: asyncio.StreamReader, transport: asyncio.ReadTransport, base_dir: Path
    ) -> None:
        self.child, self.reader, self.base_dir = child, reader, base_dir
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None
        self.used = False
        """Whether it has answered before."""

    @classmethod
    async def start(cls, base_dir: Path, sweeper: Sweeper | None) -> Worker:
        """Start a process that waits for a request."""
        read_end, write_end = os.pipe()
        try:
            argv = [sys.executable, "-P", "-m", "switchover_checks.runtime.worker", str(write_end)]
            child = Child(argv, cwd=base_dir, stdin=True, pass_fds=[write_end], sweeper=sweeper)
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=MOST_LINE)
        pipe = os.fdopen(read_end, "rb", 0)
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        return cls(child, reader, transport, base_dir)

    @property
    def usable(self) -> bool:
        """Whether it still runs."""
        return not self.reader.at_eof() and not self.child.has_ended

    def let_go(self, seconds: float, then: Callable[[], None]) -> None:
        """Call `then` unless it is kept before."""
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def keep(self) -> None:
        """Do not let it go after all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def close(self) -> None:
        """End it with all that it started."""
        self._transport.close()
        await self.child.close()
