"""Promises of a migration: what is measured before and after, and whether the target is met."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from switchover.migration.engine_ports import CheckReading
from switchover.migration.facts.events import Measurement
from switchover.migration.facts.run_state import RunState
from switchover.migration.rules.next_action import reached
from switchover.plan.model import Plan, Promise
from switchover.plan.promise_model import measured_item
from switchover.plan.promises.promise_units import PROMISE_UNITS
from switchover.plan.promises.targets import parse_target
from switchover.plan.templates import put_out_by
from switchover.snapshot.states import PromiseWord
from switchover_checks.api import Status

__all__ = ["due_before", "due_now", "judge", "measure", "source_of", "step_value", "taken", "unmeasured_before"]


def source_of(promise: Promise, side: str) -> float | str | None:
    """Return what gives the value of `side` (before or after); None where the promise has no such side."""
    value = promise.before if side == "before" else promise.after
    return value.value if value is not None else None


def due_before(plan: Plan) -> tuple[str, ...]:
    """Return the promises whose `before` is measured as the run starts."""
    return tuple(n for n, p in plan.promises.items() if p.before is not None and p.before.phase is None)


def due_now(plan: Plan, state: RunState) -> list[tuple[str, str]]:
    """Return (promise, side) of each value whose phase has ended, and that nobody has measured since."""
    due = []
    for name, promise in plan.promises.items():
        for side, value, known in (
            ("before", promise.before, state.baseline or {}),
            ("after", promise.after, state.afters),
        ):
            if (
                value is not None
                and value.phase is not None
                and name not in known
                and reached(plan, state, value.phase)
            ):
                due.append((name, side))
    return due


def unmeasured_before(plan: Plan, state: RunState) -> tuple[str, ...]:
    """Return the promises that block and whose `before` could not be measured, though its time has come."""
    known = state.baseline or {}
    return tuple(
        name
        for name, promise in plan.promises.items()
        if promise.blocks and promise.before is not None and name in known and known[name] is None
    )


def step_value(source: str, state: RunState) -> float | None:
    """Return the value of `step.NAME.seconds` or `step.NAME.OUTPUT`; None where the step has not ended well."""
    name, what = put_out_by(source) or ("", "")
    unit = state.unit(name)
    ended = next((one for one in reversed(unit.attempts) if one.outcome == "done"), None)
    if what == "seconds":
        return ended.duration_s if ended is not None else None
    try:
        value = float(unit.outputs[what])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) else None


def measure(source: str, readings: Mapping[str, CheckReading], promise: Promise) -> float | None:
    """Return `CHECK.METRIC`, or a metric of the plan, from its reading; None where it was not measured.

    What was measured in another unit than the promise speaks of is turned into that.
    """
    item, number = measured_item(source)
    reading = readings.get(item)
    if reading is None or (not number and reading.status is Status.UNKNOWN):
        return None
    found = next((m for m in reading.result.metrics if m.name == (number or "value")), None)
    if found is None and number == "time" and reading.duration_s:  # as long as the look took
        return _in_unit_of(promise, reading.duration_s, "s")
    return None if found is None else _in_unit_of(promise, float(found.value), found.unit)


def _in_unit_of(promise: Promise, value: float, unit: str) -> float:
    """Turn a value into the unit of its promise. Without one, that is seconds or bytes where the target has units."""
    of_promise, wanted = PROMISE_UNITS.get(promise.unit, ("", 1.0))
    of_value, factor = PROMISE_UNITS.get(unit, ("", 1.0))
    if promise.unit and promise.unit not in PROMISE_UNITS:
        return value
    of_promise = of_promise or parse_target(promise.target, promise.unit).measures
    return value * factor / wanted if of_value == of_promise and of_value else value


def taken(promise: Promise, values: Sequence[float | None]) -> float | None:
    """Return what counts of several samples. One that is lacking makes all of it unknown."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    if promise.take == "p95":
        return sorted(known)[max(0, math.ceil(0.95 * len(known)) - 1)]
    return statistics.median(known)


def judge(name: str, promise: Promise, before: float | None, after: float | None) -> Measurement:
    """Say whether a promise is kept. What was not measured is unknown, never met."""
    state: PromiseWord = "unknown"
    compared = 0.0 if promise.before is None else before
    if compared is not None and after is not None:
        try:
            state = "met" if parse_target(promise.target, promise.unit).holds(compared, after) else "missed"
        except ValueError:
            state = "unknown"
    return Measurement(name, before, after, promise.target, state)
