"""Thresholds as monitoring plugins write them, and the performance data that plugins print.

A range alerts when the value is outside. `10`: below 0 or above 10. `10:`: below 10. `~:10`: above 10. `10:20`: outside
10 to 20. `@10:20`: inside. Numbers may carry a unit: `20%:`, `1GiB:`, `~:500ms`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from switchover_checks.api import Finding, Metric, Status
from switchover_checks.language.units import format_bytes, format_duration, parse_duration, parse_size

__all__ = ["Dimension", "Range", "judge", "parse_perfdata", "parse_range", "read_perfdata"]

Dimension = Literal["", "percent", "size", "duration"]

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Range:
    """A parsed range in base units: bytes, seconds, percent. `inside`: alert inside instead of outside."""

    text: str
    low: float
    high: float
    inside: bool
    dimension: Dimension

    def alerts(self, value: float) -> bool:
        """Tell whether the value is one to alert about. What is not a number always is."""
        if math.isnan(value):
            return True
        outside = value < self.low or value > self.high
        return outside != self.inside

    def describe(self) -> str:
        """Say in words what the value should be: `at least 20 %`."""
        low, high = self.show(self.low), self.show(self.high)
        if self.inside:
            return f"outside {low} to {high}"
        if math.isinf(self.low) and math.isinf(self.high):
            return "any value"
        if math.isinf(self.high):
            return f"at least {low}"
        return f"at most {high}" if math.isinf(self.low) or self.low == 0 else f"{low} to {high}"

    def show(self, value: float) -> str:
        """Write a value of this range's dimension."""
        if math.isinf(value):
            return "infinity" if value > 0 else "-infinity"
        if self.dimension == "percent":
            return f"{value:.4g} %"
        if self.dimension == "size":
            return format_bytes(value)
        return format_duration(value) if self.dimension == "duration" else _written(value)


def parse_range(value: object, *, of_whole: bool = False) -> Range:
    """Parse a range. Raise `ValueError` that says how one is written, or that it tells nothing.

    Shares and sizes are never below zero. With `of_whole` a bare number is a share too, and none is above 100 %.
    """
    if isinstance(value, Range):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is not a threshold; {_HELP}")  # noqa: TRY004 - pydantic wants ValueError
    text = str(value).strip()
    inside = text.startswith("@")
    body = text[1:] if inside else text
    start, colon, end = body.partition(":")
    if not colon:
        start, end = "0", body
        if not body:
            raise ValueError(f"an empty threshold; {_HELP}")
    low, low_dimension = (-math.inf, None) if start == "~" else _bound(start or "0", text)
    high, high_dimension = (math.inf, None) if end == "" else _bound(end, text)
    if not colon or not start:
        low_dimension = None
    dimensions = {d for d in (low_dimension, high_dimension) if d is not None}
    if len(dimensions) > 1:
        raise ValueError(f"{text!r} mixes units; {_HELP}")
    if low > high:
        raise ValueError(f"{text!r} begins above its end")
    found = Range(text, low, high, inside, dimensions.pop() if dimensions else "")
    share = found.dimension == "percent" or (of_whole and not found.dimension)
    least = 0.0 if share or found.dimension == "size" else -math.inf
    most = 100.0 if of_whole and share else math.inf
    if why := _senseless(found, least, most):
        raise ValueError(f"{text!r} {why}; {_HELP}")
    return found


def _senseless(found: Range, least: float, most: float) -> str:
    """Say why a range tells nothing of values from `least` to `most`; empty where it does."""
    covers = found.low <= least and found.high >= most
    misses = found.high < least or found.low > most
    if misses if found.inside else covers:
        return "can never alert"
    return "always alerts" if (covers if found.inside else misses) else ""


def judge(
    what: str, value: float, warn: Range | None, crit: Range | None, *, observed: str = "", hint: str = ""
) -> Finding:
    """Compare a value with both ranges. Without any range the finding is OK: it was seen and nothing was asked."""
    for limit, status in ((crit, Status.CRIT), (warn, Status.WARN)):
        if limit is not None and limit.alerts(value):
            return Finding(what, limit.describe(), observed or limit.show(value), status, hint)
    limit = warn or crit
    shown = observed or (limit.show(value) if limit else _written(value))
    return Finding(what, limit.describe() if limit else "any value", shown, Status.OK)


