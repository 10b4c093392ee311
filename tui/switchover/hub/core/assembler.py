"""Makes the parts of the Snapshot from the live state; keeps what did not change as the same object."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from switchover import __version__
from switchover.clock import Clock
from switchover.costs.cost_book import CostBook
from switchover.costs.estimate import sides
from switchover.health.check_state import CheckState, EffectiveStatus
from switchover.health.watched_phases import not_needed
from switchover.hub.core.live_side import LiveSide
from switchover.hub.core.run_marks import run_marks
from switchover.hub.core.watcher import PlanWatcher
from switchover.hub.history.metric_past import MetricPast
from switchover.hub.history.operations import Operations
from switchover.hub.hub_ports import Redacting, UnderWay
from switchover.hub.problems.known_issues import KnownIssues
from switchover.hub.problems.problem_found import UnplannedProblems
from switchover.hub.problems.problems import ProblemInputs, find_problems
from switchover.hub.problems.useful_commands import command_views
from switchover.hub.services.check_rows import POINTS, check_row, metric_row
from switchover.hub.services.service_rows import ExpectedState
from switchover.hub.services.service_table import ServiceRowCache
from switchover.migration.facts.display import display
from switchover.migration.run.engine import Engine
from switchover.plan.conditions import Condition
from switchover.plan.kind_calls import KindCalls
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.members.member_names import members_of
from switchover.plan.members.presence import presences
from switchover.snapshot import (
    ActionView,
    AlertRow,
    CheckRow,
    ContactRow,
    Header,
    Holder,
    IncidentView,
    MetricRow,
    MigrationView,
    Problem,
    ServiceRow,
    Snapshot,
    SourceNote,
    TimelineRow,
)
from switchover_checks.api import Status, worst

__all__ = ["Assembler"]

_TIMELINE_SHOWN = 200
_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Cached:
    key: tuple[object, ...]
    row: CheckRow


class Assembler:
    """Builds Snapshots. Only `engine_changed` makes it ask the engine again; all else is cheap."""

    def __init__(
        self,
        loaded: LoadedPlan | None,
        engine: Engine | None,
        watcher: PlanWatcher,
        live: LiveSide | None,
        clock: Clock,
        calls: KindCalls,
        *,
        read_only: bool,
        under_way: UnderWay,
        operations: Operations,
        hub: Redacting,
    ) -> None:
        self._loaded = loaded
        self._engine = engine
        self._watcher = watcher
        self._live = live
        self._operations = operations
        self.services = ServiceRowCache(watcher.services, clock, under_way, hub, read_only=read_only)
        self.redact = hub.redact
        self._clock = clock
        self._read_only = read_only
        self._host = socket.gethostname()
        self._costs = CostBook(loaded, calls)
        if self._costs.every_s:
            watcher.every("costs", self._costs.every_s, self._costs.refresh)
        self._first = sides(loaded.plan)[0] if loaded is not None else ""
        self._contacts = _contacts(loaded) if loaded is not None else ()
        self._commands = command_views(loaded.plan.commands) if loaded is not None else ()
        self.known_issues = KnownIssues(loaded, clock)
        self.lines: Mapping[str, tuple[str, ...]] = {}  # the last of the logs of services that are not fine
        self.incident: Callable[[], IncidentView | None] = lambda: None
        self._troubled = UnplannedProblems()
        self._all_found: tuple[tuple[ServiceRow, ...], tuple[ServiceRow, ...], tuple[ServiceRow, ...]] = ((), (), ())
        self._checks: dict[str, _Cached] = {}
        self._metrics: dict[str, tuple[int, tuple[float | None, ...]]] = {}
        self._presences = presences(loaded.plan, loaded.plan.services) if loaded is not None else {}
        self.view = MigrationView()
        self.lease: tuple[Holder | None, Holder | None, float | None] = (None, None, None)
        self.past: MetricPast | None = None
        self._run_timeline: tuple[TimelineRow, ...] = ()
        self._timeline_of: tuple[tuple[object, ...], tuple[TimelineRow, ...]] = ((), ())
        self._no_return = self._driven = False
        self.engine_changed()

    def engine_changed(self) -> None:
        """Ask the engine again how the run stands."""
        if self._engine is None:
            return
        self._run_timeline = tuple(self._engine.timeline())
        self.look_at_run()

    def look_at_run(self) -> None:
        """Ask only how the run looks now: what a running step writes is no event."""
        if self._engine is None:
            return
        self.view = self._engine.view()
        steps = [step for phase in self.view.phases for step in phase.steps]
        self._no_return = any(step.irreversible and step.started_at is not None for step in steps)

    def status_of(self, name: str) -> Status | None:
        """Return how the check `name` (or all the items it stands for) stands; None when it is not watched now."""
        evaluator = self._watcher.evaluator
        if evaluator is None:
            return None
        try:
            members = evaluator.catalog.members(name)
        except KeyError:
            return None
        standings = [self._watcher.standing(m).status for m in members if not self._watcher.resting(m)]
        return worst(standings) if standings else None

    def status_for(self, condition: Condition) -> Status | None:
        """Return the status that a condition is judged by. Of what stands for several, any member's that fulfils it."""
        found = self._statuses(condition.subject)
        return next((status for status in found if condition.holds(status)), worst(found) if found else None)

    def _statuses(self, name: str) -> list[Status]:
        """Return how the items stand that `name` stands for, checks or services, as far as they are watched now."""
        evaluator = self._watcher.evaluator
        if evaluator is not None and name in evaluator.catalog.names:
            members = evaluator.catalog.members(name)
            return [self._watcher.standing(m).judged for m in members if not self._watcher.resting(m)]
        resting, services = self._resting(), self._watcher.services
        known = services.inventory.services
        wanted = (name,) if name in known else members_of(known, name)
        counts = self._watcher.maintenance.counts
        return [counts(member, services.health(member)) for member in wanted if member not in resting]

    def build(self, alerts: Sequence[AlertRow], others: tuple[Problem, ...] = ()) -> Snapshot:
        """Return everything as it stands now, without a number yet. `others` are problems that nothing here knows."""
        now = self._clock.now()
        holder = self._engine.holder() if self._engine is not None else None
        if (holder is not None) != self._driven:  # whether a run goes on or waits for a person depends on it
            self._driven = holder is not None
            self.look_at_run()
        checks = tuple(self._check_rows())
        planned = self.services.planned(self.expectation, self._resting())
        services = tuple(map(self._watcher.maintenance.shown, planned)) if self._watcher.maintenance.times else planned
        found = self.services.found()
        kept = self._kept(found, now)
        metrics = tuple(self._metric_rows())
        timeline = self._timeline()
        known_issues = self.known_issues.of_plan(self.status_for)
        sources = self._sources()
        header = self._header(holder)
        migration = _not_before_all_answered(self.view, checks)
        facts = ProblemInputs(
            checks=checks,
            services=services,
            metrics=metrics,
            migration=migration,
            timeline=timeline,
            known_issues=known_issues,
            entry_subjects=self.known_issues.subjects,
            live_side=header.live_side,
            found=(*self._troubled.of(found, now), *kept),
            sources=sources,
            lines=self.lines,
            find=self.services.found_now,
            others=others,
        )
        problems = find_problems(facts, self.known_issues.recognise)
        return Snapshot(
            at=now,
            header=header,
            problems=problems,
            services=services,
            checks=checks,
            metrics=metrics,
            costs=self._costs.view,
            migration=migration,
            timeline=timeline,
            alerts=tuple(alerts),
            known_issues=self.known_issues.all_of(known_issues, problems, facts),
            contacts=self._contacts,
            sources=sources,
            found=self._with(found, kept),
            incident=self.incident(),
            commands=self._commands,
        )

    def seen(self, name: str) -> None:
        """Forget what was kept until a person has seen it; all of it where there is no name."""
        if (unseen := self._watcher.services.unseen) is not None:
            unseen.seen(name)

    def _kept(self, found: tuple[ServiceRow, ...], now: float) -> tuple[ServiceRow, ...]:
        """Return what is over and nobody has seen yet."""
        if (unseen := self._watcher.services.unseen) is None:
            return ()
        unseen.follow(found, self.lines, now)
        return unseen.rows

    def _with(self, found: tuple[ServiceRow, ...], kept: tuple[ServiceRow, ...]) -> tuple[ServiceRow, ...]:
        """Return both together, as the same object while they are the same."""
        if not kept:
            return found
        if self._all_found[0] is not found or self._all_found[1] != kept:
            self._all_found = (found, kept, (*found, *kept))
        return self._all_found[2]

    def _timeline(self) -> tuple[TimelineRow, ...]:
        """Return the newest of all that happened, newest first."""
        changes, operations = self._watcher.changes, self._operations
        done = operations.timeline if operations is not None else ()
        version = (self._run_timeline, changes.version, operations.version if operations is not None else 0)
        if self._timeline_of[0] != version:
            rows = sorted((*self._run_timeline, *changes.rows, *done), key=_when)[: -_TIMELINE_SHOWN - 1 : -1]
            self._timeline_of = (version, tuple(rows))
        return self._timeline_of[1]

    def _header(self, holder: Holder | None) -> Header:
        host = self._host
        if self._loaded is None:
            return Header(
                title=host, read_only=self._read_only, agent_pid=os.getpid(), agent_version=__version__, host=host
            )
        plan = self._loaded.plan
        driver, asking, until = self.lease
        return Header(
            plan_id=plan.id,
            title=plan.title,
            plan_path=str(self._loaded.path),
            target=display(plan.target or ""),
            production=any(e.production for e in plan.sides.values()),
            live_side=self._live.side if self._live is not None else "",
            holder=holder,
            read_only=self._read_only,
            agent_pid=os.getpid(),
            agent_version=__version__,
            host=host,
            plan_edited=self._engine.plan_edited if self._engine is not None else False,
            driver=driver,
            asking=asking,
            asking_until=until,
        )

    def _resting(self) -> dict[str, str]:
        """Return why services need not run now, by name."""
        marks = run_marks(self.view)
        return {name: why for name, presence in self._presences.items() if (why := not_needed(presence, marks))}

    def _check_rows(self) -> list[CheckRow]:
        evaluator = self._watcher.evaluator
        rows = []
        for name, item in evaluator.catalog.items.items() if evaluator is not None else ():
            state: CheckState = self._watcher.checks[name]
            resting = self._watcher.resting(name)
            standing: EffectiveStatus = self._watcher.standing(name)
            running = evaluator is not None and evaluator.busy(name)
            progress = evaluator.progress(name) if evaluator is not None and running else None
            uptime = self._watcher.uptime_of(name)
            key = (state, resting, standing, running, progress, uptime)
            cached = self._checks.get(name)
            if cached is None or cached.key != key:
                row = check_row(
                    item, state, standing, running=running, resting=resting, progress=progress, uptime=uptime
                )
                cached = _Cached(key, row)
                self._checks[name] = cached
            rows.append(cached.row)
        return rows

    @property
    def cost_figures(self) -> Mapping[str, float]:
        """What rules may ask of the costs, as far as it is known."""
        return self._costs.figures

    @property
    def expectation(self) -> ExpectedState:
        """What tells now whether a service that does not run ought to."""
        live = (self._live.side or self._live.last) if self._live is not None else ""
        over = self.view.state in ("done", "rolled_back", "aborted")
        return ExpectedState(live, self._first, over, self._no_return)

    def _metric_rows(self) -> list[MetricRow]:
        rows, mono = [], self._clock.monotonic()
        for name, track in self._watcher.sampler.tracks.items():
            if name.startswith(("host.swap", "host.pressure")) and track.series.latest is None:
                continue  # a host without swap, or whose kernel does not tell
            points = self._points(name, track.version, track.series.newest)
            rows.append(metric_row(track, mono=mono, points=points, resting=self._watcher.metric_rests(name)))
        return rows

    def _points(
        self, name: str, version: int, newest: Callable[[int], tuple[float | None, ...]]
    ) -> Callable[[], tuple[float | None, ...]]:
        def points() -> tuple[float | None, ...]:
            cached = self._metrics.get(name)
            if cached is None or cached[0] != version:
                short = tuple(None if p is None else float(f"{p:.6g}") for p in newest(POINTS))  # bytes on the line
                cached = self._metrics[name] = (version, short)
            return cached[1]

        return points

    def _sources(self) -> tuple[SourceNote, ...]:
        watcher = self._watcher
        notes = []
        notes += watcher.services.notes()
        if self._live is not None and self._live.why:
            notes.append(SourceNote("live side", "unknown", self._live.why))
        notes += [SourceNote(name, "trouble", why) for name, why in watcher.troubled.items()]
        troubles = watcher.maintenance.times.troubles
        notes += [SourceNote(f"maintenance {name}", "trouble", why) for name, why in troubles.items()]
        if watcher.trouble:
            notes.append(SourceNote("kept checks", "trouble", watcher.trouble))
        if watcher.services.unseen is not None and watcher.services.unseen.trouble:
            notes.append(SourceNote("kept until seen", "trouble", watcher.services.unseen.trouble))
        if self.past is not None and self.past.trouble:
            notes.append(SourceNote("history of metrics", "trouble", f"it is not kept: {self.past.trouble}"))
        if self._operations is not None and self._operations.trouble:
            notes.append(SourceNote("operations", "trouble", self._operations.trouble))
        return tuple(replace(note, why=self.redact(note.why)) for note in notes)


def _not_before_all_answered(view: MigrationView, checks: Sequence[CheckRow]) -> MigrationView:
    """Propose no start while there are checks of which nothing is known yet."""
    if view.action.kind != "start":
        return view
    silent = [row.name for row in checks if row.observed_at is None and not row.resting]
    if not silent:
        return view
    names = ", ".join(silent[:_NAMED]) + (f" and {len(silent) - _NAMED} more" if len(silent) > _NAMED else "")
    return replace(view, action=ActionView("wait", "", f"waits for the first answer of {names}"))


def _when(row: TimelineRow) -> float:
    return row.at


def _contacts(loaded: LoadedPlan) -> tuple[ContactRow, ...]:
    rows = []
    for contact in loaded.plan.contacts:
        how = " · ".join(part for part in (contact.phone, contact.email, contact.note) if part)
        rows.append(ContactRow(f"{contact.name} ({contact.role})" if contact.role else contact.name, how))
    rows += [ContactRow(runbook.title, runbook.url) for runbook in loaded.plan.runbooks]
    return tuple(rows)
