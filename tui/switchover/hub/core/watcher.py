"""Watches everything in its rhythm and keeps what was seen; knows no Snapshot."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from switchover.clock import Clock
from switchover.health.check_state import CheckState, EffectiveStatus, advance, stand
from switchover.health.maintenance import MaintenanceTimes
from switchover.health.probing import CheckObservation, Evaluator
from switchover.health.schedule import Schedule
from switchover.health.uptime import Uptime
from switchover.health.watched_phases import not_watched
from switchover.hub.core.maintenance_watch import MaintenanceWatch
from switchover.hub.core.metric_looks import MetricLooks
from switchover.hub.history.change_log import ChangeLog
from switchover.hub.history.kept_checks import KeptChecks
from switchover.hub.hub_ports import WatchHub
from switchover.hub.services.check_rows import clock_text
from switchover.hub.services.service_watch import ServiceWatch
from switchover.metrics.sampler import Sampler
from switchover.snapshot import TimelineRow
from switchover.snapshot.states import EventKind, NamedStatus
from switchover_checks.api import Status

__all__ = ["PlanWatcher"]

_log = logging.getLogger("switchover.hub")
_Key = tuple[str, str]
_BAD = (Status.WARN, Status.CRIT, Status.UNKNOWN)
_NEED_WAIT_S = 0.25
_KEEP_S = 30.0
_SHORTEST_SLEEP_S = 0.02


class PlanWatcher:
    """Holds the live state of checks, services and metrics, and tells the hub whenever some of it is new."""

    def __init__(
        self,
        evaluator: Evaluator | None,
        services: ServiceWatch,
        sampler: Sampler,
        clock: Clock,
        hub: WatchHub,
        *,
        kept: KeptChecks | None = None,
    ) -> None:
        self.evaluator = evaluator
        self.services = services
        self.sampler = sampler
        self.checks: dict[str, CheckState] = {}
        times = evaluator.maintenance if evaluator is not None else MaintenanceTimes({}, Path())
        self.maintenance = MaintenanceWatch(times, clock)
        self.uptimes: dict[str, Uptime] = {}
        self._shares: dict[str, tuple[float | None, ...]] = {}
        self.changes: ChangeLog = services.changes
        self.troubled: dict[str, str] = {}
        self._kept = kept
        self._clock = clock
        self._hub = hub
        self._schedule: Schedule[_Key] = Schedule()
        self._work: dict[_Key, Callable[[], Awaitable[None]]] = {}
        self._under_way: dict[_Key, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._dependants: dict[str, list[str]] = {}
        if evaluator is not None:
            self.checks = {name: CheckState() for name in evaluator.catalog.items}
            for name, item in evaluator.catalog.items.items():
                for need in item.needs:
                    self._dependants.setdefault(need, []).append(name)
            if kept is not None:
                self.uptimes = kept.restore(evaluator.catalog.items, self.checks)
                self._shares = {name: uptime.shares(clock.now()) for name, uptime in self.uptimes.items()}
            evaluator.subscribe(self._adopt)
            evaluator.measured_by = MetricLooks(evaluator, self, clock)

    def every(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` again and again. A round that is late makes the next one drop out."""
        self._work["job", name] = work
        self._schedule.add(("job", name), seconds, self._clock.monotonic())
        self._wake.set()

    def take_over(self, before: PlanWatcher) -> None:
        """Keep what another one has seen of the checks, services and metrics that are the same here."""
        self.services.take_over(before.services)
        self.sampler.take_over(before.sampler)
        if self.evaluator is not None and before.evaluator is not None:
            old = before.evaluator.catalog.items
            for name, item in self.evaluator.catalog.items.items():
                if old.get(name) == item:
                    self.checks[name] = before.checks[name]
                if name in before.uptimes and name in old and old[name].spec.kind == item.spec.kind:
                    self.uptimes[name] = before.uptimes[name]
                    self._shares[name] = before.uptime_of(name)

    async def run(self) -> None:
        """Watch until cancelled."""
        if self.maintenance.times:  # before anything is told
            await self._follow_maintenance()
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
            await self._keep()

    async def _keep(self) -> None:
        """Keep what is known of checks over time."""
        if self._kept is not None and self.evaluator is not None:
            await self._kept.keep(self.evaluator.catalog.items, self.checks, self.uptimes)

    @property
    def trouble(self) -> str:
        """Why an agent that starts anew would not know how checks fared; empty while it would."""
        return self._kept.trouble if self._kept is not None else ""

    def _plan_work(self) -> None:
        now = self._clock.monotonic()
        if self.evaluator is not None:
            for name, item in self.evaluator.catalog.items.items():
                if item.spec.on_demand:
                    continue
                self._work["check", name] = partial(self._probe_check, name)
                self._schedule.add(("check", name), max(item.spec.every_s, 0.1), now)
        self.every("kept checks", _KEEP_S, self._keep)
        if self.maintenance.times:
            self.every("maintenance", 1.0, self._follow_maintenance)
        for job, every, work in self.services.jobs():
            self.every(job, every, work)
        for every, metrics in self.sampler.rhythms():
            self.every(f"metrics {metrics[0]}", max(every, 0.1), partial(self._sample, metrics))

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
            self._hub.changed()
        else:
            if self.troubled.pop(key[1], None) is not None:
                self._hub.changed()

    # Checks

    def resting(self, name: str) -> str:
        """Say why a check is not watched now; empty when it is."""
        assert self.evaluator is not None
        item = self.evaluator.catalog.items[name]
        if item.spec.on_demand and self.checks[name].observed_mono is None:
            return "looked at only when a gate or a person asks"
        return not_watched(item.presence, self._hub.phases())

    def uptime_of(self, name: str) -> tuple[float | None, ...]:
        """Return which share of the last hour, day and week a check was fine; as of its last look."""
        return self._shares.get(name, ())

    def is_watched(self, name: str) -> bool:
        """Whether it is looked at now without being asked for."""
        assert self.evaluator is not None
        return not self.evaluator.catalog.items[name].spec.on_demand and not self.resting(name)

    def standing(self, name: str) -> EffectiveStatus:
        """Say how a check stands at this moment."""
        assert self.evaluator is not None
        state, item = self.checks[name], self.evaluator.catalog.items[name]
        stands = stand(state, item.rule, mono=self._clock.monotonic(), clock_text=clock_text(state.observed_at))
        if stands.status not in _BAD or (now := self.maintenance.of((name, item.service))) is None:
            return stands
        summary = f"{now.words}; {stands.status.label}: {stands.summary}"
        return replace(stands, status=Status.SKIPPED, summary=summary, at_this_moment=stands.unheld)

    def _need(self, name: str) -> Status:
        """Return how a need stands at this very moment, also where it is held because it is unsteady."""
        if name not in self.checks:
            return self.services.health(name)
        return self.standing(name).unheld

    async def _probe_check(self, name: str) -> None:
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
        """Say whether a need that was never probed will not be: it is not watched, or waits for a variable."""
        if need in self.checks:
            return bool(self.resting(need))
        return self.services.was_observed(need)

    def _adopt(self, reading: CheckObservation) -> None:
        assert self.evaluator is not None
        name = reading.name
        stood = self.standing(name)
        before = stood.unheld
        mono = self._clock.monotonic()
        self._count_time(name, reading, mono)
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
        stands = self.standing(name)
        if bool(stands.changes) is not bool(stood.changes):
            self._tell_unsteady(name, stands, at=state.observed_at)
        elif state.status is not before and stands.at_this_moment is None:
            self._tell_check(name, before, state)
        if (state.status is Status.OK) != (before is Status.OK):
            self.probe_dependants_now(name)
        if reading.result.status is not Status.SKIPPED:
            self.sampler.note_check(
                name,
                reading.result.metrics,
                reading.duration_s,
                at=reading.observed_at,
                mono=mono,
                rests=self.metric_rests,
            )
        self._hub.changed()

    def _tell_check(self, name: str, before: Status, state: CheckState) -> None:
        waits_for_variable = any(need.startswith("variable ") for need in state.waits_for)
        if (state.status in _BAD and not waits_for_variable) or (state.status is Status.OK and before in _BAD):
            text = f"{name} {state.status.label}: {state.result.summary}"
            self.remember("check", text, state.status.label, at=state.observed_at)

    async def _follow_maintenance(self) -> None:
        """Say what begins and ends. What still fails at an end is told then."""
        assert self.evaluator is not None
        began, ended = await self.maintenance.follow()
        for text in (*began, *(f"maintenance {name} is over" for name in ended)):
            self.remember("check", text)
        for name, state in self.checks.items() if ended else ():
            stands, names = self.standing(name), (name, self.evaluator.catalog.items[name].service)
            if stands.status in _BAD and not self.resting(name) and self.maintenance.was_about(names, ended):
                since = f" since {clock_text(state.wrong_since)}" if state.wrong_since is not None else ""
                text = f"{name} {stands.status.label}{since}, and still after the maintenance: {stands.summary}"
                self.remember("check", text, stands.status.label)
        if began or ended:
            self._hub.changed()

    def _tell_unsteady(self, name: str, stands: EffectiveStatus, *, at: float | None) -> None:
        if stands.changes:
            self.remember("check", f"{name} {stands.summary}", stands.status.label, at=at)
        else:
            self.remember("check", f"{name} is steady again: {stands.summary}", stands.status.label, at=at)

    def _count_time(self, name: str, reading: CheckObservation, mono: float) -> None:
        """Add the time since the last result to the uptime, as it stood through it."""
        assert self.evaluator is not None
        before, item = self.checks[name], self.evaluator.catalog.items[name]
        if (
            self.maintenance.of((name, item.service)) is not None
            or before.observed_mono is None
            or before.status not in (Status.OK, *_BAD)
            or item.spec.on_demand
        ):
            return
        seconds = min(mono - before.observed_mono, item.rule.stale_after_s)
        fine = before.status in (Status.OK, Status.WARN)
        uptime = self.uptimes.setdefault(name, Uptime())
        uptime.add(reading.observed_at, seconds, fine=fine)
        self._shares[name] = uptime.shares(reading.observed_at)

    def probe_dependants_now(self, name: str) -> None:
        """Look at once at what needs `name`."""
        now = self._clock.monotonic()
        for dependant in self._dependants.get(name, ()):
            self._schedule.soon(("check", dependant), now)
        self._wake.set()

    # Metrics and the rest

    def metric_rests(self, name: str) -> str:
        """Say why a metric is not measured now; empty when it is."""
        presence = self.evaluator.catalog.metrics.get(name) if self.evaluator is not None else None
        return not_watched(presence, self._hub.phases()) if presence is not None else ""

    async def _sample(self, names: tuple[str, ...]) -> None:
        await self.sampler.sample([name for name in names if not self.metric_rests(name)])
        self._hub.changed()

    def remember(self, kind: EventKind, text: str, status: NamedStatus = "", *, at: float | None = None) -> None:
        """Put something on the timeline."""
        self.changes.add(TimelineRow(at if at is not None else self._clock.now(), kind, text, status))
