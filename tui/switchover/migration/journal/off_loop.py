"""Calls that wait for a server run on threads of their own. The loop goes on, and none is waited for without end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

__all__ = ["Overdue", "call_in_thread", "wait_for_call"]

T = TypeVar("T")


class Overdue(Exception):  # noqa: N818 - it says when, not that anything is wrong
    """The call has not come back in time. It goes on by itself; `then` receives what becomes of it."""

    def __init__(self, call: _Call[Any]) -> None:
        super().__init__()
        self._call = call

    def then(self, late: Callable[[Any], None]) -> None:
        """Hand a result that comes after all to `late`, in the thread of the call."""
        self._call.hand_over(late)


class _Call(Generic[T]):
    """One call on one thread. The thread keeps no process from ending."""

    def __init__(self, work: Callable[[], T], told: Callable[[], None]) -> None:
        self._work = work
        self._told = told
        self._lock = threading.Lock()
        self._late: Callable[[T], None] | None = None
        self.over = False
        self.result: T | None = None
        self.error: BaseException | None = None
        threading.Thread(target=self._run, name="journal", daemon=True).start()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error
        with self._lock:
            self.over = True
            late = self._late
        if late is not None and self.error is None:
            late(self.outcome())
        self._told()

    def hand_over(self, late: Callable[[T], None]) -> None:
        with self._lock:
            if not self.over:
                self._late = late
                return
        if self.error is None:
            late(self.outcome())

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # T may be None itself


async def call_in_thread(work: Callable[[], T], within_s: float, slow_s: float, slow: Callable[[], None]) -> T:
    """Return what `work` returns. Call `slow` once it takes longer than `slow_s`; raise `Overdue` after `within_s`."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(over.set)

    call = _Call(work, tell)
    for left, late in ((slow_s, slow), (within_s - slow_s, None)):
        with suppress(TimeoutError):
            async with asyncio.timeout(left):  # `wait_for` may lose a cancellation that comes with the end
                await over.wait()
        if call.over:
            return call.outcome()
        if late is not None:
            late()
    raise Overdue(call)


def wait_for_call(work: Callable[[], T], within_s: float) -> T:
    """Return what `work` returns, where no loop runs yet. Raise `Overdue` after `within_s`."""
    over = threading.Event()
    call = _Call(work, over.set)
    if not over.wait(within_s) and not call.over:
        raise Overdue(call)
    return call.outcome()
