"""Processes held by a pidfd: their end is reported within a millisecond, and signals reach no other.

A pid comes again, a pidfd does not. It stands for the process that had the pid when it was opened.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import signal
import struct
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress

from switchover.services.processes.process_table import read_row

__all__ = ["PidWatch", "exit_words", "open_pidfd"]

_GET_INFO = 0xC040FF0B  # PIDFD_GET_INFO, whose answer has an exit status from Linux 6.15 on
_WITH_EXIT = 1 << 3
_SPARE = 512  # file descriptors that are left to everything else
_WISHED = 4096


def open_pidfd(pid: int, ticks: int) -> int | None:
    """Return a pidfd of the process `pid` that started at `ticks`; None when it is gone. Raise `OSError` otherwise."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    row = read_row(pid)
    if row is not None and row.ticks == ticks:
        return descriptor
    os.close(descriptor)
    return None


def exit_words(pid: int, ticks: int, descriptor: int) -> str:
    """Say how a process ended: `exit 1`, `killed by SIGKILL`; empty where the kernel does not tell."""
    status = _status_of_zombie(pid, ticks)
    if status is None:
        status = _status_of_reaped(descriptor)
    return "" if status is None else status_words(status)


def status_words(status: int) -> str:
    """Say what a status of `wait` means: `exit 1`, `killed by SIGKILL`."""
    if number := status & 0x7F:
        name = signal.Signals(number).name if number in signal.valid_signals() else f"signal {number}"
        return f"killed by {name}" + (", core dumped" if status & 0x80 else "")
    return f"exit {status >> 8}"


def _status_of_zombie(pid: int, ticks: int) -> int | None:
    """Read the exit status while the parent has not; the kernel shows it to the same user and to root."""
    row = read_row(pid)
    if row is None or row.ticks != ticks or row.state != "Z":
        return None
    return row.exit_status


def _status_of_reaped(descriptor: int) -> int | None:
    answer = bytearray(64)
    struct.pack_into("Q", answer, 0, _WITH_EXIT)
    with suppress(OSError):
        fcntl.ioctl(descriptor, _GET_INFO, answer)
        if int.from_bytes(answer[:8], "little") & _WITH_EXIT:
            return struct.unpack_from("i", answer, 60)[0]  # type: ignore[no-any-return]
    return None


class PidWatch:
    """Tells which processes end. Use it in one event loop.

    Each process takes a file descriptor, so there is an upper bound. The end of a process beyond it is only seen by the
    next inspection. `most` is that bound, else what the limit of open files leaves (raised to 4096 where it may be).
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._held: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, process: tuple[int, int]) -> bool:
        return process in self._held

    def watch(self, process: tuple[int, int], tell: Callable[[tuple[int, int], str], None]) -> bool:
        """Call `tell` with the process (pid, start in ticks) and how it ended, once it has. False: it is gone already.

        True also where there is no room for it.
        """
        if process in self._held or len(self._held) >= self._room():
            return True
        try:
            descriptor = open_pidfd(*process)
        except OSError:  # too many open files, or no such call here
            return True
        if descriptor is None:
            return False
        self._held[process] = descriptor

        def ended() -> None:
            words = exit_words(*process, descriptor)
            self.forget(process)
            tell(process, words)

        asyncio.get_running_loop().add_reader(descriptor, ended)
        return True

    def forget(self, process: tuple[int, int]) -> None:
        """Watch this process no longer."""
        if (descriptor := self._held.pop(process, None)) is not None:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)

    def keep(self, processes: AbstractSet[tuple[int, int]]) -> None:
        """Watch none but these any longer."""
        for process in self._held.keys() - processes:
            self.forget(process)

    def _room(self) -> int:
        if self._most is None:
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            if soft != resource.RLIM_INFINITY and soft < _WISHED:
                wished = _WISHED if hard == resource.RLIM_INFINITY else min(hard, _WISHED)
                with suppress(OSError, ValueError):
                    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wished), hard))
                soft = max(soft, wished)
            self._most = _WISHED if soft == resource.RLIM_INFINITY else max(soft - _SPARE, 0)
        return self._most
