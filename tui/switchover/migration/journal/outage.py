"""An outage of a shared journal: since when, why, and the wait until it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from switchover.errors import JournalAwayError, LockedError, SwitchoverError
from switchover.migration.engine_ports import Wait

__all__ = ["Outage"]

_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 5.0

T = TypeVar("T")


class Outage:
    """What is known of a journal that does not answer. `since` is None while it does."""

    def __init__(self, now: Callable[[], float], wait: Wait, on_change: Callable[[], None]) -> None:
        self.since: float | None = None
        self.error: SwitchoverError | None = None
        self.waiting = False
        self._now = now
        self._wait = wait
        self._on_change = on_change
        self._given_up = asyncio.Event()
        self._next_wait_s = _FIRST_WAIT_S

    @property
    def reason(self) -> str:
        """Why it is away; empty while it is there."""
        return self.error.title if self.error is not None else ""

    @property
    def well_again(self) -> bool:
        """Whether it can be well again without anybody mending it, so that it is waited for."""
        return self.error is None or isinstance(self.error, JournalAwayError | LockedError)

    def begins(self, error: SwitchoverError, since: float | None = None) -> None:
        """Take notice that it is away, or that it is there and cannot be used."""
        known = (self.since is not None, self.reason)
        self.since = (since or self._now()) if self.since is None else self.since
        self.error = error
        if known != (True, self.reason):
            self._on_change()

    def ends(self) -> None:
        """Take notice that it answers again."""
        if self.since is not None:
            self.since, self.error = None, None
            self._on_change()

    def proves_well(self) -> None:
        """Take notice that a record went in: the next wait begins short again."""
        self._next_wait_s = _FIRST_WAIT_S

    def give_up(self) -> None:
        """End a wait that goes on."""
        self._given_up.set()

    async def until_back(self, come_back: Callable[[], Awaitable[T]]) -> T:
        """Try `come_back` until it succeeds, less and less often. Raise what it last raised once it is given up."""
        self._given_up.clear()
        self.waiting = True
        try:
            while True:
                try:
                    found = await self._unless_given_up(come_back)
                except (JournalAwayError, LockedError) as error:
                    self.begins(error)
                    if not await self._pause():
                        raise
                else:
                    self.ends()
                    return found
        finally:
            self.waiting = False

    async def _unless_given_up(self, come_back: Callable[[], Awaitable[T]]) -> T:
        """Return what `come_back` returns. A server that does not answer keeps nobody from giving up."""
        coming = asyncio.ensure_future(come_back())
        given_up = asyncio.ensure_future(self._given_up.wait())
        try:
            await asyncio.wait({coming, given_up}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                raise self.error or JournalAwayError("the journal is away")
            return coming.result()
        finally:
            for task in (coming, given_up):
                task.cancel()
                with suppress(asyncio.CancelledError, SwitchoverError):
                    await task

    async def _pause(self) -> bool:
        """Wait; return False where the wait was given up."""
        pause = asyncio.ensure_future(self._wait(self._next_wait_s))
        given_up = asyncio.ensure_future(self._given_up.wait())
        self._next_wait_s = min(2 * self._next_wait_s, _LONGEST_WAIT_S)
        try:
            await asyncio.wait({pause, given_up}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pause, given_up):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        return not self._given_up.is_set()
