"""The plan's alert rules, evaluated at every change: what fires now, and who is notified."""

from __future__ import annotations

from collections.abc import Callable

from switchover.alerts.alert_state import AlertEvent, AlertRule, AlertState, follow
from switchover.alerts.deliveries import Deliveries
from switchover.alerts.notifier_api import Notification
from switchover.clock import Clock
from switchover.plan.conditions import Condition, parse_condition
from switchover.plan.kind_calls import KindCalls
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.model import Plan
from switchover.snapshot import AlertRow
from switchover.snapshot.states import EventKind, NamedStatus
from switchover_checks.api import Status

__all__ = ["Alarms", "rules_of"]

_WORDS = {AlertEvent.FIRED: "fires", AlertEvent.REMINDED: "still fires", AlertEvent.ENDED: "is over"}


def rules_of(plan: Plan) -> tuple[AlertRule, ...]:
    """Return the plan's rules, parsed."""
    return tuple(
        AlertRule(name, a.when, parse_condition(a.when), a.text, a.notify, a.remind) for name, a in plan.alerts.items()
    )


class Alarms:
    """Follows every rule. `status_for` gives what a condition is judged by; `remember` puts a line on the timeline."""

    def __init__(
        self,
        loaded: LoadedPlan | None,
        calls: KindCalls,
        clock: Clock,
        status_for: Callable[[Condition], Status | None],
        remember: Callable[[EventKind, str, NamedStatus], None],
    ) -> None:
        self._rules = rules_of(loaded.plan) if loaded is not None else ()
        self._states = [AlertState() for _ in self._rules]
        self._since: list[float] = [0.0 for _ in self._rules]
        self._clock = clock
        self._status_for = status_for
        self._remember = remember
        notifiers = loaded.plan.notifiers if loaded is not None else {}
        self._deliveries = Deliveries(notifiers, calls)

    def follow(self) -> None:
        """Bring every rule up to now, and return what happened."""
        now = self._clock.monotonic()
        for index, rule in enumerate(self._rules):
            status = self._status_for(rule.condition)
            self._states[index], event = follow(rule, self._states[index], status, now)
            if event is None:
                continue
            if event is AlertEvent.FIRED:
                self._since[index] = self._clock.now()
            text = f"alert {_WORDS[event]}: {rule.message or rule.text}"
            self._remember("alert", text, "ok" if event is AlertEvent.ENDED else "warn")
            key = f"{rule.name} {self._since[index]:.3f}"
            self._deliveries.send(rule.notify, Notification(key, event, text, rule.text, self._clock.now()))
        while self._deliveries.failures:
            self._remember("alert", self._deliveries.failures.pop(0), "warn")

    async def aclose(self) -> None:
        """Drop the notifications that are still due."""
        await self._deliveries.aclose()

    def rows(self) -> tuple[AlertRow, ...]:
        """Return the alerts that fire now. Clients ring when a row is new that asks for it."""
        return tuple(
            AlertRow(
                rule.text, rule.message or rule.text, self._since[index], self._deliveries.rings(rule.notify), rule.name
            )
            for index, rule in enumerate(self._rules)
            if self._states[index].fired is not None
        )
