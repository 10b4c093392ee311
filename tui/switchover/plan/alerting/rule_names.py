"""What the rules of a plan may name, with the units of its metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from switchover.plan.alerting.rule_parser import RuleNames
from switchover.plan.model import MetricSpec, Plan
from switchover.plan.named_kinds import METRIC_SOURCES
from switchover_checks.language.declared import declared, load_declared

__all__ = ["rule_names"]

_HOST = {"cpu": "%", "memory": "%", "swap": "%", "load": "", "disk": "%", "net_in": "B/s", "net_out": "B/s"}


def rule_names(plan: Plan, watched: Iterable[str]) -> RuleNames:
    """Return the names; `watched` are checks and services, and loops of them."""
    host = {f"host.{name}": unit for name, unit in _HOST.items()}
    return RuleNames(frozenset(watched), {**host, **{name: _unit(spec) for name, spec in plan.metrics.items()}})


def _unit(spec: MetricSpec) -> str:
    """Return the unit of a metric; empty where only its values tell."""
    if spec.unit or spec.kind not in declared(METRIC_SOURCES):
        return spec.unit
    source: Any = load_declared(METRIC_SOURCES, spec.kind)
    keys: Mapping[str, Any] = spec.config
    try:
        return str(source.unit(source.__new__(source), keys))  # a unit follows from the keys alone
    except Exception:  # the boundary: a source that needs more than its keys says it with its values
        return ""
