"""Blocking work in threads of its own: one that hangs (a dead NFS mount) costs a thread, never another check."""

from __future__ import annotations

import _thread
import asyncio
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from switchover_checks.api import ProbeError, Status

__all__ = ["ThreadEach", "Threads", "never_queue"]

T = TypeVar("T")

_MOST = 1000
_MOST_LEFT = 2  # of one owner: the thread of a look that was cut off may need a moment to notice


class Threads:
    """Starts a daemon thread for each piece of work, so none waits behind one that hangs. At most `most` at once."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._running = 0
        self._left: Counter[str] = Counter()  # by owner: threads for which nobody waits any more
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], T], owner: str = "") -> T:
        """Run `work` and return what it returns. When the caller is cancelled the thread runs on to its own end.

        Raise `ProbeError` where earlier work hangs: of this owner, or as much as there may be.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        thread = _Work(owner)

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
            self._end(thread)
            try:
                loop.call_soon_threadsafe(deliver, value, problem)
            except RuntimeError:
                return  # the loop has ended; nobody waits any more

        self._begin(thread)
        try:
            _thread.start_new_thread(body, ())  # which does not wait until it runs, as `Thread.start` would
        except RuntimeError:
            self._end(thread)
            raise ProbeError("no further thread can be started", status=Status.UNKNOWN) from None
        try:
            return await done
        except asyncio.CancelledError:
            self._leave(thread)
            raise

    def _begin(self, thread: _Work) -> None:
        with self._lock:
            if self._left[thread.owner] >= _MOST_LEFT and thread.owner:
                raise ProbeError("its earlier looks still hang in the kernel", status=Status.UNKNOWN)
            if self._running >= self._most:
                raise ProbeError(f"{self._running} earlier probes still hang in the kernel", status=Status.UNKNOWN)
            self._running += 1

    def _leave(self, thread: _Work) -> None:
        with self._lock:
            if not thread.ended:
                thread.left = True
                self._left[thread.owner] += 1

    def _end(self, thread: _Work) -> None:
        with self._lock:
            self._running -= 1
            thread.ended = True
            if thread.left:
                self._left[thread.owner] -= 1
                if not self._left[thread.owner]:
                    del self._left[thread.owner]


@dataclass(eq=False, slots=True)
class _Work:
    """What one thread does, for whom, and whether anybody still waits for it."""

    owner: str
    left: bool = False
    ended: bool = False


class ThreadEach(ThreadPoolExecutor):
    """An executor that starts a thread for each piece of work. A name that does not resolve delays no other.

    Who asks for a name that is being looked up shares the answer. Threads are not waited for at the end. Above `most`
    the work waits, as in any pool.
    """

    def __init__(self, most: int = _MOST) -> None:
        super().__init__(1)
        self._most = most
        self._guard = threading.Lock()
        self._queue: deque[Callable[[], None]] = deque()
        self._running = 0
        self._lookups: dict[tuple[Any, ...], list[Future[Any]]] = {}

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Begin `fn` in a thread of its own."""
        future: Future[T] = Future()
        work = partial(_settle, [future], partial(fn, *args, **kwargs))
        with self._guard:
            if fn is socket.getaddrinfo and not kwargs:
                if (asking := self._lookups.get(args)) is not None:
                    asking.append(future)
                    return future
                self._lookups[args] = [future]
                work = partial(self._look_up, args)
            if self._running >= self._most:
                self._queue.append(work)
                return future
            self._running += 1
        try:
            _thread.start_new_thread(self._serve, (work,))
        except RuntimeError:
            with self._guard:
                self._running -= 1
                self._lookups.pop(args, None)
            raise
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Wait for nobody."""
        super().shutdown(wait=False)

    def _serve(self, work: Callable[[], None] | None) -> None:
        while work is not None:
            work()
            with self._guard:
                work = self._queue.popleft() if self._queue else None
                self._running -= work is None

    def _look_up(self, name: tuple[Any, ...]) -> None:
        try:
            found: Any = socket.getaddrinfo(*name)
            error: BaseException | None = None
        except BaseException as failed:
            found, error = None, failed
        with self._guard:
            asking = self._lookups.pop(name, [])
        _settle(asking, lambda: _given(found, error))


def _given(value: T, error: BaseException | None) -> T:
    if error is not None:
        raise error
    return value


def _settle(futures: Sequence[Future[T]], work: Callable[[], T]) -> None:
    """Do the work and notify those who still wait for it."""
    waiting = [future for future in futures if future.set_running_or_notify_cancel()]
    if not waiting:
        return
    try:
        value = work()
    except BaseException as error:
        for future in waiting:
            future.set_exception(error)
    else:
        for future in waiting:
            future.set_result(value)


def never_queue(loop: asyncio.AbstractEventLoop) -> None:
    """Have the loop's blocking work, names to resolve above all, wait behind no other."""
    loop.set_default_executor(ThreadEach())
