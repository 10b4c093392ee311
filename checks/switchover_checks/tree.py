"""Ending a process and all that came from it, also what moved into a session of its own.

Descendants are found by their parents and by a marker in their environment, so a child survives neither by `setsid`
nor by losing its parent.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from pathlib import Path

__all__ = ["MARKER", "end_tree", "new_marker", "survivors"]

MARKER = "SWITCHOVER_PROBE_"
"""The beginning of the name of an environment variable that every process of a probe inherits; one for each probe."""

_PASSES = 200


def new_marker() -> str:
    """Make the name of an environment variable that no other process has."""
    return MARKER + secrets.token_hex(12)


def survivors(root: int, marker: str, known: frozenset[int] = frozenset()) -> set[int]:
    """Return the pids that live and carry the marker, or descend from `root` or from one of `known`."""
    parents: dict[int, int] = {}
    marked: set[int] = set()
    needle = f"{marker}=1".encode()
    me = os.getpid()
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal():
            continue
        pid = int(entry.name)
        if pid == me:
            continue
        try:
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] in (b"Z", b"X"):
            continue
        parents[pid] = int(fields[1])
        with contextlib.suppress(OSError):
            if needle in Path(f"/proc/{pid}/environ").read_bytes():
                marked.add(pid)
    family = marked | ({root} | known) & parents.keys()
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if (parent in family or parent == root) and pid not in family}
        family |= more
        grown = bool(more)
    return family


def end_tree(root: int, marker: str) -> set[int]:
    """Kill `root`, its group, its descendants and all that carry the marker. Return what could not be ended.

    Blocks for a few milliseconds, at most about two seconds: call it in a thread. `root` must not have been reaped yet,
    or have been of a session of its own, so that its number cannot mean another process.
    """
    known: frozenset[int] = frozenset()
    left: set[int] = set()
    for attempt in range(_PASSES):
        left = survivors(root, marker, known)
        if attempt == 0:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(root, signal.SIGKILL)
        if not left:
            return left
        known = frozenset(left)
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.001 if attempt < 20 else 0.01)
    return left
