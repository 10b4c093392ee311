"""Signals to processes, sent through a pidfd so that they reach the process that was meant and no other."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from switchover.errors import RefusedError
from switchover.services.processes.pidfd import exit_words, open_pidfd
from switchover.services.processes.process_table import read_command, read_row
from switchover.services.provider_api import Capability

__all__ = ["SIGNALS", "Guard", "send"]

SIGNALS: Mapping[Capability, signal.Signals] = {
    Capability.STOP: signal.SIGTERM,
    Capability.KILL: signal.SIGKILL,
    Capability.PAUSE: signal.SIGSTOP,
    Capability.START: signal.SIGCONT,
}
_WAIT_S = 3.0
_STEP_S = 0.005
_LAUNCHER = "/switchover/migration/steps/launcher.py"


def _ancestors() -> frozenset[int]:
    """Return this process and those that it came from."""
    found: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        row = read_row(pid)
        pid = row.parent if row is not None else 0
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Guard:
    """Knows which processes are never signalled from here."""

    own: int = field(default_factory=os.getpid)
    lineage: frozenset[int] = field(default_factory=_ancestors)

    def why(self, pid: int, line: str) -> str:
        """Say why a process is left alone; empty where it need not be. `line` is its command line."""
        if pid == 1:
            return "pid 1 is what everything else here runs under"
        if pid == self.own:
            return "this is the agent itself; `switchover agent stop` ends it"
        if pid in self.lineage:
            return f"the agent runs under pid {pid}"
        if _LAUNCHER in line:
            return f"pid {pid} keeps a step of a run; the run's own keys stop it"
        return ""


def send(process: tuple[int, int], action: Capability, wait_s: float = _WAIT_S) -> str:
    """Send the signal and return what came of it within `wait_s`. Blocks. Raise `RefusedError` where it may not.

    `process` is the pid and the start in ticks of the one that is meant.
    """
    pid, ticks = process
    number = SIGNALS[action]
    if why := Guard().why(pid, " ".join(read_command(pid))):
        raise RefusedError(why)
    try:
        descriptor = open_pidfd(pid, ticks)
    except OSError as error:
        raise RefusedError(f"pid {pid} cannot be held: {error.strerror}") from error
    if descriptor is None:
        raise RefusedError(f"pid {pid} has ended already", "look at the list again")
    try:
        signal.pidfd_send_signal(descriptor, number)
        if action in (Capability.STOP, Capability.KILL):
            return _until_ended(process, descriptor, number, wait_s)
        return _until_state(process, number, wait_s, halted=action is Capability.PAUSE)
    except ProcessLookupError as error:
        raise RefusedError(f"pid {pid} has ended already", "look at the list again") from error
    except PermissionError as error:
        raise RefusedError(f"not allowed: pid {pid} belongs to another user", "act as that user, or as root") from error
    finally:
        os.close(descriptor)


def _until_ended(process: tuple[int, int], descriptor: int, number: signal.Signals, wait_s: float) -> str:
    began = time.monotonic()
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    if not poller.poll(wait_s * 1000):
        still = f"{number.name} was sent, and pid {process[0]} still runs after {wait_s:.0f} s"
        row = read_row(process[0])
        return f"{still}: it waits in the kernel" if row is not None and row.state == "D" else still
    how = exit_words(*process, descriptor)
    return f"pid {process[0]} ended after {time.monotonic() - began:.1f} s" + (f": {how}" if how else "")


def _until_state(process: tuple[int, int], number: signal.Signals, wait_s: float, *, halted: bool) -> str:
    limit = time.monotonic() + wait_s
    while time.monotonic() < limit:
        row = read_row(process[0])
        if row is None or row.process != process:
            return f"pid {process[0]} ended"
        if (row.state == "T") is halted:
            return f"pid {process[0]} " + ("is paused" if halted else "runs again")
        time.sleep(_STEP_S)
    return f"{number.name} was sent, and pid {process[0]} has not heeded it after {wait_s:.0f} s"
