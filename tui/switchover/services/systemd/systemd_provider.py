"""systemd's units over D-Bus, updated by its signals; logs are the journal's.

Units of the user's own manager are called `user:NAME`. A unit has no shell: what runs in it has one, or none.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

from switchover.errors import RefusedError
from switchover.services.journalctl import journal_command
from switchover.services.provider_api import (
    Capability,
    Found,
    LogSource,
    LogSpan,
    Observation,
    ProcessState,
    ServiceEvent,
    ServiceTarget,
)
from switchover.services.systemd.systemd_actions import METHODS, perform
from switchover.services.systemd.systemd_bus import BusError, system_address, user_address
from switchover.services.systemd.systemd_kind import SystemdKind
from switchover.services.systemd.systemd_manager import Listed, SystemdManager
from switchover.services.systemd.systemd_observation import SystemdUnit, observe_listed, observe_unit
from switchover.services.systemd.systemd_usage import UnitUsage
from switchover_checks.api import Status

__all__ = ["SystemdProvider"]

_USER = "user:"
_FAILING = (".timer", ".socket", ".mount", ".path", ".swap", ".automount")
_DEADLINE_S = 5.0


class SystemdProvider:
    """Looks at units, follows them and has systemd act on them.

    Without `address` it speaks with the system's systemd if that is pid 1, and with the user's if any. With an address
    it speaks with that one alone; its journal is then in the folder `journal`.
    """

    kind: ClassVar[str] = SystemdKind.kind
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        (Capability.LIST, Capability.INSPECT, Capability.WATCH, Capability.STATS, Capability.LOGS, Capability.KILL)
    ) | frozenset(METHODS)

    def __init__(self, monotonic: Callable[[], float], address: str = "", journal: str = "") -> None:
        self._monotonic = monotonic
        self._address = address
        self._journal = journal
        self._made: dict[str, SystemdManager] | None = None
        self._off = ""
        self._ran: set[str] = set()
        self._planned: set[str] = set()
        self._usage = UnitUsage(monotonic, from_cgroups=not address)
        self._tell: Callable[[ServiceEvent], None] | None = None

    @property
    def _managers(self) -> dict[str, SystemdManager]:
        """The managers by what stands before the names of their units; found out on first use."""
        if self._made is None:
            self._made = {}
            environment = dict(os.environ)
            if self._address:
                self._made[""] = SystemdManager(self._address, self._monotonic)
            elif "DBUS_SYSTEM_BUS_ADDRESS" in environment or Path("/run/systemd/system").is_dir():
                self._made[""] = SystemdManager(system_address(environment), self._monotonic)
            else:
                with suppress(OSError):
                    first = Path("/proc/1/comm").read_text(encoding="utf-8", errors="replace").strip()
                    self._off = f"systemd does not run this host: its pid 1 is {first}"
            if not self._address and (user := user_address(environment)):
                self._made[_USER] = SystemdManager(user, self._monotonic)
            for prefix, manager in self._made.items():
                manager.changed = partial(self._changed, prefix)
                manager.removed = partial(self._removed, prefix)
                manager.listing = self._listing
        return self._made

    def off(self) -> str:
        """Say why no unit can be seen; empty while they can."""
        managers = self._managers
        if not managers or "" in managers:
            return managers[""].why if managers else self._off
        return ""

    async def aclose(self) -> None:
        """Close the connections."""
        for manager in (self._made or {}).values():
            await manager.aclose()

    # Looking

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        """Look at the units behind `targets`."""
        seen = await asyncio.gather(*(self._probe(target) for target in targets))
        return {target.name: one for target, one in zip(targets, seen, strict=True)}

    async def _probe(self, target: ServiceTarget) -> Observation:
        prefix, name = self._split(target)
        manager = self._managers.get(prefix)
        if manager is None:
            why = self._off if not prefix else "the user's own systemd does not run here"
            return Observation(ProcessState.UNKNOWN, Status.UNKNOWN, why or "systemd does not run here")
        try:
            async with asyncio.timeout(_DEADLINE_S):
                unit = await manager.probe(name)
        except TimeoutError:
            return Observation(ProcessState.UNKNOWN, Status.UNKNOWN, "systemd does not answer")
        except BusError as error:
            return Observation(ProcessState.UNKNOWN, Status.UNKNOWN, str(error))
        planned = not target.name.startswith("systemd:")
        if planned:
            self._planned.add(prefix + name)
        return self._see(manager, unit, planned=planned)

    def _see(self, manager: SystemdManager, unit: SystemdUnit, *, planned: bool) -> Observation:
        unit, percent = self._usage.of(unit)
        return observe_unit(unit, manager.flaps.note(unit, self._monotonic()), percent, planned=planned)

    def _split(self, target: ServiceTarget) -> tuple[str, str]:
        ref = target.ref or target.unit
        name = ref.removeprefix(_USER)
        return (_USER if ref.startswith(_USER) else ""), name if "." in name else f"{name}.service"

    # Listing

    async def discover(self) -> Sequence[Found]:
        """Return the services that run, failed or ran before, and timers, sockets and mounts that failed."""
        found: list[Found] = []
        for prefix, manager in self._managers.items():
            with suppress(BusError, TimeoutError):
                async with asyncio.timeout(_DEADLINE_S):
                    lines = await manager.loaded()
                found += self._found(prefix, manager, lines)
        found.sort(key=lambda one: (one.observation.health is not Status.CRIT, one.target.ref))
        return found

    def _found(self, prefix: str, manager: SystemdManager, lines: list[Listed]) -> list[Found]:
        shown = [line for line in lines if self._shows(prefix, line)]
        manager.fill([line.name for line in shown])
        names = {line.name for line in shown}
        found = []
        for line in shown:
            ref = prefix + line.name
            unit = manager.units.get(line.name)
            seen = observe_listed(line.active, line.sub)
            if unit is not None and (unit.active, unit.sub) == (line.active, line.sub):
                seen = self._see(manager, unit, planned=False)
            target = ServiceTarget(f"systemd:{ref}", "systemd", ref=ref, unit=ref)
            needs = tuple(prefix + need for need in unit.needs if need in names) if unit is not None else ()
            group = "user" if prefix else unit.slice if unit is not None else ""
            found.append(Found(target, seen, ref.removesuffix(".service"), group, needs))
        return found

    def _shows(self, prefix: str, line: Listed) -> bool:
        """Say whether a unit is worth a row: hundreds are loaded that were never meant to run."""
        if line.active == "failed":
            return line.name.endswith((".service", *_FAILING))
        if not line.name.endswith(".service") or line.load != "loaded":
            return False
        if line.active == "active" and line.sub == "running":
            self._ran.add(prefix + line.name)
        return (line.active != "inactive" and line.sub != "exited") or prefix + line.name in self._ran

    # Being told

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Tell what happens to units, some milliseconds after systemd says so."""
        self._tell = tell
        try:
            if not self._managers:
                tell(ServiceEvent("systemd", "", listing=True))
            await asyncio.gather(*(manager.run() for manager in self._managers.values()), asyncio.Event().wait())
        finally:
            self._tell = None

    def _removed(self, prefix: str, name: str) -> None:
        self._ran.discard(prefix + name)
        self._usage.forget(name)

    def _listing(self, text: str) -> None:
        if self._tell is not None:
            self._tell(ServiceEvent("systemd", "", "reload" if text else "note", text, at=time.time(), listing=True))

    def _changed(self, prefix: str, before: SystemdUnit | None, unit: SystemdUnit) -> None:
        ref, runs = prefix + unit.name, (unit.active, unit.sub) == ("active", "running")
        if runs:
            self._ran.add(ref)
        planned = ref in self._planned
        failed = "failed" in (unit.active, before.active if before is not None else "")
        if self._tell is None or not (planned or failed or ref in self._ran):
            return  # a timer's job that does its work and ends, many times a day
        seen = self._see(self._managers[prefix], unit, planned=planned)
        what, text = _what(before, unit)
        status = seen.health if what != "note" else None
        self._tell(ServiceEvent("systemd", ref, what, text, status, unit.since, seen, listing=before is None))

    # Acting

    async def act(self, target: ServiceTarget, action: Capability, argument: str = "") -> str:
        """Have systemd do it and wait for the job's end, half a minute at most."""
        prefix, name = self._split(target)
        manager = self._managers.get(prefix)
        if manager is None:
            raise RefusedError(self._off or "systemd does not run here")
        return await perform(manager, name, action, target.identity, local=not self._address)

    def command_line(self, target: ServiceTarget, action: Capability, argument: str = "") -> tuple[str, ...]:
        """Return `systemctl VERB UNIT`."""
        prefix, name = self._split(target)
        start = ("systemctl", "--user") if prefix else ("systemctl",)
        if action is Capability.KILL:
            return (*start, "kill", "--signal=KILL", name)
        return (*start, str(action), name) if action in METHODS else ()

    # Logs

    async def log_source(self, target: ServiceTarget, span: LogSpan) -> LogSource | str:
        """Return the command that reads the unit's journal."""
        if shutil.which("journalctl") is None:
            return "journalctl is not installed here"
        prefix, name = self._split(target)
        where = (f"--directory={self._journal}",) if self._journal else ()
        match = f"--user-unit={name}" if prefix else f"--unit={name}"
        argv = journal_command(match, span, *where)
        return LogSource(target.name, "command", argv=argv, parse="journal-json")


def _what(before: SystemdUnit | None, unit: SystemdUnit) -> tuple[str, str]:
    """Say in a word what has happened to a unit. Add a line for the timeline where the state does not say it."""
    alive = unit.active in ("active", "reloading")
    if unit.active == "failed" and (
        before is None or (before.active, before.invocation) != ("failed", unit.invocation)
    ):
        return "failed", ""
    if before is None:
        return ("started", "") if alive else ("note", "")
    was = before.active in ("active", "reloading")
    if unit.restarts > before.restarts:
        return "restarted", f"systemd restarted {unit.name}"
    if alive and was and unit.invocation != before.invocation:
        return "restarted", f"{unit.name} was restarted"
    if unit.active == "activating" and unit.sub.startswith("auto-restart"):
        return "died", ""
    if alive is not was:
        return ("started" if alive else "stopped"), ""
    if unit.config != before.config:
        return "config", f"{unit.name} is set up otherwise than before"
    if unit.reload_needed and not before.reload_needed:
        return "config", f"the unit file of {unit.name} has changed on disk"
    return "note", ""
