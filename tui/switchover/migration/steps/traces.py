"""What the kernel knows of an attempt: its shim and its step's processes, without any record on disk."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path

from switchover.migration.steps.shim_records import MARK, shim_name, start_time

__all__ = ["living_shim", "marked_processes", "open_process", "session_members"]

_PROC = Path("/proc")
_GONE = (b"Z", b"X")


def open_process(pid: int, started: int) -> int | None:
    """Return a pidfd for exactly the process that had this pid and start time, or None when it is gone."""
    return _open(pid, lambda: start_time(pid) == started)


def session_members(leader: int, leader_started: int) -> tuple[int, ...]:
    """Return the living processes of the session that `leader` opened, the leader included."""
    return tuple(
        pid for pid, state, session, began in _processes() if session == leader and began >= leader_started and state
    )


def living_shim(started: str, accounts: Collection[int] = ()) -> int | None:
    """Return a pidfd for the shim of the attempt that this record announced. Its name is the record's hash.

    Only a process of ours, of root, or of one of `accounts` is believed. Anybody can take a name.
    """
    if not started:
        return None
    name = shim_name(started).encode()
    for pid, state, _, began in _processes():
        if state and _is_of(pid, {os.geteuid(), 0, *accounts}) and _read(pid, "comm").rstrip(b"\n") == name:
            pidfd = open_process(pid, began)
            if pidfd is not None:
                return pidfd
    return None


def marked_processes(started: str) -> tuple[int, ...]:
    """Return the living processes of the session that a step began in, found by the mark in their environment.

    What the step has sent into sessions of its own, such as a service, is not among them.
    """
    if not started:
        return ()
    mark = f"{MARK}={started}:".encode()
    found = []
    for pid, state, session, _ in _processes():
        if not state:
            continue
        words = _read(pid, "environ").split(b"\0")
        if any(word.startswith(mark) and word.removeprefix(mark) == str(session).encode() for word in words):
            found.append(pid)
    return tuple(found)


def _processes() -> Iterator[tuple[int, bool, int, int]]:
    """Yield each process: its pid, whether it lives, its session, its start time in clock ticks since the boot."""
    for entry in sorted(int(name) for name in os.listdir(_PROC) if name.isdigit()):  # noqa: PTH208
        with suppress(OSError, IndexError, ValueError):
            fields = _read(entry, "stat").rpartition(b")")[2].split()
            yield entry, fields[0] not in _GONE, int(fields[3]), int(fields[19])


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def _is_of(pid: int, accounts: Collection[int]) -> bool:
    try:
        return (_PROC / str(pid)).stat().st_uid in accounts
    except OSError:
        return False


def _open(pid: int, is_it: Callable[[], bool]) -> int | None:
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    with suppress(OSError, ValueError, IndexError):
        if is_it() and not select.select([pidfd], [], [], 0)[0]:  # nobody has reaped it yet, but it is through
            return pidfd
    os.close(pidfd)
    return None
