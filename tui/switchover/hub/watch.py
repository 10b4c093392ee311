"""Watches everything in its rhythm and keeps what was seen; knows no Snapshot."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from switchover.clock import Clock
from switchover.health.phases import PhaseMark, not_watched
from switchover.health.probe import Evaluator, Reading
from switchover.health.schedule import Schedule
from switchover.health.state import CheckState, Standing, advance, stand
from switchover.hub.rows import clock_text
from switchover.metrics.sampler import Sampler
from switchover.services.api import RunState
from switchover.services.host import HostProcesses, ProcessSeen
from switchover.services.inventory import Inventory, ServiceState
from switchover.snapshot import TimelineRow
from switchover_checks.api import Status

__all__ = ["Watcher"]

_log = logging.getLogger("switchover.hub")
_Key = tuple[str, str]
_BAD = (Status.WARN, Status.CRIT, Status.UNKNOWN)
_NEED_WAIT_S = 0.25
_SHORTEST_SLEEP_S = 0.02
_TIMELINE = 200
HOST_TOP_S = 5.0


class Watcher:
    """Holds the live state of checks, services and metrics; `changed` is called whenever some of it is new.

    `phases` tells how far the run is, for the checks that are watched in some phases only.
    """

    def __init__(
        self,
        evaluator: Evaluator | None,
        inventory: Inventory | None,
        sampler: Sampler,
        clock: Clock,
        *,
        phases: Callable[[], Mapping[str, PhaseMark]],
        changed: Callable[[], None],
    ) -> None:
        self.evaluator = evaluator
        self.inventory = inventory
        self.sampler = sampler
        self.checks: dict[str, CheckState] = {}
        self.timeline: deque[TimelineRow] = deque(maxlen=_TIMELINE)
        self.troubled: dict[str, str] = {}
        self.top: tuple[ProcessSeen, ...] = ()
        self.top_at: float | None = None
        self._clock = clock
        self._phases = phases
        self._changed = changed
        self._schedule: Schedule[_Key] = Schedule()
        self._work: dict[_Key, Callable[[], Awaitable[None]]] = {}
        self._under_way: dict[_Key, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._host = HostProcesses(clock.monotonic)
        self._dependants: dict[str, list[str]] = {}
        if evaluator is not None:
            self.checks = {name: CheckState() for name in evaluator.catalog.items}
            for name, item in evaluator.catalog.items.items():
                for need in item.needs:
                    self._dependants.setdefault(need, []).append(name)
            evaluator.subscribe(self._adopt)

    def every(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` again and again; a round that is not over when the next is due makes that one drop out."""
        self._work["job", name] = work
        self._schedule.add(("job", name), seconds, self._clock.monotonic())
        self._wake.set()

    def take_over(self, before: Watcher) -> None:
        """Keep what another one has seen of the checks, services and metrics that are the same here."""
        self.timeline.extend(before.timeline)
        self.sampler.take_over(before.sampler)
        if self.inventory is not None and before.inventory is not None:
            self.inventory.take_over(before.inventory)
        if self.evaluator is not None and before.evaluator is not None:
            old = before.evaluator.catalog.items
            for name, item in self.evaluator.catalog.items.items():
                if old.get(name) == item:
                    self.checks[name] = before.checks[name]

    async def run(self) -> None:
        """Watch until cancelled."""
        self._plan_work()
        self._under_way["job", "prime"] = asyncio.create_task(self.sampler.prime(), name="prime")
        try:
            while True:
                now = self._clock.monotonic()
                for key in self._schedule.due(now):
                    self._begin(key)
                self._wake.clear()
                wait = self._schedule.wait(self._clock.monotonic())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(wait, _SHORTEST_SLEEP_S) if wait is not None else None):
                        await self._wake.wait()
        finally:
            tasks = list(self._under_way.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _plan_work(self) -> None:
        now = self._clock.monotonic()
        if self.evaluator is not None:
            for name, item in self.evaluator.catalog.items.items():
                self._work["check", name] = partial(self._look_at_check, name)
                self._schedule.add(("check", name), max(item.spec.every, 0.1), now)
        if self.inventory is not None:
            groups: dict[tuple[str, float], list[str]] = {}
            for name, service in self.inventory.services.items():
                alone = name if service.kind == "http" else ""  # a slow answer keeps nobody waiting
                groups.setdefault((f"{service.kind} {alone}", service.every), []).append(name)
            for (kind, every), names in groups.items():
                self.every(f"services {kind} {every}", max(every, 0.1), partial(self._look_at_services, names))
        if self.evaluator is None:
            self.every("processes", HOST_TOP_S, self._look_at_host)
        for every, metrics in self.sampler.rhythms().items():
            self.every(f"metrics {every}", max(every, 0.1), partial(self._sample, metrics))

    def _begin(self, key: _Key) -> None:
        if key in self._under_way:
            return
        task = asyncio.create_task(self._guarded(key), name=" ".join(key))
        self._under_way[key] = task

        def over(_: asyncio.Task[None]) -> None:
            self._under_way.pop(key, None)

        task.add_done_callback(over)

    async def _guarded(self, key: _Key) -> None:
        """Do a piece of work; what goes wrong costs only itself, and is said."""
        try:
            await self._work[key]()
        except Exception as error:
            _log.exception("watching %s failed", " ".join(key))
            self.troubled[key[1]] = f"{type(error).__name__}: {error}"[:200]
            self._changed()
        else:
            if self.troubled.pop(key[1], None) is not None:
                self._changed()

    # Checks

    def resting(self, name: str) -> str:
        """Say why a check is not watched now; empty when it is."""
        assert self.evaluator is not None
        return not_watched(self.evaluator.catalog.items[name].spec, self._phases())

    def standing(self, name: str) -> Standing:
        """Say how a check stands at this moment."""
        assert self.evaluator is not None
        state = self.checks[name]
        rule = self.evaluator.catalog.items[name].rule
        return stand(state, rule, mono=self._clock.monotonic(), clock_text=clock_text(state.observed_at))

    def service_health(self, name: str) -> Status:
        """Say how a service is; UNKNOWN when it was not looked at in time."""
        if self.inventory is None or name not in self.inventory.states:
            return Status.UNKNOWN
        state = self.inventory.states[name]
        if state.observed_mono is None:
            return Status.PENDING
        if self._clock.monotonic() - state.observed_mono > 3 * self.inventory.services[name].every + 5.0:
            return Status.UNKNOWN
        return state.seen.health

    def _need(self, name: str) -> Status:
        return self.standing(name).status if name in self.checks else self.service_health(name)

    async def _look_at_check(self, name: str) -> None:
        assert self.evaluator is not None
        if self.resting(name) or self.evaluator.busy(name):
            return
        needs = {need: self._need(need) for need in self.evaluator.catalog.items[name].needs}
        if any(status is Status.PENDING and not self._need_rests(need) for need, status in needs.items()):
            self._schedule.soon(("check", name), self._clock.monotonic() + _NEED_WAIT_S)
            self._wake.set()
            return
        await self.evaluator.probe(name, needs)

    def _need_rests(self, need: str) -> bool:
        """Say whether a need that was never looked at will not be: it is not watched, or waits for a variable."""
        if need in self.checks:
            return bool(self.resting(need))
        return self.inventory is None or self.inventory.states[need].observed_mono is not None

    def _adopt(self, reading: Reading) -> None:
        assert self.evaluator is not None
        name = reading.name
        before = self.standing(name).status
        mono = self._clock.monotonic()
        state = advance(
            self.checks[name],
            reading.result,
            self.evaluator.catalog.items[name].rule,
            at=reading.observed_at,
            mono=mono,
            duration_s=reading.duration_s,
            waits_for=reading.waits_for,
        )
        self.checks[name] = state
        if state.status is not before:
            self._tell_check(name, before, state)
            if (state.status is Status.OK) != (before is Status.OK):
                self._hurry_dependants(name)
        if reading.result.status is not Status.SKIPPED:
            self.sampler.note_check(name, reading.result.metrics, reading.duration_s, at=reading.observed_at, mono=mono)
        self._changed()

    def _tell_check(self, name: str, before: Status, state: CheckState) -> None:
        waits_for_variable = any(need.startswith("variable ") for need in state.waits_for)
        if (state.status in _BAD and not waits_for_variable) or (state.status is Status.OK and before in _BAD):
            text = f"{name} {state.status.label}: {state.result.summary}"
            self.remember("check", text, state.status.label, at=state.observed_at)

    def _hurry_dependants(self, name: str) -> None:
        now = self._clock.monotonic()
        for dependant in self._dependants.get(name, ()):
            self._schedule.soon(("check", dependant), now)
        self._wake.set()

    # Services, metrics, host

    async def _look_at_services(self, names: list[str]) -> None:
        assert self.inventory is not None
        before = {name: self.inventory.states[name] for name in names}
        await self.inventory.look(names)
        for name in names:
            self._tell_service(name, before[name], self.inventory.states[name])
        self._changed()

    def _tell_service(self, name: str, before: ServiceState, after: ServiceState) -> None:
        was, seen = before.seen, after.seen
        if seen.state is was.state and seen.health is was.health and after.restarts == before.restarts:
            return
        if (seen.health is Status.OK) != (was.health is Status.OK):
            self._hurry_dependants(name)
        if before.observed_at is None:
            return  # the first look is no change
        if after.restarts != before.restarts:
            text = f"{name} restarted" + (f", now pid {seen.pid}" if seen.pid else "")
        elif seen.state is not was.state:
            text = f"{name} {seen.state}" + (f": {seen.detail}" if seen.detail else "")
        else:
            text = f"{name} {seen.health.label}" + (f": {seen.detail}" if seen.detail else "")
        bad = seen.state is not RunState.RUNNING or seen.health in _BAD
        self.remember("service", text, seen.health.label if bad else "ok", at=after.observed_at)

    async def _sample(self, names: tuple[str, ...]) -> None:
        await self.sampler.sample(names)
        self._changed()

    async def _look_at_host(self) -> None:
        self.top = await self._host.top()
        self.top_at = self._clock.now()
        self._changed()

    def remember(self, kind: str, text: str, status: str = "", *, at: float | None = None) -> None:
        """Put something on the timeline."""
        self.timeline.append(TimelineRow(at if at is not None else self._clock.now(), kind, text, status))
