"""`nagios`: what a monitoring plugin prints, so that `switchover check` is one: a line, performance data, details.

The exit code is that of a plugin anyway. A `|` divides text from data, so none stands in the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar

from switchover.cli.check_formats.format_api import (
    CheckFormat,
    CheckReport,
    counted,
    failed_findings,
    metrics_once,
    one_line,
    safe,
    said,
)
from switchover_checks.api import Metric, Status

__all__ = ["NagiosFormat"]

_WORDS = {Status.OK: "OK", Status.WARN: "WARNING", Status.CRIT: "CRITICAL"}
_UNITS = frozenset({"s", "ms", "us", "%", "B", "KB", "MB", "GB", "TB", "c"})
_RANGE = re.compile(r"@?(?:(?:~|-?\d+(?:\.\d+)?)?:)?(?:-?\d+(?:\.\d+)?)?")
_MOST_NAMED = 5


class NagiosFormat(CheckFormat):
    """Writes the plugin's output."""

    kind: ClassVar[str] = "nagios"
    has_left_out: ClassVar[bool] = True

    def render(self, report: CheckReport) -> str:
        """Write it: the first line is what a notification shows."""
        if report.failed:
            return f"SWITCHOVER UNKNOWN - {_text(report.failed)}"
        text = f"SWITCHOVER {_WORDS.get(report.status, 'UNKNOWN')} - {_text(_headline(report))}"
        if data := " ".join(_data(report)):
            text += f" | {data}"
        return "\n".join([text, *map(_text, _details(report))])


def _headline(report: CheckReport) -> str:
    if not report.readings:
        return "no check was looked at"
    bad = [reading for reading in report.worst_first if reading.status is not Status.OK]
    named = "; ".join(f"{reading.name}: {reading.result.summary}" for reading in bad[:_MOST_NAMED])
    more = f"; and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
    return f"{counted(report)}{': ' if bad else ''}{named}{more}"


def _details(report: CheckReport) -> Iterator[str]:
    for reading in report.worst_first:
        if reading.status is Status.OK:
            continue
        yield f"{reading.status.label} {reading.name}: {reading.result.summary}"
        for found in failed_findings(reading):
            hint = f"; {found.hint}" if found.hint else ""
            yield f"  {found.what}: expected {found.expected}, observed {found.observed}{hint}"
        for name, text in reading.result.evidence.items():
            yield from (f"  {name}: {line}" for line in said(text))
    if report.left_out:
        yield report.left_out


def _data(report: CheckReport) -> Iterator[str]:
    """Yield `'CHECK.METRIC'=value[unit];warn;crit`, each label once."""
    seen: set[str] = set()
    for reading in report.readings:
        for metric in metrics_once(reading):
            label = one_line(safe(f"{reading.name}.{metric.name}")).replace("=", "_").replace("|", "_")
            if label not in seen:
                seen.add(label)
                quoted = label.replace("'", "''")
                yield f"'{quoted}'={_value(metric)}"


def _value(metric: Metric) -> str:
    if not math.isfinite(metric.value):
        return "U"
    number = format(Decimal(repr(metric.value)), "f")
    unit = metric.unit if metric.unit in _UNITS else ""
    warn, crit = (limit if _RANGE.fullmatch(limit) else "" for limit in (metric.warn, metric.crit))
    return f"{number}{unit};{warn};{crit}".rstrip(";")


def _text(text: str) -> str:
    lead = text[: len(text) - len(text.lstrip(" "))]
    return lead + one_line(safe(text)).replace("|", "¦")
