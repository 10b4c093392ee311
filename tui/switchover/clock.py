"""Time: monotonic for durations, UTC for records, the boot id to tell a reboot from a restart."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Protocol

__all__ = ["Clock", "SystemClock", "iso_utc", "read_boot_id"]


class Clock(Protocol):
    """Where the time comes from, passed in so that tests can hold it still."""

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""

    def boot_id(self) -> str:
        """Identify this boot of this machine."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        """Seconds that never go back and run on while the machine sleeps (CLOCK_BOOTTIME)."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def boot_id(self) -> str:
        """Identify this boot of this machine."""
        return read_boot_id()


@cache
def read_boot_id() -> str:
    """Return the kernel's boot id, or `unknown` where /proc is not there."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def iso_utc(seconds: float | None) -> str | None:
    """Write epoch seconds as `2026-01-31T14:02:31.042Z`; None stays None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
