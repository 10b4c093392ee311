"""What the API reads from, and where it puts what applications tell."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from switchover.agent.own_health import OwnHealth
from switchover.applications.app_events import AppEvent, EventError, read_events
from switchover.applications.applications import Applications, Taken
from switchover.applications.event_file import EventFile
from switchover.clock import Clock

if TYPE_CHECKING:
    from switchover.hub import FollowingHub

__all__ = ["ApiSources"]

log = logging.getLogger("switchover.agent")

_SLICE_S = 0.02


@dataclass(slots=True)
class ApiSources:
    """The live state, and the applications' figures. `news` is set when an application told something."""

    hub: FollowingHub
    clock: Clock
    file: EventFile
    redact: Callable[[str], str]
    applications: Applications
    version: str = ""
    health: OwnHealth = field(default_factory=OwnHealth)
    trouble: str = ""
    _unsaved: list[AppEvent] = field(default_factory=list)
    _restored: bool = False
    _restoring: asyncio.Lock = field(default_factory=asyncio.Lock)
    _taking: asyncio.Lock = field(default_factory=asyncio.Lock)  # one batch after another, in order

    async def restore(self) -> None:
        """Take in what was kept by an agent before this one, once."""
        async with self._restoring:
            if not self._restored:
                try:
                    events = await asyncio.to_thread(self.file.read, self.clock.now())
                except OSError as error:
                    self.trouble = f"what applications told before cannot be read: {error}"
                    log.warning("%s", self.trouble)
                else:
                    await self._take(events)
                    self.applications.lost = 0
                self._restored = True

    async def accept(self, body: bytes) -> Taken:
        """Take in a batch of lines. What is new is on disk when this returns, or `trouble` says why it is not."""
        await self.restore()
        async with self._taking:
            taken = await self._take(read_events(body, self.redact))
        if taken.taken:
            await self._keep(taken.taken)
        return taken

    async def _take(self, events: Iterable[AppEvent | EventError]) -> Taken:
        """Take them in, and let others have their turn meanwhile: a batch may be large."""
        taken, began = Taken(), time.monotonic()
        for event in events:
            self.applications.take((event,), taken)
            if time.monotonic() - began > _SLICE_S:
                await asyncio.sleep(0)
                began = time.monotonic()
        return taken

    async def _keep(self, events: list[AppEvent]) -> None:
        self._unsaved += events
        async with self._restoring:  # one writer at a time; whoever waits finds its events kept
            batch, self._unsaved = self._unsaved, []
            if not batch:
                return
            try:
                await asyncio.to_thread(self.file.add, batch, self.clock.now())
                self.trouble = ""
            except OSError as error:
                self._unsaved = (batch + self._unsaved)[-10_000:]
                if not self.trouble:
                    log.warning("what applications tell is not kept: %s", error)
                self.trouble = f"what applications tell is not kept: {error}"
