"""How many checks may be probed at once here: what open files and memory allow."""

from __future__ import annotations

import resource
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from switchover_checks.runtime.probe_slots import ProbeLimits
from switchover_checks.runtime.runner import WAITING, WORKING

__all__ = ["room_to_wait", "room_to_work"]

_OTHER_FILES = 250  # sockets of clients, logs that are followed, journals, pipes of steps
_FEWEST_AT_ONCE = 50
_PROCESS_BYTES = 16 << 20  # what one costs, an interpreter or a plugin


def room_to_wait(checks: int) -> ProbeLimits:
    """Return how many probes may wait at once. Where this process may open too few files for that, it asks for more."""
    needed = _OTHER_FILES + 2 * min(checks, WAITING.most)
    allowed, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        allowed = needed
    elif allowed < needed:
        allowed = needed if highest == resource.RLIM_INFINITY else min(needed, highest)
        with suppress(ValueError, OSError):  # where that is refused, fewer wait at once
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, highest))
    most = max(_FEWEST_AT_ONCE, min(WAITING.most, (allowed - _OTHER_FILES) // 2))
    return replace(WAITING, most=most, reserve=most // 10)


def room_to_work(memory: Path = Path("/proc/meminfo")) -> ProbeLimits:
    """Return how many probe processes may run at once: as many as the free memory has room for."""
    most = min(WAITING.most // 4, max(WORKING.most // 2, _available(memory) // _PROCESS_BYTES))
    return replace(WORKING, most=most, reserve=most // 4)


def _available(memory: Path) -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in memory.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0
