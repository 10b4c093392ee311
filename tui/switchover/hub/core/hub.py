"""Owns the live state, and publishes a frozen Snapshot of it whenever something changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from switchover.applications.applications import Applications
from switchover.clock import Clock
from switchover.errors import RefusedError, SwitchoverError
from switchover.health.probing import Evaluator
from switchover.health.watched_phases import PhaseMark
from switchover.hub.core.alarms import Alarms
from switchover.hub.core.assembler import Assembler
from switchover.hub.core.follow_up import FollowUp
from switchover.hub.core.job_reports import JobReports
from switchover.hub.core.live_side import LiveSide
from switchover.hub.core.run_marks import run_marks
from switchover.hub.core.sampled_numbers import SampledNumbers
from switchover.hub.core.throttle import Throttle
from switchover.hub.core.watcher import PlanWatcher
from switchover.hub.history.baselines import Baselines
from switchover.hub.history.kept_checks import KeptChecks
from switchover.hub.history.metric_past import MetricPast
from switchover.hub.history.operations import Operations
from switchover.hub.problems.triage_service import TriageService
from switchover.hub.services.config_files import config_files_of
from switchover.hub.services.service_acting import ServiceActor
from switchover.hub.services.service_inspector import ServiceInspector
from switchover.hub.services.service_watch import ServiceWatch
from switchover.hub.services.unseen import Unseen
from switchover.locations import Workspace
from switchover.metrics.sampler import Sampler
from switchover.migration.facts.operator import Operator
from switchover.migration.run.engine import Engine
from switchover.plan.kind_calls import KindCalls
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.secrets.secret_store import SecretSource
from switchover.plan.variables import Scope
from switchover.redaction import sanitize
from switchover.services.inventory import Inventory
from switchover.services.provider_api import LogSource, LogSpan, ServiceTarget
from switchover.snapshot import Holder, ServiceRow, Snapshot, SourceNote
from switchover_checks.api import Status

__all__ = ["Hub"]

_log = logging.getLogger("switchover.hub")
_SELF = "snapshot"
_PAUSE_S = 0.25  # between two Snapshots, unless something is urgent
_HEARTBEAT_S = 2.5  # so often a Snapshot goes out though nothing changed: who hears nothing knows that nobody watches


class Hub:
    """The live state of one workspace. Without a plan it watches the host alone.

    `engine_changed` is what the engine calls when the run moved. `redact` is applied to what diagnosis commands say.
    """

    def __init__(
        self,
        loaded: LoadedPlan | None,
        workspace: Workspace,
        engine: Engine | None,
        evaluator: Evaluator | None,
        clock: Clock,
        read_only: bool = False,
        *,
        inventory: Inventory | None = None,
        redact: Callable[[str], str] | None = None,
        operations: Operations | None = None,
        applications: Applications | None = None,
    ) -> None:
        self._loaded = loaded
        self._workspace = workspace
        self._engine = engine
        self._evaluator = evaluator
        self._clock = clock
        self._read_only = read_only
        self._redact = redact or sanitize
        self.operations = operations or Operations(workspace.operations, clock, self._redact)
        self.reports = JobReports(evaluator.catalog if evaluator is not None else None, workspace, self._redact, clock)
        self._marks: Mapping[str, PhaseMark] = {}
        self._dirty = asyncio.Event()
        self._publish_event = asyncio.Event()
        self._published = asyncio.Condition()
        secrets = evaluator.secrets if evaluator is not None else None
        calls = KindCalls(self.scope, secrets, loaded.directory) if loaded is not None else KindCalls()
        self._inventory = inventory or Inventory({}, (), lambda name: f"there is no {name}", clock)
        self._services = self._make_services()
        self._sampler = self._make_sampler(calls)
        if applications is not None:
            self._sampler.pushed = applications.numbers.told
        kept = KeptChecks(workspace.directory / "checks.json", clock, writes=not read_only)
        self._watcher = PlanWatcher(evaluator, self._services, self._sampler, clock, self, kept=kept)
        self._follow_up = FollowUp(evaluator, self._services, self._watcher)
        self.operations.changed = self.publish_now
        self._acting = ServiceActor(self._services, self.operations, clock, self)
        directory = loaded.directory if loaded is not None else Path("/")
        self._inspector = ServiceInspector(
            self._services, self.operations, self, directory=directory, read_only=read_only
        )
        self._live = self._live_side()
        self._assembler = self._make_assembler(calls)
        self.past = MetricPast(workspace.telemetry, self._sampler, clock)
        self._assembler.past = self.past
        self._baselines = Baselines(workspace.directory / "baselines.json")
        self.alarms = Alarms(loaded, calls, clock, self._assembler, self._watcher, workspace.alerts)
        self.triage = self._make_triage(secrets)
        self._assembler.incident = self.triage.incidents.view
        self._engine_moved = False
        self._run_moved()
        self.snapshot: Snapshot = replace(self._assembler.build(()), seq=1)
        self._published_mono = clock.monotonic()

    def _make_sampler(self, calls: KindCalls) -> Sampler:
        numbers = SampledNumbers(self._loaded, self._inventory, self._services)
        return Sampler(
            self._loaded.plan.metrics if self._loaded is not None else {},
            calls,
            self._clock,
            service_number=numbers.of_service,
            check_period=numbers.check_period,
            redact=self._redact,
            judge_host=self._loaded is None,
        )

    def _make_services(self) -> ServiceWatch:
        return ServiceWatch(
            self._inventory,
            self._clock,
            self,
            host_mode=self._loaded is None,
            config_files=config_files_of(self._loaded, self),
            unseen=Unseen.of(self._workspace.unseen, self._clock, self.log_sources, self._read_only)
            if self._loaded is None
            else None,
        )

    def _make_assembler(self, calls: KindCalls) -> Assembler:
        return Assembler(
            self._loaded,
            self._engine,
            self._watcher,
            self._live,
            self._clock,
            calls,
            read_only=self._read_only,
            under_way=self._acting,
            operations=self.operations,
            hub=self,
        )

    def _make_triage(self, secrets: SecretSource | None) -> TriageService:
        return TriageService(
            self._loaded,
            self._workspace,
            self._assembler.known_issues,
            self.operations,
            self._clock,
            act=self.act,
            log_sources=self.log_sources,
            hub=self,
            secrets=secrets,
            read_only=self._read_only,
        )

    async def run(self) -> None:
        """Watch and publish until cancelled."""
        if self._live is not None and self._loaded is not None and self._loaded.plan.live is not None:
            self._watcher.every("live side", self._loaded.plan.live.every, self._ask_live)
        self._watcher.every("tick", 1.0, self._tick)
        await self.alarms.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watcher.run(), name="watch")
                group.create_task(self._services.run(), name="services")
                group.create_task(self._publish(), name="publish")
                group.create_task(self.past.keep(), name="history")
                group.create_task(self.operations.look_back(), name="operations")
        finally:
            await self._follow_up.aclose()
            await self.triage.aclose()
            await self._sampler.aclose()
            await self.alarms.aclose()
            await self._inventory.aclose()

    @property
    def snapshot_age_s(self) -> float:
        """How many seconds ago a Snapshot was published. While the hub runs they are few, whatever happens."""
        return self._clock.monotonic() - self._published_mono

    def engine_changed(self) -> None:
        """Take notice that the run moved; must be called in the loop's own thread."""
        self._engine_moved = True
        self._dirty.set()

    def take_over(self, before: Hub) -> None:
        """Go on from what another hub has seen of the parts that both plans have in common."""
        self._watcher.take_over(before._watcher)
        self._dirty.set()

    def drives(self, driver: Holder | None, asking: Holder | None, until: float | None) -> None:
        """Say on every screen who drives, who asks to take over, and until when that may be answered."""
        self._assembler.lease = (driver, asking, until)
        self._dirty.set()

    async def next_snapshot(self, after_seq: int) -> Snapshot:
        """Return the newest Snapshot once its number is above `after_seq`."""
        async with self._published:
            await self._published.wait_for(lambda: self.snapshot.seq > after_seq)
            return self.snapshot

    async def recheck(self, names: Iterable[str] = ()) -> None:
        """Look at the named checks now, or at all that are watched now; what they find is published as always.

        Raise `RefusedError` for a name that the plan does not have.
        """
        if self._evaluator is None:
            return
        catalog = self._evaluator.catalog
        wanted = tuple(names) or tuple(name for name in catalog.items if self._watcher.is_watched(name))
        if unknown := [name for name in wanted if name not in catalog.names]:
            raise RefusedError(f"the plan has no check {unknown[0]!r}", f"it has: {', '.join(catalog.names)}")
        await self._evaluator.evaluate_items(wanted)

    def seen(self, name: str) -> None:
        """Mark what was kept until then as seen by a person; all of it where there is no name."""
        self._assembler.seen(name)
        self.publish_now()

    def note_viewer(self, who: object, *, found: bool = False, gone: bool = False) -> None:
        """Take notice that a client looks, whether it wants what is in no plan, or that it has gone."""
        self._services.sources.note_viewer(who, found=found, gone=gone)
        self._dirty.set()

    async def act(
        self,
        items: Sequence[tuple[str, str, float | None]],
        action: str,
        argument: str,
        confirmation: str,
        operator: Operator,
    ) -> list[dict[str, Any]]:
        """Do something to services, each given by its row's id, its identity and when it was seen.

        Return for each `id`, `ok` and `text`. Raise `RefusedError` where all of it is refused.
        """
        done = await self._acting.act(items, action, argument, confirmation, operator)
        for item in done:
            self._assembler.seen(item["id"])
        return done

    async def command(self, name: str, what: str, argument: str, operator: Operator) -> tuple[str, ...]:
        """Return the argv that a person would type for an action, exec, logs or inspect. Raise `RefusedError`."""
        return await self._inspector.command(name, what, argument, operator)

    async def inspect(self, name: str) -> str:
        """Return all that is known of a service, in lines, without secrets. Raise `RefusedError`."""
        return await self._inspector.inspect(name)

    def sources(self) -> tuple[SourceNote, ...]:
        """Return every source of services."""
        return tuple(replace(one, why=self._redact(one.why)) for one in self._services.all_sources())

    async def log_sources(self, names: Sequence[str], span: LogSpan) -> list[LogSource | tuple[str, str]]:
        """Return where the logs of services are read; (name, reason) for one that has none."""
        return await self._inspector.log_sources(names, span)

    # What its parts ask: see `hub_ports`

    def redact(self, text: str) -> str:
        """Return a text without secrets."""
        return self._redact(text)

    def changed(self) -> None:
        """Have what is new in the next Snapshot."""
        self._dirty.set()

    def publish_now(self) -> None:
        """Have what is new published at once."""
        self._publish_event.set()
        self._dirty.set()

    def probe_dependants(self, service: str) -> None:
        """Probe what depends on a service whose health is another."""
        self._watcher.probe_dependants_now(service)

    def follow_up(self, subjects: Iterable[str], *, only_checks: bool = False) -> None:
        """Look again at services and checks to which something was done."""
        self._follow_up.begin(subjects, only_checks=only_checks)

    def phases(self) -> Mapping[str, PhaseMark]:
        """Return how far the run is."""
        return self._marks

    def status_of(self, name: str) -> Status | None:
        """Return how a check is."""
        return self._assembler.status_of(name)

    def row(self, name: str) -> ServiceRow | None:
        """Return the row of a service as it stands now."""
        return self._assembler.services.row(name, self._assembler.expectation)

    def target_of(self, name: str) -> ServiceTarget | None:
        """Return where a service is found, planned or discovered."""
        if name in self._inventory.services:
            target = self._inventory.target(name)
            return target if isinstance(target, ServiceTarget) else None
        known = self._services.discovery.found.get(name)
        return known.found.target if known is not None else None

    def scope(self) -> Scope:
        """Return the values of the plan's variables now."""
        assert self._loaded is not None
        if self._engine is not None:
            return self._engine.scope()
        return Scope.of(self._loaded.plan, self._loaded.directory)

    # Inside

    def _live_side(self) -> LiveSide | None:
        plan = self._loaded.plan if self._loaded is not None else None
        if plan is None or plan.live is None or self._loaded is None:
            return None
        return LiveSide(plan, plan.live, self._sampler.documents, self._clock, self._loaded.directory)

    async def _tick(self) -> None:
        """Let what depends on time alone be seen: staleness, alerts that hold for a while, what a step writes."""
        if self._assembler.view.state == "running" and not self._engine_moved:
            self._assembler.look_at_run()
        self._dirty.set()

    async def _ask_live(self) -> None:
        assert self._live is not None
        if await self._live.ask(self.scope()):
            if self._live.side:
                self._watcher.remember("service", f"live side is {self._live.side}", "ok")
            self._dirty.set()

    def _run_moved(self) -> None:
        view = self._assembler.view
        self._marks = run_marks(view)
        if view.run_id and not self._read_only:
            self._baselines.follow(view.run_id, view.started_at, self._sampler, self._clock.now())

    async def _publish(self) -> None:
        pace = Throttle(self._clock)
        while True:
            await self._dirty.wait()
            publish_now = self._publish_event.is_set()
            self._dirty.clear()
            self._publish_event.clear()
            try:
                built = self._assemble()
            except Exception as error:
                # The boundary: what cannot be read now (a damaged journal) is said, and the watch goes on.
                _log.exception("the snapshot could not be made")
                why = error.title if isinstance(error, SwitchoverError) else f"{type(error).__name__}: {error}"
                notes = tuple(note for note in self.snapshot.sources if note.name != _SELF)
                built = replace(self.snapshot, sources=(*notes, SourceNote(_SELF, "trouble", self._redact(why)[:200])))
            before, mono = self.snapshot, self._clock.monotonic()
            if mono - self._published_mono >= _HEARTBEAT_S or replace(built, seq=before.seq, at=before.at) != before:
                self._published_mono = mono
                async with self._published:
                    self.snapshot = replace(built, seq=before.seq + 1)
                    self._published.notify_all()
                try:
                    self.triage.follow(self.snapshot)
                except Exception:  # the boundary: an incident that cannot follow must not keep screens from being told
                    _log.exception("what is kept of troubles could not follow")
            await asyncio.sleep(pace.pause(publish_now=publish_now))
            with suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE_S):
                    await self._publish_event.wait()

    def _assemble(self) -> Snapshot:
        if self._engine_moved:
            self._assembler.engine_changed()
            self._run_moved()
            self._engine_moved = False
        self.alarms.follow(self._assembler.view, self._marks, self.snapshot)
        self._assembler.lines = self.triage.logs.lines
        return self._assembler.build(self.alarms.rows(), self.alarms.problems())
