"""A row of the process table as the `Observation` of a service."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256

from switchover.services.processes.pidfd import status_words
from switchover.services.processes.process_table import TICKS_PER_SECOND, ProcessFacts, ProcessRow, is_frozen
from switchover.services.provider_api import Capability, Observation, ProcessState
from switchover_checks.api import Status

__all__ = ["ProcessUsage", "ended", "observe_process"]

_SHORTEST_S = 0.5  # ticks are 10 ms: over less time than this a percentage means nothing
_STUCK_S = 2.0
_ASKED = ("SIGTERM", "SIGINT", "SIGHUP", "SIGPIPE")
_RUNNING = frozenset({Capability.STOP, Capability.KILL, Capability.PAUSE})
_HALTED = frozenset({Capability.START, Capability.KILL})


@dataclass(slots=True)
class ProcessUsage:
    """What each process had used at the last look, to tell what it used since, and since when it hangs."""

    _used: dict[tuple[int, int], tuple[float, int, float | None]] = field(default_factory=dict)
    _stuck: dict[tuple[int, int], float] = field(default_factory=dict)

    def percent(self, row: ProcessRow, mono: float) -> float | None:
        """Return the CPU since the last look in percent of one core; None on the first look at a process."""
        before = self._used.get(row.process)
        if before is not None and mono - before[0] < _SHORTEST_S:
            return before[2]
        percent = None
        if before is not None:
            percent = round(max(0.0, 100 * (row.used - before[1]) / TICKS_PER_SECOND / (mono - before[0])), 1)
        self._used[row.process] = mono, row.used, percent
        return percent

    def stuck(self, row: ProcessRow, mono: float) -> bool:
        """Say whether the process has hung in the kernel for some time; a moment of it is ordinary."""
        if row.state != "D":
            self._stuck.pop(row.process, None)
            return False
        return mono - self._stuck.setdefault(row.process, mono) >= _STUCK_S

    def keep(self, processes: Collection[tuple[int, int]]) -> None:
        """Forget all but these."""
        wanted = set(processes)
        for book in (self._used, self._stuck):
            for process in book.keys() - wanted:
                del book[process]


def observe_process(
    row: ProcessRow,
    facts: ProcessFacts,
    usage: ProcessUsage,
    mono: float,
    ports: tuple[str, ...],
    *,
    planned: bool,
    guarded: bool,
) -> Observation:
    """Return the observation of a process. One that is halted and in no plan is worth a warning only."""
    if row.state in "ZX":
        how = status_words(row.exit_status)
        detail = f"pid {row.pid} ended: {how}; it waits for its parent"
        if row.parent > 1:
            detail += f" (pid {row.parent})"
        health = _health_of_end(how, planned=planned)
        return Observation(
            ProcessState.STOPPED, health, detail, pid=row.pid, identity=row.identity, parent=row.parent, user=facts.user
        )
    health, detail, can = Status.OK, "", _RUNNING
    if row.state == "T":
        health, detail, can = Status.CRIT if planned else Status.WARN, "stopped by a signal (SIGSTOP)", _HALTED
    elif row.state == "t":
        health, detail = Status.WARN, "held by a debugger"
    elif row.state == "D" and is_frozen(row.pid):  # whoever froze it tells: the container is paused
        health, detail = Status.CRIT if planned else Status.OK, "frozen by its control group"
    elif usage.stuck(row, mono):
        health, detail = Status.WARN, "waits in the kernel for a disk or the network, and no signal reaches it"
    return Observation(
        ProcessState.RUNNING,
        health,
        detail,
        pid=row.pid,
        started_at=facts.started_at,
        cpu_percent=usage.percent(row, mono),
        memory_bytes=row.memory_bytes,
        identity=row.identity,
        config=sha256(facts.line.encode("utf-8", "surrogateescape")).hexdigest()[:16] if planned else "",
        ports=ports,
        user=facts.user,
        parent=row.parent or None,
        can=can if not guarded and os.geteuid() in (0, facts.uid) else frozenset(),
    )


def ended(process: tuple[int, int], how: str, *, planned: bool) -> Observation:
    """Return what is published about a process that has just ended. `how` says how, where the kernel knows."""
    detail = f"pid {process[0]} ended" + (f": {how}" if how else "")
    health = _health_of_end(how, planned=planned)
    return Observation(ProcessState.STOPPED, health, detail, identity=f"{process[0]}:{process[1]}")


def _health_of_end(how: str, *, planned: bool) -> Status:
    """Judge an end. Whatever nobody planned for may end by itself, or because it was asked to."""
    if planned:
        return Status.CRIT
    return Status.WARN if how.startswith("killed by ") and not how.endswith(_ASKED) else Status.SKIPPED
