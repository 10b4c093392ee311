"""Watches services. Those of the plan are polled in their rhythm or on events, discovered ones on events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from functools import partial

from switchover.clock import Clock
from switchover.hub.history.change_log import ChangeLog
from switchover.hub.hub_ports import ServiceHub
from switchover.hub.services.config_files import ConfigFiles
from switchover.hub.services.unseen import Unseen
from switchover.hub.services.watch_supervisor import WatchSupervisor
from switchover.services.discovery import Discovery, DiscoveryChange
from switchover.services.inventory import Inventory, ServiceState
from switchover.services.provider_api import ServiceEvent
from switchover.services.service_kind import service_kind
from switchover.snapshot import SourceNote
from switchover_checks.api import Status

__all__ = ["ServiceWatch"]

_LIST_WITHIN_S = 4.0
_KEEP_S = 2.0
_NEW_FILES_S = 10.0  # a variable in the name of a file may get its value at any time


class ServiceWatch:
    """Holds what is known of services, and tells the hub what is new. `unseen` is for a host without a plan."""

    def __init__(
        self,
        inventory: Inventory,
        clock: Clock,
        hub: ServiceHub,
        *,
        host_mode: bool = False,
        config_files: ConfigFiles | None = None,
        unseen: Unseen | None = None,
    ) -> None:
        self.inventory = inventory
        self.discovery = Discovery(inventory.providers.values(), clock)
        self.changes = ChangeLog(hub.redact)
        self.config_files = config_files
        self.unseen = unseen
        self.sources = WatchSupervisor(
            inventory,
            self.discovery,
            clock,
            listener=self,
            host_mode=host_mode,
        )
        self._clock = clock
        self._hub = hub
        self._host_mode = host_mode

    def publish_now(self) -> None:
        """Have what the sources said published at once."""
        self._hub.publish_now()

    async def run(self) -> None:
        """Receive events until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:  # files may be where all hangs: nothing else waits for them
                if self.config_files is not None:
                    group.create_task(self.config_files.start(self._config_changed), name="configuration files")
                group.create_task(self.sources.run(), name="sources")
        finally:
            if self.unseen is not None:
                self.unseen.save()()
            if self.config_files is not None:
                await self.config_files.aclose()

    def jobs(self) -> Iterator[tuple[str, float, Callable[[], Awaitable[None]]]]:
        """Return what has to be asked again and again: a name, every how many seconds, and the work."""
        groups: dict[tuple[str, float], list[str]] = {}
        for name, service in self.inventory.services.items():
            alone = name if service_kind(service.kind).asked_alone else ""  # a slow answer keeps nobody waiting
            every = self.sources.asked_every(service.kind, service.every)
            groups.setdefault((f"{service.kind} {alone}", every), []).append(name)
        for (kind, every), names in groups.items():
            yield f"services {kind} {every}", max(every, 0.1), partial(self._probe, names)
        if self.unseen is not None:
            yield "kept until seen", _KEEP_S, self.unseen.keep
        if self.config_files is not None:
            yield "configuration files", _NEW_FILES_S, self.config_files.add_known

    def notes(self) -> list[SourceNote]:
        """Return the sources that are wanted here and off, or failing, each with the reason."""
        wanted = (kind for kind in self.inventory.providers if self._is_wanted(kind))
        return [one for one in self._states(wanted) if one.state in ("off", "trouble")]

    def all_sources(self) -> list[SourceNote]:
        """Return all sources. One is unused where nobody asked for it."""
        return self._states(self.inventory.providers)

    def _is_wanted(self, kind: str) -> bool:
        return self.sources.is_planned(kind) or (self._host_mode and service_kind(kind).on_every_host)

    def _states(self, kinds: Iterable[str]) -> list[SourceNote]:
        lines = self.sources.lines()
        rows = []
        for kind in kinds:
            line, provider, wanted = lines.get(kind), self.inventory.providers[kind], self._is_wanted(kind)
            if why := provider.off():
                rows.append(SourceNote(kind, "off" if wanted else "unused", why))
            elif line is not None and line.trouble:
                rows.append(SourceNote(kind, "trouble" if wanted else "unused", line.trouble))
            else:
                told = "tells by itself" if line is not None and line.connected else ""
                rows.append(SourceNote(kind, "on", told))
        return rows

    def take_over(self, before: ServiceWatch) -> None:
        """Keep what another one has seen of the services that are the same here."""
        for row in before.changes.rows:
            self.changes.add(row)
        self.inventory.take_over(before.inventory)

    def health(self, name: str) -> Status:
        """Say how a service is; UNKNOWN when it was not observed in time."""
        if name not in self.inventory.states:
            return Status.UNKNOWN
        state = self.inventory.states[name]
        if state.observed_mono is None:
            return Status.PENDING
        return Status.UNKNOWN if self.is_late(name) else state.observation.health

    def is_late(self, name: str) -> bool:
        """Say whether what was seen of a service of the plan is too old to be true."""
        service = self.inventory.services[name]
        return self.sources.is_late(service.kind, self.inventory.states[name], service.every)

    def was_observed(self, name: str) -> bool:
        """Say whether a service was observed yet; one that does not exist counts as observed."""
        state = self.inventory.states.get(name)
        return state is None or state.observed_mono is not None

    async def probe(self, kind: str, ref: str) -> None:
        """Look now at whatever is `ref`, as after something was done to it."""
        names = self.inventory.names_of(kind, ref)
        before = {name: self.inventory.states[name] for name in names}
        await self.inventory.probe(names)
        for name, state in before.items():
            self.probed(name, state)
        self.found(await self.discovery.probe([f"{kind}:{ref}"]))

    def names(self) -> dict[str, str]:
        """Return the name that the list shows of everything that is known, by id."""
        found = {id_: known.found.title for id_, known in self.discovery.found.items()}
        return {**found, **{name: name for name in self.inventory.services}}

    async def list_now(self) -> None:
        """List what runs on this host, for one who names something that is not known yet."""
        here = [
            kind
            for kind, provider in self.discovery.providers.items()
            if service_kind(kind).on_every_host and not provider.off()
        ]
        listing = [asyncio.ensure_future(self.discovery.list_kind(kind)) for kind in here]
        if not listing:
            return
        done, late = await asyncio.wait(listing, timeout=_LIST_WITHIN_S)
        for task in late:
            task.cancel()
        for task in done:
            if not task.cancelled() and task.exception() is None:
                self.found(task.result())
        self._hub.changed()

    def forget_unwanted(self) -> None:
        """Let go of what was listed for one who asked, unless somebody looks at it."""
        if not self.sources.wanted:
            self.discovery.forget()

    async def look_again(self, names: Collection[str]) -> None:
        """Look now at services of the plan, by name, and at what was found, by id."""
        before = {name: self.inventory.states[name] for name in names if name in self.inventory.services}
        await self.inventory.probe(before)
        for name, state in before.items():
            self.probed(name, state)
        self.found(await self.discovery.probe([name for name in names if name not in before]))
        self._hub.changed()

    async def _probe(self, names: list[str]) -> None:
        services, states = self.inventory.services, self.inventory.states
        due = [n for n in names if not self.sources.rests(services[n].kind, states[n], services[n].every)]
        if not due:
            return
        before = {name: self.inventory.states[name] for name in due}
        await self.inventory.probe(due)
        for name in due:
            self.probed(name, before[name])
        self._hub.changed()

    def probed(self, name: str, before: ServiceState) -> None:
        """Take notice that a service was probed; `before` is its state until then."""
        after = self.inventory.states[name]
        if (after.observation.health is Status.OK) != (before.observation.health is Status.OK):
            self._hub.probe_dependants(name)
        self.changes.saw(name, before, after)

    def found(self, changes: list[DiscoveryChange]) -> None:
        """Publish discovered events, where that is all there is; processes come and go too often for that."""
        for change in changes if self._host_mode else ():
            before, after = change.before, change.after
            if before is not None and after is not None and after.found.target.kind != "process":
                self.changes.saw(after.found.title, before.state, after.state, change.id)

    def heard(self, told: ServiceEvent, names: tuple[str, ...]) -> None:
        """Put what an event source says on the timeline."""
        if not names and told.text and told.status is Status.CRIT:  # this host itself, taken back by its cloud
            self.changes.hear(f"{told.kind}:{told.ref}", told, self._clock.now())
        if self.unseen is not None and told.observation is not None:
            self.unseen.hear(told, self._hub.redact(told.observation.detail), self._clock.now())
        for name in names:
            known = self.discovery.found.get(name)
            if known is None:
                self.changes.hear(name, told, self._clock.now())
            elif self._host_mode and told.kind != "process":
                self.changes.hear(known.found.title, told, self._clock.now(), name)

    def _config_changed(self, service: str, text: str) -> None:
        self.changes.say(self._clock.now(), "change", service, "configuration changed", text)
        self._hub.changed()
