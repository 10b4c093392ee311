"""Values of a rule: what gives a number, in which unit, and how a written number reads in that unit."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from switchover.plan.conditions import Condition
from switchover.plan.promises.promise_units import PROMISE_UNITS
from switchover_checks.api import Status
from switchover_checks.language.units import parse_duration, parse_size

__all__ = ["WINDOW_FUNCTIONS", "RuleFacts", "RuleValue", "Written", "in_unit", "written"]

Points = Sequence[float]


class RuleFacts(Protocol):
    """What a rule is judged by. None stands for what is not known."""

    def value(self, metric: str) -> float | None:
        """Return the newest value of a metric, where it is fresh."""

    def window(self, metric: str, seconds: float, function: str) -> float | None:
        """Return what one of `WINDOW_FUNCTIONS` makes of the points of the last seconds."""

    def scale(self, metric: str) -> float:
        """Return what one of a metric's unit is in seconds or bytes; 1 where it has none."""

    def status(self, condition: Condition) -> Status | None:
        """Return how a check or service stands."""

    def cost(self, name: str) -> float | None:
        """Return a figure of the costs."""


Number = Callable[[RuleFacts], float | None]


@dataclass(frozen=True, slots=True)
class RuleValue:
    """What gives a number. `unit` is None for a plain number, empty where nobody knows it."""

    of: Number
    unit: str | None
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it is written: in seconds, bytes, percent or a second."""

    number: float
    measures: str  # time, size, share, rate or nothing


def _delta(points: Points, _: float) -> float | None:
    return points[-1] - points[0] if points else None


def _rate(points: Points, step_s: float) -> float | None:
    """Growth a second; a counter that begins anew counts from zero."""
    if len(points) < 2:
        return None
    grown = sum(b - a if b >= a else b for a, b in itertools.pairwise(points))
    return grown / ((len(points) - 1) * step_s)


WINDOW_FUNCTIONS: dict[str, Callable[[Points, float], float | None]] = {
    "last": lambda points, _: points[-1] if points else None,
    "avg": lambda points, _: sum(points) / len(points) if points else None,
    "min": lambda points, _: min(points) if points else None,
    "max": lambda points, _: max(points) if points else None,
    "delta": _delta,
    "rate": _rate,
    "count": lambda points, _: float(len(points)),
}
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(.*)")
_PER = {"/s": 1.0, "/min": 60.0, "/h": 3600.0}


def written(text: str) -> Written:
    """Read a number with its unit. Raise `ValueError`."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no number")
    number, unit = float(match[1]), match[2]
    if not unit:
        return Written(number, "")
    if unit == "%":
        return Written(number, "share")
    if unit in _PER:
        return Written(number / _PER[unit], "rate")
    sign, plain = (-1.0, text[1:]) if text.startswith("-") else (1.0, text)
    try:
        return Written(sign * parse_duration(plain), "time")
    except ValueError:
        pass
    try:
        return Written(sign * parse_size(plain), "size")
    except ValueError:
        raise ValueError(f"{unit!r} is no unit; write 80%, 500ms, 5m, 1GiB or 100/min") from None


def in_unit(given: Written, unit: str) -> float:
    """Return a written number as values in `unit` have it. Raise `ValueError` where they measure different things."""
    measures, factor = PROMISE_UNITS.get(unit, ("", 1.0))
    if unit in ("%", "/s", "/min", "/h"):
        measures, factor = ("share", 1.0) if unit == "%" else ("rate", 1.0 / _PER[unit])
    elif unit.endswith(tuple(_PER)):
        measures, factor = "rate", 1.0 / _PER["/" + unit.rpartition("/")[2]]
    if not given.measures:
        if measures in ("time", "size", "share"):
            example = {"time": "5s", "size": "1GiB", "share": "80%"}[measures]
            raise ValueError(f"its values are in {unit}; write the unit, such as {example}")
        return given.number
    if measures and measures != given.measures:
        raise ValueError(f"its values are in {unit}, which is no {given.measures}")
    if unit and not measures:
        raise ValueError(f"its values are in {unit}, which is no {given.measures}")
    if not unit and given.measures == "rate":
        raise ValueError("nobody knows the unit of its values; give the metric a unit, such as /min")
    return given.number / factor
