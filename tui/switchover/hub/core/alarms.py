"""The plan's alert rules, followed at every change: what fires now, and what is told to whom."""

from __future__ import annotations

import logging
from collections.abc import Callable

from switchover.alerts.alert_state import AlertEvent, AlertRule, AlertState, follow
from switchover.clock import Clock
from switchover.plan.conditions import parse_condition
from switchover.plan.model import Plan
from switchover.snapshot import AlertRow
from switchover_checks.api import Status

__all__ = ["Alarms", "rules_of"]

_log = logging.getLogger("switchover.alerts")
_WORDS = {AlertEvent.FIRED: "fires", AlertEvent.REMINDED: "still fires", AlertEvent.ENDED: "is over"}


def rules_of(plan: Plan) -> tuple[AlertRule, ...]:
    """Return the plan's rules, parsed."""
    return tuple(AlertRule(a.when, parse_condition(a.when), a.text, a.notify, a.remind) for a in plan.alerts)


class Alarms:
    """Follows every rule. `status_of` gives a check's status now; `remember` puts a line on the timeline."""

    def __init__(
        self,
        rules: tuple[AlertRule, ...],
        clock: Clock,
        status_of: Callable[[str], Status | None],
        remember: Callable[[str, str, str], None],
    ) -> None:
        self._rules = rules
        self._states = [AlertState() for _ in rules]
        self._since: list[float] = [0.0 for _ in rules]
        self._clock = clock
        self._status_of = status_of
        self._remember = remember

    def follow(self) -> None:
        """Bring every rule up to now, and tell what happened."""
        now = self._clock.monotonic()
        for index, rule in enumerate(self._rules):
            status = self._status_of(rule.condition.subject)
            self._states[index], event = follow(rule, self._states[index], status, now)
            if event is None:
                continue
            if event is AlertEvent.FIRED:
                self._since[index] = self._clock.now()
            text = f"alert {_WORDS[event]}: {rule.message or rule.text}"
            self._remember("alert", text, "ok" if event is AlertEvent.ENDED else "warn")
            if "log" in rule.notify:
                _log.warning("%s", text)

    def rows(self) -> tuple[AlertRow, ...]:
        """Return the alerts that fire now. `bell` asks the clients to ring when the row is new."""
        return tuple(
            AlertRow(rule.text, rule.message or rule.text, self._since[index], "bell" in rule.notify)
            for index, rule in enumerate(self._rules)
            if self._states[index].fired is not None
        )
