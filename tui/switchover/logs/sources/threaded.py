"""From a thread that blocks to the loop. Lines go over in batches, and the thread waits where there are too many."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from switchover.logs.sources.source_api import Feed, RawLine

__all__ = ["Bridge"]

_MOST_HELD = 5000


class Bridge:
    """One thread puts lines, one task takes them. `tell` is for what the thread has to say of its source."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._loop = asyncio.get_running_loop()
        self._fresh = asyncio.Event()
        self._room = threading.Event()
        self._room.set()
        self._held: list[RawLine] = []
        self._is_told = False
        self.closed = False

    def put(self, lines: list[RawLine]) -> None:
        """Hand over lines, in the thread. Waits for room."""
        self._held += lines  # one thread adds, one takes the whole list: both keep the order
        if not self._is_told:
            self._is_told = True
            self._loop.call_soon_threadsafe(self._fresh.set)
        if len(self._held) > _MOST_HELD:
            self._room.clear()
            self._room.wait()

    def tell(self, what: Callable[[str], None], why: str = "") -> None:
        """Call one of the feed's methods in the loop."""
        self._loop.call_soon_threadsafe(what, why)

    async def carry(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread, and push what it puts until it ends."""
        done = self._loop.create_future()
        thread = threading.Thread(target=self._run, args=(work, done), name="log source", daemon=True)
        thread.start()
        try:
            while not done.done():
                await self._fresh.wait()
                await self._push()
            await self._push()
            await done
        finally:
            self.closed = True
            self._room.set()

    def _run(self, work: Callable[[], None], done: asyncio.Future[None]) -> None:
        problem: Exception | None = None
        try:
            work()
        except Exception as error:  # carried over to the task
            problem = error
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._finish, done, problem)

    def _finish(self, done: asyncio.Future[None], problem: Exception | None) -> None:
        if not done.done():
            if problem is not None:
                done.set_exception(problem)
            else:
                done.set_result(None)
        self._fresh.set()

    async def _push(self) -> None:
        self._fresh.clear()
        self._is_told = False
        lines, self._held = self._held, []
        self._room.set()
        if lines:
            await self._feed.push(lines)
