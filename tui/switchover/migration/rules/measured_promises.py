"""Promises of a migration: what is measured before and after, and whether the target is met."""

from __future__ import annotations

from collections.abc import Mapping

from switchover.migration.engine_ports import CheckReading
from switchover.migration.facts.events import Measurement
from switchover.plan.model import Promise
from switchover.plan.targets import parse_target
from switchover.snapshot.states import PromiseWord

__all__ = ["checks_measured", "judge", "measure"]


def checks_measured(promises: Mapping[str, Promise], side: str) -> tuple[str, ...]:
    """Return the checks that give the values of `side` (before or after)."""
    sources = [getattr(promise, side).value for promise in promises.values()]
    return tuple(dict.fromkeys(s.partition(".")[0] for s in sources if isinstance(s, str)))


def measure(source: float | str, readings: Mapping[str, CheckReading]) -> float | None:
    """Return a value: a number as it is, `CHECK.METRIC` from the reading; None where it was not measured."""
    if not isinstance(source, str):
        return float(source)
    check, _, metric = source.partition(".")
    reading = readings.get(check)
    if reading is None:
        return None
    return next((float(m.value) for m in reading.result.metrics if m.name == metric), None)


def judge(name: str, promise: Promise, before: float | None, after: float | None) -> Measurement:
    """Say whether a promise is kept. What was not measured is unknown, never met."""
    state: PromiseWord = "unknown"
    if before is not None and after is not None:
        try:
            state = "met" if parse_target(promise.target).holds(before, after) else "missed"
        except ValueError:
            state = "unknown"
    return Measurement(name, before, after, promise.target, state)
