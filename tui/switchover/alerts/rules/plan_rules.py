"""The rules of a plan, parsed."""

from __future__ import annotations

from collections.abc import Iterable

from switchover.alerts.alert_state import AlertRule
from switchover.plan.alerting.rule_names import rule_names
from switchover.plan.alerting.rule_parser import RuleNames, parse_rule
from switchover.plan.members.member_names import base_name
from switchover.plan.model import Alert, Plan

__all__ = ["names_of", "rule_of", "rules_of"]


def names_of(plan: Plan, checks: Iterable[str] = ()) -> RuleNames:
    """Return what rules may name; `checks` are the items of checks, as far as they are known."""
    named = {*plan.checks, *plan.services, *checks, *plan.metrics}
    return rule_names(plan, named | {base_name(name) for name in named})


def rule_of(name: str, alert: Alert, names: RuleNames) -> AlertRule:
    """Return one rule. Raise `ValueError` where it cannot be read."""
    parsed = parse_rule(alert.when, names) if alert.when is not None else None
    escalate = alert.escalate
    return AlertRule(
        name,
        alert.when or alert.promql or "",
        parsed,
        alert.text,
        alert.notify,
        alert.remind,
        alert.severity,
        tuple(alert.labels.items()),
        alert.runbook,
        parsed.hold_s if parsed is not None else (alert.hold or 0.0),
        parsed.keep_s if parsed is not None else (alert.keep or 0.0),
        alert.no_data == "fire",
        alert.no_data == "tell",
        escalate.after if escalate is not None else None,
        escalate.notify if escalate is not None else (),
    )


def rules_of(plan: Plan, checks: Iterable[str] = ()) -> tuple[AlertRule, ...]:
    """Return the plan's rules, parsed."""
    names = names_of(plan, checks)
    return tuple(rule_of(name, alert, names) for name, alert in plan.alerts.items())
