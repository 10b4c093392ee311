"""CPU and memory of units: from their control groups on this host, which costs systemd nothing, else as it said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from switchover.services.systemd.systemd_observation import SystemdUnit

__all__ = ["UnitUsage"]

_CGROUPS = Path("/sys/fs/cgroup")
_SHORTEST_S = 0.5


class UnitUsage:
    """Tells what each unit uses, by what it had used at the look before."""

    def __init__(self, monotonic: Callable[[], float], *, from_cgroups: bool) -> None:
        self._monotonic = monotonic
        self._from_cgroups = from_cgroups
        self._used: dict[str, tuple[str, float, int, float | None]] = {}

    def forget(self, name: str) -> None:
        """Forget a unit."""
        self._used.pop(name, None)

    def of(self, unit: SystemdUnit) -> tuple[SystemdUnit, float | None]:
        """Return the unit with what it uses now, and its CPU since the last look in percent of one core."""
        if self._from_cgroups and unit.cgroup:
            unit = unit._replace(
                cpu_ns=_read_cpu(unit.cgroup) or unit.cpu_ns,
                memory_bytes=_read_memory(unit.cgroup) or unit.memory_bytes,
            )
        if unit.cpu_ns is None:
            self._used.pop(unit.name, None)
            return unit, None
        now = self._monotonic()
        before = self._used.get(unit.name)
        if before is not None and before[0] == unit.invocation and now - before[1] < _SHORTEST_S:
            return unit, before[3]
        percent = None
        if before is not None and before[0] == unit.invocation:
            percent = round(max(0.0, (unit.cpu_ns - before[2]) / 1e7 / (now - before[1])), 1)
        self._used[unit.name] = unit.invocation, now, unit.cpu_ns, percent
        return unit, percent


def _read_cpu(cgroup: str) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        text = Path(f"{_CGROUPS}{cgroup}/cpu.stat").read_text(encoding="ascii")
        return int(text.split("usage_usec", 1)[1].split(None, 1)[0]) * 1000
    return None


def _read_memory(cgroup: str) -> int | None:
    with suppress(OSError, ValueError):
        return int(Path(f"{_CGROUPS}{cgroup}/memory.current").read_text(encoding="ascii"))
    return None
