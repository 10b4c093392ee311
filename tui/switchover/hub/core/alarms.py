"""The plan's alert rules and its run, followed at every change: what fires now, and who is notified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from switchover.alerts.alert_state import AlertEvent, AlertRule, AlertState, follow
from switchover.alerts.alert_store import StoreInUseError
from switchover.alerts.deliveries import Deliveries, Notice
from switchover.alerts.heartbeats import Heartbeats
from switchover.alerts.notifier_api import Notification
from switchover.alerts.outbox import Outbox
from switchover.alerts.outbox_records import AlertRecord
from switchover.clock import Clock
from switchover.errors import StateError
from switchover.hub.core.assembler import Assembler
from switchover.hub.core.run_notices import run_notices
from switchover.hub.core.run_telling import RunTelling
from switchover.plan.conditions import parse_condition
from switchover.plan.kind_calls import KindCalls
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.model import Plan
from switchover.snapshot import AlertRow, MigrationView, Problem
from switchover.snapshot.states import AlertWord, EventKind, NamedStatus

__all__ = ["Alarms", "rules_of"]

_STUCK_S = 30.0  # without a look at the rules for so long, the agent is stuck and does not beat
_WORDS = {AlertEvent.FIRED: "fires", AlertEvent.REMINDED: "still fires", AlertEvent.ENDED: "is over"}


def rules_of(plan: Plan) -> tuple[AlertRule, ...]:
    """Return the plan's rules, parsed."""
    return tuple(
        AlertRule(name, a.when, parse_condition(a.when), a.text, a.notify, a.remind) for name, a in plan.alerts.items()
    )


class Alarms:
    """Follows every rule. `assembler` gives what a condition is judged by; `remember` puts a line on the timeline.

    What fires and what was told lies at `store`, so another agent goes on from there.
    """

    def __init__(
        self,
        loaded: LoadedPlan | None,
        calls: KindCalls,
        clock: Clock,
        assembler: Assembler,
        remember: Callable[[EventKind, str, NamedStatus], None],
        store: Path | None = None,
    ) -> None:
        self._rules = rules_of(loaded.plan) if loaded is not None else ()
        self._states = [AlertState() for _ in self._rules]
        self._since: list[float] = [0.0 for _ in self._rules]
        self._clock = clock
        self._status_for = assembler.status_for
        self._remember = remember
        self._redact = redact = assembler.redact
        self._title = loaded.plan.title if loaded is not None else ""
        notifiers = loaded.plan.notifiers if loaded is not None else {}
        self._run = RunTelling(notifiers)
        tells = bool(notifiers or self._rules)
        self._outbox = Outbox(store if tells else None)
        self._deliveries = Deliveries(notifiers, calls, self._outbox, clock)
        self._deliveries.redact = redact
        self._beats = Heartbeats(notifiers, calls)
        self._beats.fresh = lambda: clock.monotonic() - self._followed < _STUCK_S
        self._followed = clock.monotonic()
        self._ready = self._elsewhere = False

    async def start(self) -> None:
        """Take over what an agent before this one has told, and send what it could not."""
        try:
            await self._outbox.open()
        except StoreInUseError:
            self._elsewhere = True  # another process of this workspace tells; twice is once too often
            return
        except StateError:
            pass  # it tells all the same; `problems` says that nothing is kept
        records = await self._outbox.alerts()
        self._run.begin(records)
        known = {record.key: record for record in records}
        for index, rule in enumerate(self._rules):
            if (record := known.get(_key(rule))) is not None:
                self._states[index] = self._restored(record)
                self._since[index] = record.fired or record.since
        await self._deliveries.resume()
        at = self._clock.now()
        self._beats.start(Notification("beat", AlertEvent.NOTED, "the agent lives", "heartbeat", at))
        self._ready = True

    def _restored(self, record: AlertRecord) -> AlertState:
        """Return the state in this process's time. A clock that was set back takes nothing off."""
        mono, now = self._clock.monotonic(), self._clock.now()

        def moved(at: float | None) -> float | None:
            return None if at is None else mono - max(0.0, now - at)

        return AlertState(moved(record.since), moved(record.fired), moved(record.told))

    def follow(self, view: MigrationView) -> None:
        """Bring every rule and the run up to now, and begin to tell what happened."""
        if not self._ready or self._elsewhere:
            return
        now, at = self._clock.monotonic(), self._clock.now()
        self._followed = now
        notices, records, over = self._run.follow(run_notices(view, self._title), at)
        notices = [(names, _redacted(one, self._redact)) for names, one in notices]
        for index, rule in enumerate(self._rules):
            before = self._states[index]
            state, event = follow(rule, before, self._status_for(rule.condition), now)
            self._states[index] = state
            if event is None and (state.holds_since is None) == (before.holds_since is None):
                continue
            if event is AlertEvent.FIRED:
                self._since[index] = at
            if event is not None:
                notices.append(self._notice(index, rule, event, at))
            if state.holds_since is None:
                over.append(_key(rule))
            else:
                records.append(self._record(rule, state, now, at))
        if notices or records or over:
            self._deliveries.begin(notices, records, over)
        while self._deliveries.failures:
            self._remember("alert", self._deliveries.failures.pop(0), "warn")

    def _notice(self, index: int, rule: AlertRule, event: AlertEvent, at: float) -> Notice:
        text = self._redact(f"alert {_WORDS[event]}: {rule.message or rule.text}")
        self._remember("alert", text, "ok" if event is AlertEvent.ENDED else "warn")
        key = f"{rule.name} {self._since[index]:.3f}"
        subject = rule.condition.subject
        labels = (("alertname", rule.name), ("instance", subject), ("severity", "critical"))
        return rule.notify, Notification(
            key, event, text, rule.text, at, rule.name, "critical", labels, since=self._since[index]
        )

    @staticmethod
    def _record(rule: AlertRule, state: AlertState, now: float, at: float) -> AlertRecord:
        def moved(mono: float | None) -> float | None:
            return None if mono is None else at - (now - mono)

        since = moved(state.holds_since)
        word: AlertWord = "firing" if state.fired is not None else "pending"
        return AlertRecord(_key(rule), word, since if since is not None else at, moved(state.fired), moved(state.told))

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
            Problem("warn", f"heartbeat {name}", f"the watchdog does not hear that this agent lives: {why}", None)
            for name, why in self._beats.failing.items()
        ]
        if self._outbox.trouble and not self._elsewhere:
            found.append(Problem("warn", "outbox of notices", self._redact(self._outbox.trouble), None))
        return tuple(found)

    def rows(self) -> tuple[AlertRow, ...]:
        """Return the alerts that fire now. Clients ring when a row is new that asks for it."""
        return tuple(
            AlertRow(
                rule.text,
                rule.message or rule.text,
                self._since[index],
                self._deliveries.rings(rule.notify),
                rule.name,
                self._deliveries.on_desktop(rule.notify),
            )
            for index, rule in enumerate(self._rules)
            if self._states[index].fired is not None
        )


def _key(rule: AlertRule) -> str:
    return f"rule:{rule.name}:{rule.text}"


def _redacted(notification: Notification, redact: Callable[[str], str]) -> Notification:
    return replace(notification, text=redact(notification.text))
