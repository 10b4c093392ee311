"""Blocking work in threads of its own: one that hangs (a dead NFS mount) costs a thread, never another check."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from switchover_checks.api import ProbeError, Status

__all__ = ["Threads"]

T = TypeVar("T")


class Threads:
    """Starts a daemon thread for each piece of work, so none waits behind one that hangs. At most `most` at once."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._running = 0
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` and return what it returns. When the caller is cancelled the thread runs on to its own end."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def deliver(value: T | None, error: BaseException | None) -> None:
            if done.done():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(value)  # type: ignore[arg-type]

        def body() -> None:
            value: T | None = None
            problem: BaseException | None = None
            try:
                value = work()
            except StopIteration as error:
                problem = RuntimeError(f"StopIteration: {error}")
            except BaseException as error:
                problem = error
            with self._lock:
                self._running -= 1
            try:
                loop.call_soon_threadsafe(deliver, value, problem)
            except RuntimeError:
                return  # the loop has ended; nobody waits any more

        with self._lock:
            if self._running >= self._most:
                raise ProbeError(f"{self._running} earlier probes still hang in the kernel", status=Status.UNKNOWN)
            self._running += 1
        threading.Thread(target=body, name="probe", daemon=True).start()
        return await done
