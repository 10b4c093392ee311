"""The hub of the plan in force. When another plan comes into force, another hub takes its place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from switchover.hub.core.hub import Hub
from switchover.snapshot import Holder, Snapshot

__all__ = ["FollowingHub"]


async def _nothing() -> None:
    """Do nothing."""


class FollowingHub:
    """Stands for the hub that `make` builds, and builds a new one on `replace`. Its Snapshots are numbered on.

    `let_go` is called once nothing uses what the hub before was built on.
    """

    def __init__(self, make: Callable[[], Hub], let_go: Callable[[], Awaitable[None]] = _nothing) -> None:
        self._make = make
        self._let_go = let_go
        self._hub = make()
        self._numbered_from = 0
        self._lease: tuple[Holder | None, Holder | None, float | None] | None = None
        self._viewers: dict[object, bool] = {}
        self._replaced = asyncio.Event()

    @property
    def current(self) -> Hub:
        """The hub of the plan in force."""
        return self._hub

    @property
    def snapshot(self) -> Snapshot:
        """The newest Snapshot."""
        return self._numbered(self._hub.snapshot)

    @property
    def snapshot_age_s(self) -> float:
        """How many seconds ago a Snapshot was published."""
        return self._hub.snapshot_age_s

    def replace(self) -> None:
        """Build another hub; must be called in the loop's own thread."""
        last = self.snapshot.seq
        before, self._hub = self._hub, self._make()
        self._hub.take_over(before)
        if self._lease is not None:
            self._hub.drives(*self._lease)
        for who, found in self._viewers.items():
            self._hub.note_viewer(who, found=found)
        self._numbered_from = last
        told, self._replaced = self._replaced, asyncio.Event()
        told.set()

    async def run(self) -> None:
        """Watch and publish until cancelled, through whichever hub it is."""
        while True:
            await self._let_go()
            hub = asyncio.ensure_future(self._hub.run())
            replaced = asyncio.ensure_future(self._replaced.wait())
            try:
                await asyncio.wait({hub, replaced}, return_when=asyncio.FIRST_COMPLETED)
                if hub.done():
                    return hub.result()
            finally:
                for task in (hub, replaced):
                    task.cancel()
                await asyncio.gather(hub, replaced, return_exceptions=True)

    async def next_snapshot(self, after_seq: int) -> Snapshot:
        """Return the newest Snapshot once its number is above `after_seq`."""
        while True:
            if self.snapshot.seq > after_seq:
                return self.snapshot
            newer = asyncio.ensure_future(self._hub.next_snapshot(after_seq - self._numbered_from))
            replaced = asyncio.ensure_future(self._replaced.wait())
            try:
                await asyncio.wait({newer, replaced}, return_when=asyncio.FIRST_COMPLETED)
                if newer.done():
                    newer.result()
            finally:
                for task in (newer, replaced):
                    task.cancel()
                await asyncio.gather(newer, replaced, return_exceptions=True)

    def engine_changed(self) -> None:
        """Take notice that the run moved."""
        self._hub.engine_changed()

    def drives(self, driver: Holder | None, asking: Holder | None, until: float | None) -> None:
        """Say on every screen who drives, who asks to take over, and until when that may be answered."""
        self._lease = (driver, asking, until)
        self._hub.drives(driver, asking, until)

    def note_viewer(self, who: object, *, found: bool = False, gone: bool = False) -> None:
        """Take notice that a client looks, whether it wants what is in no plan, or that it has gone."""
        self._viewers.pop(who, None)
        if not gone:
            self._viewers[who] = found
        self._hub.note_viewer(who, found=found, gone=gone)

    def _numbered(self, snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, seq=self._numbered_from + snapshot.seq)
