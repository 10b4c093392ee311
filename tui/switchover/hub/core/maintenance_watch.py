"""Follows the plan's maintenance: what begins, what ends, and what was about it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from switchover.clock import Clock
from switchover.health.maintenance import MaintenanceTimes, OpenMaintenance
from switchover.snapshot import ServiceRow
from switchover_checks.api import Status

__all__ = ["MaintenanceWatch"]

_READ_EVERY_S = 60.0
_BAD = ("warn", "crit", "unknown")


class MaintenanceWatch:
    """Knows what was open a moment ago. `times` decides."""

    def __init__(self, times: MaintenanceTimes, clock: Clock) -> None:
        self.times, self._clock = times, clock
        self._open: dict[str, OpenMaintenance] = {}
        self._ended: dict[str, set[str]] = {}
        self._read_at: float | None = None

    def of(self, names: tuple[str, ...]) -> OpenMaintenance | None:
        """Return the maintenance in which one of these names is now."""
        return self.times.of(names, self._clock.now())

    async def follow(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what began since the last time, in words, and the names of those that ended."""
        mono = self._clock.monotonic()
        if self._read_at is None or mono - self._read_at >= _READ_EVERY_S:
            self._read_at = mono
            await asyncio.to_thread(self.times.refresh, self._clock.now())
        now = {one.name: one for one in self.times.open_at(self._clock.now())}
        began = tuple(one.words for name, one in now.items() if name not in self._open)
        ended = tuple(name for name in self._open if name not in now)
        self._open = now
        return began, ended

    def was_about(self, names: tuple[str, ...], ended: tuple[str, ...]) -> bool:
        """Say whether one of these was about a check, by its name or that of its service."""
        return any(self.times.is_about(one, names) for one in ended)

    def counts(self, service: str, health: Status) -> Status:
        """Return a service's health as rules judge it: what is bad in maintenance begins nothing and ends nothing."""
        expected = health.label in _BAD and self.of((service,)) is not None
        return Status.PENDING if expected else health

    def shown(self, row: ServiceRow) -> ServiceRow:
        """Return a service's row as it counts: in maintenance, what is bad is expected."""
        if row.health not in _BAD or (now := self.of((row.name,))) is None:
            return row
        return replace(row, health="skipped", detail=f"{now.words}; {row.health}: {row.detail}")
