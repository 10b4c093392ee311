"""Decides who may probe now. Many may wait, few may begin at once, and a hung probe never blocks a quick one.

A probe is quick when the one before it was. One that is not known yet goes before those known to be slow.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["BEGINS_S", "PATIENCE_S", "ProbeLimits", "ProbeSlots", "ProbeSpeed"]

PATIENCE_S = 1.0
"""A probe that takes longer than this is slow."""
BEGINS_S = 0.25
"""So long a probe counts as beginning, which is when a process needs the CPU."""


class ProbeSpeed(IntEnum):
    """How long a probe took the last time. The lower goes first."""

    QUICK = 0
    NOT_KNOWN = 1
    SLOW = 2


@dataclass(frozen=True, slots=True)
class ProbeLimits:
    """How many may be under way at once.

    `most` in all; `to_one_target` of the slow ones at one target; `beginning` that have just begun. 0 is any number.
    `reserve` of `most`, and a quarter of `beginning`, are kept for the quick.
    """

    most: int
    reserve: int = 0
    to_one_target: int = 0
    beginning: int = 0


@dataclass(eq=False, slots=True)
class _Probe:
    """One that waits or is under way. `slow`: it counts as slow now; `young`: as beginning."""

    pace: ProbeSpeed
    target: str
    admitted: asyncio.Future[None]
    slow: bool = False
    young: bool = False


class ProbeSlots:
    """Admits probes: the quick first; those of one pace and target in the order in which they came."""

    def __init__(self, limits: ProbeLimits) -> None:
        self._limits = limits
        self._waiting: dict[ProbeSpeed, dict[str, deque[_Probe]]] = {pace: {} for pace in ProbeSpeed}
        self._all = 0
        self._young = 0
        self._slow_at: Counter[str] = Counter()

    @asynccontextmanager
    async def hold(self, target: str, pace: ProbeSpeed) -> AsyncIterator[None]:
        """Wait for a slot and hold it. `target` is what is probed; where it is empty it does not count."""
        loop = asyncio.get_running_loop()
        probe = _Probe(pace, target, loop.create_future())
        self._waiting[pace].setdefault(target, deque()).append(probe)
        self._admit()
        try:
            await probe.admitted
        except asyncio.CancelledError:
            self._give_up(probe)
            raise
        timers = [loop.call_later(PATIENCE_S, self._slow_down, probe)]
        if self._limits.beginning:
            timers.append(loop.call_later(BEGINS_S, self._grow_old, probe))
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()
            self._leave(probe)

    def _admit(self) -> None:
        """Let in whoever has room now, a target after the other, so that none waits behind another's crowd."""
        for pace, waiting in self._waiting.items():
            for target in list(waiting):
                if not self._has_room(pace):
                    break
                queue = waiting.pop(target)
                while queue and self._has_room(pace) and (pace is ProbeSpeed.QUICK or not self._is_crowded(target)):
                    probe = queue.popleft()
                    if not probe.admitted.done():  # else it was cancelled, and has not noticed yet
                        self._enter(probe)
                        probe.admitted.set_result(None)
                if queue:
                    waiting[target] = queue

    def _has_room(self, pace: ProbeSpeed) -> bool:
        limits = self._limits
        if pace is ProbeSpeed.QUICK:
            return self._all < limits.most and not (limits.beginning and self._young >= limits.beginning)
        for_all = limits.beginning - limits.beginning // 4
        return self._all < limits.most - limits.reserve and not (limits.beginning and self._young >= for_all)

    def _is_crowded(self, target: str) -> bool:
        return bool(target and self._limits.to_one_target) and self._slow_at[target] >= self._limits.to_one_target

    def _enter(self, probe: _Probe) -> None:
        self._all += 1
        self._young += 1
        probe.young = True
        if probe.pace is not ProbeSpeed.QUICK:
            self._slow_down(probe)

    def _leave(self, probe: _Probe) -> None:
        self._all -= 1
        self._young -= probe.young
        if probe.slow:
            self._slow_at[probe.target] -= 1
            if not self._slow_at[probe.target]:
                del self._slow_at[probe.target]
        self._admit()

    def _give_up(self, probe: _Probe) -> None:
        if probe.admitted.done() and not probe.admitted.cancelled():
            self._leave(probe)
            return
        waiting = self._waiting[probe.pace]
        if probe in (queue := waiting.get(probe.target, deque())):
            queue.remove(probe)
            if not queue:
                del waiting[probe.target]

    def _slow_down(self, probe: _Probe) -> None:
        if not probe.slow:
            probe.slow = True
            self._slow_at[probe.target] += 1

    def _grow_old(self, probe: _Probe) -> None:
        probe.young = False
        self._young -= 1
        self._admit()
