"""Processes as /proc shows them: who lives, since when, and who carries a demo's mark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from switchover.demo.layout import MARKER_VARIABLE, Demo

__all__ = ["agents_of", "ancestors", "marked", "start_time"]


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name (state first); none where there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def start_time(pid: int) -> int | None:
    """When a process was started, in clock ticks since boot; None where it is gone or only a corpse."""
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def ancestors() -> set[int]:
    """Return this process and those above it."""
    found, pid = set(), os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        fields = _stat(pid)
        pid = int(fields[1]) if fields else 0
    return found


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def marked(demo: Demo) -> set[int]:
    """Return what a demo started, by the mark in the environment: no record is needed, and none can be lost."""
    mark = os.fsencode(f"{MARKER_VARIABLE}={demo.directory}")
    return {pid for pid in _pids() if mark in _read(pid, "environ").split(b"\0") and start_time(pid) is not None}


def agents_of(plan: Path) -> set[int]:
    """Return the agents that serve `plan`, by their command line, whichever state directory they use."""
    name = os.fsencode(plan)
    found = set()
    for pid in _pids():
        words = _read(pid, "cmdline").split(b"\0")
        if b"agent" in words and name in words and start_time(pid) is not None:
            found.add(pid)
    return found


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
