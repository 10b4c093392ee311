"""The numbers among what a probe found out, as the metrics that its kind declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from switchover_checks.api import Measured, Metric

__all__ = ["is_number", "measured_in"]


def measured_in(facts: Mapping[str, Any], declared: Sequence[Measured]) -> list[Metric]:
    """Return each declared metric whose number is known."""
    return [Metric(m.name, float(facts[m.name]), m.unit) for m in declared if is_number(facts.get(m.name))]


def is_number(value: object) -> bool:
    """Tell numbers from truth values and from what is unavailable."""
    return isinstance(value, int | float) and not isinstance(value, bool)
