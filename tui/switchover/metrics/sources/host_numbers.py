"""Numbers of this host, all read in one go, in a thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

from switchover.metrics.source_api import MetricSource, Reading, SourceTools
from switchover_checks.language.fields import one_of
from switchover_checks.runtime.threads import Threads

__all__ = ["HOST_METRICS", "HostConfig", "HostNumbers", "HostSource"]

HOST_METRICS = {
    "cpu": "%",
    "memory": "%",
    "swap": "%",
    "load": "",
    "disk": "%",
    "net_in": "B/s",
    "net_out": "B/s",
    "pressure_cpu": "%",
    "pressure_memory": "%",
    "pressure_io": "%",
}
"""What a host metric may be, with its unit. `disk` is the share in use of the filesystem that holds `path`.

Pressure is the share of the last minute in which work waited. For the CPU it is some of the work, for memory and disks
all of it.
"""

_PRESSURE = {"cpu": "some", "memory": "full", "io": "full"}


@dataclass(frozen=True)
class HostConfig:
    """What of this host."""

    metric: Annotated[str, one_of("host metric", HOST_METRICS)]
    """The number. `disk` is the share in use; pressure is the share of the last minute in which work waited."""
    path: str = "/"
    """For `disk`: a path on the file system."""


class HostSource(MetricSource[HostConfig]):
    """Reads all numbers of this host in one go."""

    kind: ClassVar[str] = "host"
    config: ClassVar[type] = HostConfig
    together: ClassVar[bool] = True
    timeout_s: ClassVar[float | None] = None
    example: ClassVar[str] = """
    kind: host
    metric: disk
    path: /var
    """

    def __init__(self, tools: SourceTools) -> None:
        super().__init__(tools)
        self._numbers = HostNumbers(tools.monotonic)

    def unit(self, keys: Mapping[str, Any]) -> str:
        """Return the unit of a number of the host."""
        return HOST_METRICS.get(str(keys.get("metric", "")), "")

    async def prime(self) -> None:
        """Read once, for the rates."""
        await self._numbers.read()

    async def read(self, wanted: Sequence[HostConfig]) -> Sequence[Reading]:
        """Read all, and pick what is wanted."""
        numbers = await self._numbers.read({config.path for config in wanted if config.metric == "disk"})
        return [numbers.get(f"disk:{c.path}" if c.metric == "disk" else c.metric) for c in wanted]


class HostNumbers:
    """Reads the host's numbers. Rates need two readings: the first one has none."""

    def __init__(self, monotonic: Callable[[], float], pressure: Path = Path("/proc/pressure")) -> None:
        self._monotonic = monotonic
        self._pressure = pressure
        self._threads = Threads()
        self._cpu: tuple[float, float] | None = None
        self._net: tuple[float, int, int] | None = None

    async def read(self, disks: Collection[str] = ()) -> dict[str, float | None]:
        """Return every number by its name; each of `disks` as `disk:PATH`."""
        return await self._threads.run(partial(self._read, tuple(disks)))

    def _read(self, disks: tuple[str, ...]) -> dict[str, float | None]:
        import psutil

        numbers: dict[str, float | None] = {
            "cpu": self._cpu_percent(),
            "memory": psutil.virtual_memory().percent,
            "load": os.getloadavg()[0],
        }
        swap = psutil.swap_memory()
        numbers["swap"] = swap.percent if swap.total else None
        for path in disks:
            try:
                numbers[f"disk:{path}"] = psutil.disk_usage(path).percent
            except OSError:
                numbers[f"disk:{path}"] = None
        numbers["net_in"], numbers["net_out"] = self._net_rates()
        for what, line in _PRESSURE.items():
            numbers[f"pressure_{what}"] = _pressure(self._pressure / what, line)
        return numbers

    def _cpu_percent(self) -> float | None:
        import psutil

        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        before, self._cpu = self._cpu, (total, idle)
        if before is None or total <= before[0]:
            return None
        return max(0.0, min(100.0, 100 * (1 - (idle - before[1]) / (total - before[0]))))

    def _net_rates(self) -> tuple[float | None, float | None]:
        import psutil

        counters = psutil.net_io_counters(nowrap=True)
        if counters is None:  # pragma: no cover  # a host without any interface
            return None, None
        now = self._monotonic()
        before, self._net = self._net, (now, counters.bytes_recv, counters.bytes_sent)
        if before is None or now <= before[0]:
            return None, None
        span = now - before[0]
        return (counters.bytes_recv - before[1]) / span, (counters.bytes_sent - before[2]) / span


def _pressure(path: Path, wanted: str) -> float | None:
    """Return the share of the last minute from a file of the kernel's; None where it does not tell."""
    try:
        for line in path.read_text(encoding="ascii").splitlines():
            kind, *values = line.split()
            if kind == wanted:
                return float(dict(value.split("=", 1) for value in values)["avg60"])
    except (OSError, ValueError, KeyError):
        return None
    return None