def _written(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.10g}"


_LARGEST = 1e300
_HELP = "write 10, 10:, ~:10, 10:20 or @10:20, each with an optional unit such as 20%: or 1GiB:"


def _bound(text: str, whole: str) -> tuple[float, Dimension]:
    if _NUMBER.fullmatch(text):
        number = int(text) if text.lstrip("+-").isdecimal() else float(text)
        if abs(number) > _LARGEST:
            raise ValueError(f"{whole!r} is larger than anything that is measured")
        return number, ""
    if text.endswith("%") and _NUMBER.fullmatch(text[:-1].rstrip()):
        return float(text[:-1]), "percent"
    readers: tuple[tuple[Any, Dimension], ...] = ((parse_size, "size"), (parse_duration, "duration"))
    for read, dimension in readers:
        try:
            return read(text), dimension
        except ValueError:
            continue
    raise ValueError(f"{whole!r} is not a threshold; {_HELP}")


_PERF = re.compile(
    r"""\s*(?:'(?P<quoted>(?:[^']|'')*)'|(?P<plain>[^\s'=]+))=
        (?P<value>U|[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)(?P<unit>[^\s;\d.,+-]*)
        (?:;(?P<warn>[^\s;]*))?(?:;(?P<crit>[^\s;]*))?(?:;[^\s;]*)?(?:;[^\s;]*)?(?:[;,]*(?=\s|$))""",
    re.VERBOSE,
)
_TO_BASE = {
    "us": (1e-6, "s"),
    "ms": (1e-3, "s"),
    "s": (1.0, "s"),
    "KB": (1024.0, "B"),
    "MB": (1024.0**2, "B"),
    "GB": (1024.0**3, "B"),
    "TB": (1024.0**4, "B"),
}

_LIMIT = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")

_ITEM = re.compile(r"\s*(?:'(?:[^']|'')*'\S*|\S+)")
"""The part that is skipped where performance data cannot be read: a quoted label and its value, or a word."""


def read_perfdata(text: str) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
    """Read all performance data that can be read, and return the pieces between that cannot."""
    metrics, rest = parse_perfdata(text)
    found, pieces, together = list(metrics), [], ""
    while rest:
        item = _ITEM.match(rest)
        end = item.end() if item is not None else len(rest)
        together = f"{together} {rest[:end].strip()}".strip()
        metrics, rest = parse_perfdata(rest[end:])
        if metrics or not rest:
            pieces.append(together)
            together = ""
        found += metrics
    return tuple(found), tuple(pieces)


def parse_perfdata(text: str) -> tuple[tuple[Metric, ...], str]:
    """Read `'label'=value[unit];warn;crit;min;max …`. Return the metrics up to what is not such data, and that.

    Times come back in seconds and sizes in bytes, and so do their thresholds. A value `U` (undetermined) is left out.
    """
    metrics: list[Metric] = []
    position, text = 0, text.strip()
    while position < len(text):
        match = _PERF.match(text, position)
        if match is None:
            return tuple(metrics), text[position:]
        if match["value"] == "U":
            position = match.end()
            continue
        name = match["quoted"].replace("''", "'") if match["quoted"] is not None else match["plain"]
        factor, unit = _TO_BASE.get(match["unit"], (1.0, match["unit"]))
        value = float(match["value"].replace(",", ".")) * factor
        if not math.isfinite(value):
            return tuple(metrics), text[position:]
        position = match.end()
        limits = [_in_base(match[which] or "", factor) for which in ("warn", "crit")]
        metrics.append(Metric(name, value, unit, *limits))
    return tuple(metrics), ""


def _in_base(limit: str, factor: float) -> str:
    """Write a range's numbers in the unit that the value comes back in."""
    written = limit.rstrip(",")
    if factor == 1:
        return written
    return _LIMIT.sub(lambda number: f"{float(number[0].replace(',', '.')) * factor:.10g}", written)
