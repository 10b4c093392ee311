"""One systemd, the system's or the user's. Its units are kept up to date by its signals."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from switchover.services.systemd.systemd_bus import MANAGER, BusError, SystemdBus, unit_of_path
from switchover.services.systemd.systemd_observation import Flaps, SystemdUnit, parse_unit

__all__ = ["Listed", "SystemdManager"]

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_BETWEEN_LOOKS_S = 0.02  # a unit that flaps wildly is looked at fifty times a second at most
_AT_FIRST = 4  # so often without a pause: a unit that fails passes through several states
_FRESH_S = 10.0
_AT_ONCE = 10
_TELLING = frozenset(
    ("ActiveState", "SubState", "Result", "NRestarts", "MainPID", "ExecMainStatus", "InvocationID", "LoadState")
)


class Listed(NamedTuple):
    """A line of systemd's list of units."""

    name: str
    load: str
    active: str
    sub: str


class SystemdManager:
    """Looks at units and follows them. `changed` gets a unit as it was (None: not known) and as it is.

    `listing` is called when units may have come or gone. That is after each connection and loss, and after unit files
    were reloaded. `removed` is called with a unit that systemd has forgotten, such as one made for a single run.
    """

    def __init__(self, address: str, monotonic: Callable[[], float]) -> None:
        self.bus = SystemdBus(address)
        self.bus.on_signal = self._signal
        self.why = ""
        self.units: dict[str, SystemdUnit] = {}
        self.flaps = Flaps()
        self.changed: Callable[[SystemdUnit | None, SystemdUnit], None] = lambda *_: None
        self.listing: Callable[[str], None] = lambda _: None
        self.removed: Callable[[str], None] = lambda _: None
        self._monotonic = monotonic
        self._probed: dict[str, float] = {}
        self._dirty: set[str] = set()
        self._told: dict[str, dict[str, Any]] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._filling: asyncio.Task[None] | None = None
        self._jobs: dict[str, asyncio.Future[str]] = {}
        self._done: deque[tuple[str, str]] = deque(maxlen=64)
        self._follows = False

    # Looking

    async def probe(self, name: str, *, fresh: bool = False) -> SystemdUnit:
        """Return a unit: as last observed, where signals would have reported a change. Raise `BusError`."""
        probed = self._probed.get(name)
        known = self.units.get(name)
        told = self._follows and self.bus.connected and name not in self._dirty and name not in self._followers
        if not fresh and told and known is not None and probed is not None and self._monotonic() - probed < _FRESH_S:
            return known
        unit = parse_unit(name, await self._asked(self.bus.properties(name)))
        self._keep(unit)
        return unit

    async def loaded(self) -> list[Listed]:
        """Return all units that are loaded. Raise `BusError`."""
        (lines,) = await self._asked(self.bus.manager("ListUnits"))
        return [Listed(line[0], line[2], line[3], line[4]) for line in lines]

    def fill(self, names: Iterable[str]) -> None:
        """Look at the units that were listed and are not known yet, in the background, and ask for another listing."""
        missing = [name for name in names if name not in self._probed]
        if missing and (self._filling is None or self._filling.done()):
            self._filling = asyncio.create_task(self._fill(missing), name="systemd units")

    async def _fill(self, names: list[str]) -> None:
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            await asyncio.gather(*(self.probe(name) for name in some), return_exceptions=True)
            await asyncio.sleep(_BETWEEN_LOOKS_S)
        self.listing("")

    async def _asked(self, answer: Any) -> Any:
        try:
            said = await answer
        except BusError as error:
            if not error.name:
                self.why = str(error)
            raise
        self.why = ""
        return said

    def _keep(self, unit: SystemdUnit) -> SystemdUnit | None:
        before = self.units.get(unit.name)
        self.units[unit.name] = unit
        self._probed[unit.name] = self._monotonic()
        self.flaps.note(unit, self._monotonic())
        return before

    # Being told

    async def run(self) -> None:
        """Follow the units until cancelled; a lost bus is sought again without end."""
        pause = _SHORTEST_PAUSE_S
        try:
            while True:
                try:
                    await self._asked(self.bus.connect())
                except BusError:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE_S)
                    continue
                pause = _SHORTEST_PAUSE_S
                self._probed.clear()
                self._follows = True
                self.listing("")
                await self.bus.lost()
                self._follows = False
                self.why = "the bus of systemd went away"
                self.listing(self.why)
                await asyncio.sleep(pause)
        finally:
            self._follows = False
            tasks = [*self._followers.values(), *([self._filling] if self._filling else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._followers.clear()

    def _signal(self, interface: str, member: str, path: str, body: list[Any]) -> None:
        if member == "PropertiesChanged":
            self._moved(unit_of_path(path), body[1])
        elif member == "NameOwnerChanged":
            if body[2]:  # systemd itself was executed anew, and counts its jobs anew
                self._done.clear()
                self._probed.clear()
                self.listing("")
        elif interface != MANAGER:
            return
        elif member == "JobRemoved":
            _, job, name, result = body[:4]
            self._done.append((job, result))
            if (waiting := self._jobs.pop(job, None)) is not None and not waiting.done():
                waiting.set_result(result)
            if name.endswith(".service") or name in self.units:
                self._follow(name)
        elif member == "UnitRemoved" and self.units.pop(body[0], None) is not None:
            self._probed.pop(body[0], None)
            self.flaps.forget(body[0])
            self.removed(body[0])
            self.listing("")
        elif member == "Reloading" and not body[0]:
            self._probed.clear()
            self.listing("systemd has read its unit files anew")

    def _moved(self, name: str, properties: dict[str, Any]) -> None:
        if not _TELLING.isdisjoint(properties):
            state = properties.get("ActiveState")
            if name in self.units or name.endswith(".service") or (state is not None and state.value == "failed"):
                self._note_told(name, properties)
                self._follow(name)

    def _note_told(self, name: str, properties: dict[str, Any]) -> None:
        """Keep what is reported of a unit until it was inspected: systemd may have forgotten it by then."""
        said = self._told.setdefault(name, {})
        if said.get("ActiveState") != "failed":  # what came after that failure is looked at
            said.update((key, properties[key].value) for key in (*_TELLING, "ExecMainCode") if key in properties)

    def _follow(self, name: str) -> None:
        """Inspect a unit now; an event during the inspection causes one further inspection."""
        self._dirty.add(name)
        if name not in self._followers:
            self._followers[name] = asyncio.create_task(self._until_clean(name), name=f"systemd {name}")

    async def _until_clean(self, name: str) -> None:
        looks = 0
        try:
            while name in self._dirty:
                self._dirty.discard(name)
                looks += 1
                await self._look_at(name)
                await asyncio.sleep(_BETWEEN_LOOKS_S if looks >= _AT_FIRST else 0)
        finally:
            self._followers.pop(name, None)  # in the same breath as the last glance at what is dirty

    async def _look_at(self, name: str) -> None:
        told = self._told.pop(name, {})
        unit: SystemdUnit | None = None
        try:
            unit = parse_unit(name, await self._asked(self.bus.properties(name)))
        except BusError:
            self._probed.pop(name, None)  # it is another than it was, and nobody knows how
        if told.get("ActiveState") == "failed" and not self._tells_itself(unit):
            self.changed(self.units.get(name), parse_unit(name, {"LoadState": "loaded", **told}))  # over already
        if unit is not None:
            before = self._keep(unit)
            if before is None or _said(before) != _said(unit):
                self.changed(before, unit)

    def _tells_itself(self, unit: SystemdUnit | None) -> bool:
        """Say whether a look still shows the failure: systemd gave up, or starts the unit again by itself."""
        if unit is None or unit.active in {"failed", "activating"}:
            return unit is not None
        before = self.units.get(unit.name)
        return unit.restarts > (before.restarts if before is not None else 0)

    # Acting

    async def job(self, member: str, name: str, seconds: float) -> str:
        """Have something done to a unit and return the job's result; `running` where it takes longer. `BusError`."""
        (path,) = await self._asked(self.bus.manager(member, "ss", name, "replace"))
        for job, result in self._done:
            if job == path:
                return result
        waiting = self._jobs[path] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                return str(await waiting)
        except TimeoutError:
            return "running"
        finally:
            self._jobs.pop(path, None)

    async def aclose(self) -> None:
        """Let the connection go."""
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)
        await self.bus.aclose()


def _said(unit: SystemdUnit) -> SystemdUnit:
    """Return the unit without what changes all the time."""
    return unit._replace(cpu_ns=None, memory_bytes=None)
