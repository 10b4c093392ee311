"""Runs one watch task per event source; each event triggers an immediate re-inspection.

Each source has tasks of its own, so that one that hangs holds up none. Events for an object
under inspection are coalesced into one further inspection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from switchover.clock import Clock
from switchover.services.discovery import Discovery, DiscoveryChange
from switchover.services.inventory import Inventory, ServiceState
from switchover.services.provider_api import Provider, ServiceEvent, Watches
from switchover.services.service_kind import service_kind

__all__ = ["SAFETY_S", "SourceConnection", "WatchSupervisor"]

_log = logging.getLogger("switchover.hub")

SAFETY_S = 30.0  # what tells by itself is looked at so often all the same
_TOLD_LATE_S = 15.0  # more than SAFETY_S, after which also what tells by itself counts as not seen
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_AGAIN_S = 0.1  # between two looks at one thing that is told without end
_LIST_AGAIN_S = 0.5
_GRACE_S = 5.0


@dataclass(slots=True)
class SourceConnection:
    """The line to an event source. `lost_mono` is when it was lost last (monotonic seconds)."""

    connected: bool = False
    lost_mono: float = 0.0
    trouble: str = ""


@dataclass(slots=True)
class _Kind:
    """What is to be done for one kind. `pending` are refs to be inspected, `in_flight` those under inspection."""

    provider: Provider
    line: SourceConnection = field(default_factory=SourceConnection)
    pending: set[str] = field(default_factory=set)
    in_flight: set[str] = field(default_factory=set)
    list_now: asyncio.Event = field(default_factory=asyncio.Event)
    listed_mono: float | None = None
    listing: bool = False


class SourceListener(Protocol):
    """Takes what the sources say."""

    def heard(self, told: ServiceEvent, names: tuple[str, ...]) -> None:
        """Take an event, with the services that it is about."""

    def probed(self, name: str, before: ServiceState) -> None:
        """Take notice that a service of the plan was probed because of it; `before` is its state until then."""

    def found(self, changes: list[DiscoveryChange]) -> None:
        """Take what changed among the discovered."""

    def publish_now(self) -> None:
        """Have all that seen at once."""


class WatchSupervisor:
    """Watches and lists for an inventory and a discovery.

    With `host_mode` there is no plan: all that runs here is of interest while any client looks.
    """

    def __init__(
        self,
        inventory: Inventory,
        discovery: Discovery,
        clock: Clock,
        *,
        listener: SourceListener,
        host_mode: bool = False,
    ) -> None:
        self.inventory = inventory
        self.discovery = discovery
        self._clock = clock
        self._listener = listener
        self._host_mode = host_mode
        self._planned = {service.kind for service in inventory.services.values()}
        self._kinds = {kind: _Kind(provider) for kind, provider in inventory.providers.items()}
        self._lines = {kind: known.line for kind, known in self._kinds.items() if isinstance(known.provider, Watches)}
        self._viewers: dict[object, bool] = {}
        self._wanted = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = False

    # Who looks

    def note_viewer(self, who: object, *, found: bool, gone: bool) -> None:
        """Take notice that a client looks, and whether it wants what is in no plan."""
        before = self.wanted
        self._viewers.pop(who, None)
        if not gone:
            self._viewers[who] = found
        if self.wanted and not before:
            for known in self._kinds.values():
                known.list_now.set()
            self._wanted.set()
        elif before and not self.wanted:
            self._wanted.clear()

    @property
    def wanted(self) -> bool:
        """Whether what is found by itself is wanted now."""
        return any(self._host_mode or found for found in self._viewers.values())

    def is_planned(self, kind: str) -> bool:
        """Say whether the plan has services of a kind."""
        return kind in self._planned

    # How fresh

    def emits(self, kind: str) -> bool:
        """Say whether a kind has an event source that is connected now."""
        known = self._kinds.get(kind)
        return known is not None and known.line.connected and not known.provider.off()

    def is_cheap(self, kind: str) -> bool:
        """Say whether an event source is polled as often as the plan says, for its CPU and memory."""
        known = self._kinds.get(kind)
        return known is not None and getattr(known.provider, "look_is_cheap", False)

    def asked_every(self, kind: str, every_s: float) -> float:
        """Return the longest time in seconds between two probes of a service. Event sources are asked too."""
        return min(every_s, SAFETY_S) if kind in self._lines else every_s

    def late_after(self, kind: str, every_s: float) -> float:
        """Return after how many seconds without an answer a service of a kind counts as not seen."""
        asked, told = 3 * every_s + _GRACE_S, SAFETY_S + _TOLD_LATE_S
        if not self.emits(kind):
            return asked
        return min(asked, told) if self.is_cheap(kind) else told

    def is_late(self, kind: str, state: ServiceState, every_s: float) -> bool:
        """Say whether what was seen is too old to be true. Once a line is lost, that counts from its loss."""
        if state.observed_mono is None:
            return False
        since = state.observed_mono
        known = self._kinds.get(kind)
        if known is not None and not self.emits(kind):
            since = max(since, known.line.lost_mono)
        return self._clock.monotonic() - since > self.late_after(kind, every_s)

    def rests(self, kind: str, state: ServiceState, every_s: float) -> bool:
        """Say whether a probe can be left out: its source would tell, or it was probed a short while ago."""
        if state.observed_mono is None:
            return False
        wanted = every_s
        if self.emits(kind):
            wanted = min(every_s, SAFETY_S) if self.is_cheap(kind) else SAFETY_S
        return self._clock.monotonic() - state.observed_mono < 0.8 * wanted

    def lines(self) -> Mapping[str, SourceConnection]:
        """Return the lines to all event sources, by kind."""
        return self._lines

    # Working

    async def run(self) -> None:
        """Watch and list until cancelled."""
        self._running = True
        try:
            async with asyncio.TaskGroup() as group:
                for kind, known in self._kinds.items():
                    if isinstance(known.provider, Watches):
                        group.create_task(self._watch(kind, known, known.provider), name=f"watch {kind}")
                    if kind in self.discovery.providers:
                        group.create_task(self._list_again(kind, known), name=f"list {kind}")
        finally:
            self._running = False
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for known in self._kinds.values():
                known.pending.clear()
                known.in_flight.clear()

    async def _watch(self, kind: str, known: _Kind, provider: Watches) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            if kind not in self._planned:
                await self._wanted.wait()
            began = self._clock.monotonic()
            try:
                await provider.watch(partial(self.hear, kind))
                known.line.trouble = "it stopped telling"
            except Exception as error:
                _log.exception("the watch of %s ended", kind)
                known.line.trouble = f"{type(error).__name__}: {error}"[:200]
            finally:
                self._lose(known.line)
            self._listener.publish_now()
            if self._clock.monotonic() - began > _LONGEST_PAUSE_S:
                pause = _FIRST_PAUSE_S
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _lose(self, line: SourceConnection) -> None:
        if line.connected:
            line.connected, line.lost_mono = False, self._clock.monotonic()

    def hear(self, kind: str, told: ServiceEvent) -> None:
        """Take an event of a source; must be called in the loop's own thread."""
        known = self._kinds[kind]
        known.line.connected, known.line.trouble = True, ""
        names = self.inventory.names_of(kind, told.ref) if told.ref else ()
        name = f"{kind}:{told.ref}"
        here = name in self.discovery.found
        if told.ref:
            self._listener.heard(told, names or ((name,) if here else ()))
        if told.listing:
            known.list_now.set()
            self._probe_soon(kind, known, [ref for k, ref in self.inventory.refs if k == kind])
        elif told.ref and not names and not here:
            known.list_now.set()
        if not names and not here:
            return  # nobody shows it
        if told.observation is None or told.partial:
            self._probe_soon(kind, known, [told.ref])
        if told.observation is None:
            return
        for one in names:
            before = self.inventory.states[one]
            self.inventory.adopt(one, told.observation)
            self._listener.probed(one, before)
        if here:
            self._listener.found(self.discovery.adopt(name, told.unplanned or told.observation))
        self._listener.publish_now()

    def probe_soon(self, kind: str, ref: str) -> None:
        """Look at a thing at once, and show it."""
        if (known := self._kinds.get(kind)) is not None:
            self._probe_soon(kind, known, [ref])

    # Looking at what was told

    def _probe_soon(self, kind: str, known: _Kind, refs: Iterable[str]) -> None:
        idle = not known.pending - known.in_flight
        known.pending.update(refs)
        if idle and known.pending - known.in_flight and self._running:
            asyncio.get_running_loop().call_soon(self._flush, kind, known)  # what is told in one go is looked at in one

    def _flush(self, kind: str, known: _Kind) -> None:
        refs = known.pending - known.in_flight
        if refs and self._running:
            known.pending -= refs
            known.in_flight |= refs
            task = asyncio.create_task(self._probe(kind, known, refs), name=f"look at {kind}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _probe(self, kind: str, known: _Kind, refs: Collection[str]) -> None:
        names = [name for ref in refs for name in self.inventory.names_of(kind, ref)]
        ids = [name for ref in refs if (name := f"{kind}:{ref}") in self.discovery.found]
        before = {name: self.inventory.states[name] for name in names}
        try:
            await self.inventory.probe(names)
            changes = await self.discovery.probe(ids)
            for name, state in before.items():
                self._listener.probed(name, state)
            self._listener.found(changes)
        except Exception as error:  # the boundary: what goes wrong costs this look only
            _log.exception("looking at what %s told failed", kind)
            known.line.trouble = f"{type(error).__name__}: {error}"[:200]
        self._listener.publish_now()
        await asyncio.sleep(_AGAIN_S)
        known.in_flight.difference_update(refs)
        self._flush(kind, known)

    # Listing

    async def _list_again(self, kind: str, known: _Kind) -> None:
        """List at once when asked to, else every now and then, while anybody wants to know."""
        while True:
            await self._wanted.wait()
            known.list_now.clear()
            known.listing = True
            try:
                changes = await self.discovery.list_kind(kind)
            except Exception as error:  # the boundary: a provider that raises is listed again later
                _log.exception("listing %s failed", kind)
                known.line.trouble = f"{type(error).__name__}: {error}"[:200]
            else:
                first = known.listed_mono is None
                known.listed_mono = self._clock.monotonic()
                if not first:
                    self._listener.found(changes)
            finally:
                known.listing = False
            self._listener.publish_now()
            await asyncio.sleep(_LIST_AGAIN_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(service_kind(kind).list_every_s):
                    await known.list_now.wait()
