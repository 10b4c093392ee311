"""Whether it is the time of a maintenance: one function decides for checks and services, whatever their kind."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from switchover.health.calendar_file import CalendarError, spans_in
from switchover.plan.maintenance_model import Maintenance
from switchover.plan.members.member_names import base_name
from switchover.plan.notations import parse_window

__all__ = ["MaintenanceTimes", "OpenMaintenance"]

_AHEAD_S = 86_400.0


@dataclass(frozen=True, slots=True)
class OpenMaintenance:
    """A maintenance that is open, and until when (epoch seconds)."""

    name: str
    title: str
    until: float

    @property
    def words(self) -> str:
        """Say which it is, and until when."""
        return f"in maintenance ({self.title or self.name}, until {time.strftime('%H:%M', time.localtime(self.until))})"


class MaintenanceTimes:
    """The plan's maintenance. `refresh` reads calendars again; `troubles` says which cannot be read, and why."""

    def __init__(self, plan: Mapping[str, Maintenance], directory: Path) -> None:
        self._plan, self._directory = plan, directory
        self._spans: dict[str, list[tuple[float, float]]] = {}
        self._open: tuple[OpenMaintenance, ...] = ()
        self._decided_at = -1.0
        self.troubles: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._plan)

    def refresh(self, now: float) -> None:
        """Read the calendars. Blocks. One that can no longer be read opens nothing."""
        for name, one in self._plan.items():
            if one.ics is None:
                continue
            try:
                data = (self._directory / one.ics).read_bytes()
                self._spans[name] = spans_in(data, now - _AHEAD_S, now + _AHEAD_S)
            except OSError as error:
                self._fail(name, f"{one.ics}: {error.strerror}")
            except CalendarError as error:
                self._fail(name, f"{one.ics}: {error}")
            else:
                self.troubles.pop(name, None)
        self._decided_at = -1.0

    def _fail(self, name: str, why: str) -> None:
        self._spans.pop(name, None)
        self.troubles[name] = why

    def open_at(self, now: float) -> tuple[OpenMaintenance, ...]:
        """Return what is open at a moment. It is decided once a second."""
        if int(now) != self._decided_at:
            found = []
            for name, one in self._plan.items():
                ends = [end for start, end in self._spans.get(name, ()) if start <= now < end]
                ends += [end for text in one.windows if (end := parse_window(text).closes_at(now)) is not None]
                if ends:
                    found.append(OpenMaintenance(name, one.title or "", max(ends)))
            self._open, self._decided_at = tuple(found), int(now)
        return self._open

    def of(self, names: tuple[str, ...], now: float) -> OpenMaintenance | None:
        """Return the maintenance in which one of these names is: a check, or its service."""
        if not self._plan:
            return None
        return next((found for found in self.open_at(now) if self.is_about(found.name, names)), None)

    def is_about(self, maintenance: str, names: tuple[str, ...]) -> bool:
        """Say whether a maintenance is about one of these names."""
        about = self._plan[maintenance].of
        return not about or any(name and (name in about or base_name(name) in about) for name in names)
