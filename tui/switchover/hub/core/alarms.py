"""The plan's alert rules and its run, followed at every change: what fires now, and who is notified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from switchover.alerts.alert_state import AlertEvent, AlertRule
from switchover.alerts.alert_store import StoreInUseError
from switchover.alerts.deliveries import Deliveries, Notice
from switchover.alerts.heartbeats import Heartbeats
from switchover.alerts.notifier_api import Notification
from switchover.alerts.outbox import Outbox
from switchover.alerts.rules.alert_engine import AlertEngine, Instance
from switchover.alerts.rules.alert_notices import alert_words, notices_of, notification_of
from switchover.alerts.rules.missing_data import MissingData
from switchover.alerts.rules.plan_rules import rules_of
from switchover.alerts.rules.promql_rules import ask_promql
from switchover.clock import Clock
from switchover.errors import StateError
from switchover.health.watched_phases import PhaseMark, not_watched
from switchover.hub.core.assembler import Assembler
from switchover.hub.core.rule_facts import LiveFacts
from switchover.hub.core.run_notices import run_notices
from switchover.hub.core.run_telling import RunTelling
from switchover.hub.core.silencing import Silencing
from switchover.hub.core.watcher import PlanWatcher
from switchover.plan.kind_calls import KindCalls, UnavailableError
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.members.presence import presences
from switchover.snapshot import AlertRow, MigrationView, Problem, Snapshot

__all__ = ["Alarms"]

_STUCK_S = 30.0  # without a look at the rules for so long, the agent is stuck and does not beat


class Alarms:
    """Follows every rule. `assembler` and `watcher` give what a rule is judged by.

    What fires and what was told lies at `store`, so another agent goes on from there.
    """

    def __init__(
        self,
        loaded: LoadedPlan | None,
        calls: KindCalls,
        clock: Clock,
        assembler: Assembler,
        watcher: PlanWatcher,
        store: Path | None = None,
    ) -> None:
        plan = loaded.plan if loaded is not None else None
        checks = watcher.evaluator.catalog.names if watcher.evaluator is not None else ()
        rules = rules_of(plan, checks) if plan is not None else ()
        self._rules = {rule.name: rule for rule in rules}
        self._asked = {name: a for name, a in plan.alerts.items() if a.promql is not None} if plan is not None else {}
        self._unanswered: dict[str, str] = {}
        self._clock, self._calls, self._watcher = clock, calls, watcher
        self._redact = assembler.redact
        self._title = plan.title if plan is not None else ""
        self._presences = presences(plan, plan.alerts) if plan is not None else {}
        self.engine = AlertEngine(rules, plan.alert_groups if plan is not None else None, clock)
        self._missing = MissingData(self.engine)
        self._facts = LiveFacts(assembler, lambda: watcher.sampler, clock)
        notifiers = plan.notifiers if plan is not None else {}
        self._run = RunTelling(notifiers)
        self._outbox = Outbox(store if notifiers or rules else None)
        self._deliveries = Deliveries(notifiers, calls, self._outbox, clock)
        self._deliveries.redact = self._redact
        self.silencing = Silencing(self.engine, self._outbox, watcher, clock)
        self._beats = Heartbeats(notifiers, calls)
        self._beats.fresh = lambda: clock.monotonic() - self._followed < _STUCK_S
        self._followed = clock.monotonic()
        self._ready = self._elsewhere = False
        self.only_looks = False  # follow the rules, and tell nobody

    async def start(self) -> None:
        """Take over what an agent before this one has told, and send what it could not."""
        for name, alert in self._asked.items():
            self._watcher.every(f"alert {name}", alert.every, partial(self._ask, name))
        if self.only_looks:
            with suppress(StateError):
                await self.silencing.load_once()
            self._ready = True
            return
        try:
            await self._outbox.open()
        except StoreInUseError:
            self._elsewhere = True  # another process of this workspace tells; twice is once too often
            return
        except StateError:
            pass  # it tells all the same; `problems` says that nothing is kept
        records = await self._outbox.alerts()
        await self.silencing.load()
        self._run.begin(records)
        self.engine.restore(records)
        await self._deliveries.resume()
        at = self._clock.now()
        self._beats.start(Notification("beat", AlertEvent.NOTED, "the agent lives", "heartbeat", at))
        self._ready = True

    async def tell_run(self, view: MigrationView) -> None:
        """Tell what a run has come to that goes on without an agent. What is not through in a moment stays kept."""
        if not self._run.tells:
            return
        try:
            await self._outbox.open()
        except StoreInUseError:
            return  # an agent is there, and tells
        except StateError:
            pass  # better told twice than not at all
        self._run.begin(await self._outbox.alerts())
        notices, records, over = self._run.follow(run_notices(view, self._title), self._clock.now())
        notices = [(names, replace(one, text=self._redact(one.text))) for names, one in notices]
        self._deliveries.begin(notices, records, over)
        await self._deliveries.aclose()

    async def _ask(self, name: str) -> None:
        try:
            series = await ask_promql(self._calls, self._asked[name])
        except UnavailableError as error:
            self._unanswered[name] = self._redact(str(error))
            self.engine.judge_series(self._rules[name], None)
        else:
            self._unanswered.pop(name, None)
            self.engine.judge_series(self._rules[name], series)

    def follow(self, view: MigrationView, marks: Mapping[str, PhaseMark], before: Snapshot | None) -> None:
        """Bring every rule and the run up to now, and begin to tell what happened."""
        if not self._ready or self._elsewhere:
            return
        self._followed = self._clock.monotonic()
        at = self._clock.now()
        notices, records, over = self._run.follow(run_notices(view, self._title), at)
        notices = [(names, replace(one, text=self._redact(one.text))) for names, one in notices]
        self._facts.begin()
        self.engine.judge_all(self._facts, lambda name: self._rests(name, marks))
        self._missing.judge(self._why, self._followed)
        notices += self._tell(before.problems if before is not None else (), at)
        changes = self.engine.take_changes()
        for instance, event in changes.events:
            text = self._redact(alert_words(instance, event))
            self._watcher.remember("alert", text, "ok" if event is AlertEvent.ENDED else "warn")
        if self.only_looks:
            return
        if notices or records or over or changes.records or changes.over:
            self._deliveries.begin(notices, [*records, *changes.records], [*over, *changes.over])
        self._resend(at)
        while self._deliveries.failures:
            self._watcher.remember("alert", self._deliveries.failures.pop(0), "warn")

    def _rests(self, name: str, marks: Mapping[str, PhaseMark]) -> bool:
        presence = self._presences.get(name)
        return presence is not None and bool(not_watched(presence.as_written, marks))

    def _why(self, metric: str) -> str:
        return self._unanswered.get(metric, "") or self._facts.why(metric)

    def _tell(self, problems: tuple[Problem, ...], at: float) -> Iterator[Notice]:
        causes = {name: problem for problem in problems for name in problem.waiting}
        told_of = {subject for one in self.engine.firing for subject in _subjects(one.rule)}

        def because_of(instance: Instance) -> str:
            for subject in _subjects(instance.rule):
                cause = causes.get(subject)
                if cause is not None and told_of & {cause.check, cause.service, cause.subject} - {"", subject}:
                    return cause.subject
            return ""

        for tell in self.engine.to_tell(because_of):
            yield from notices_of(tell, at, self._deliveries.joins, self._redact)

    def _resend(self, at: float) -> None:
        """Tell receivers that forget (Alertmanager) what still fires."""
        for name in self._deliveries.due_again():
            for one in self.engine.firing:
                held = one.grouped is None or one.grouped.held_back or one.grouped.told is None
                if name in one.rule.notify and not held:
                    text = self._redact(alert_words(one, AlertEvent.FIRED))
                    self._deliveries.resend(name, notification_of(one, AlertEvent.FIRED, text, at))

    async def aclose(self) -> None:
        """Give notifications under way a last moment; what is still due stays in the outbox."""
        await self._beats.aclose()
        await self._deliveries.aclose()

    def problems(self) -> tuple[Problem, ...]:
        """Return the channels that fail now: nobody hears of anything by them."""
        found = [
            Problem(
                "crit",
                f"notifier {name}",
                f"does not take notices: {why}",
                since,
                next=f"{waiting} wait and are tried on · `switchover notify test` tries it now",
            )
            for name, why, since, waiting in self._deliveries.failing
        ]
        found += [
            Problem(
                "warn",
                f"heartbeat {name}",
                f"the watchdog does not hear that this agent lives: {self._redact(why)}",
                None,
            )
            for name, why in self._beats.failing.items()
        ]
        if self._outbox.trouble and not self._elsewhere:
            found.append(Problem("warn", "outbox of notices", self._redact(self._outbox.trouble), None))
        return tuple(found)

    def rows(self) -> tuple[AlertRow, ...]:
        """Return the alerts that fire now. Clients ring when a row is new that asks for it."""
        return tuple(self._row(one) for one in self.engine.firing)

    def _row(self, one: Instance) -> AlertRow:
        rule = one.rule
        return AlertRow(
            rule.text,
            self._redact(alert_words(one, AlertEvent.FIRED).removeprefix("alert fires: ")),
            one.fired_at,
            self._deliveries.rings(rule.notify) and not one.note,
            rule.name + one.key.removeprefix(f"rule:{rule.name}:{rule.text}"),
            self._deliveries.on_desktop(rule.notify) and not one.note,
            rule.severity,
            one.note,
            rule.runbook,
            one.key,
        )


def _subjects(rule: AlertRule) -> tuple[str, ...]:
    return rule.parsed.subjects if rule.parsed is not None else ()
