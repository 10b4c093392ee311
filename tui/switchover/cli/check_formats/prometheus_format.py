"""`prometheus`: the text format of Prometheus, for the textfile collector of node_exporter or a Pushgateway.

A check's state is a number: 0 ok, 1 warn, 2 crit, 3 unknown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import ClassVar

from switchover.cli.check_formats.format_api import CheckFormat, CheckReport, metrics_once, safe
from switchover_checks.api import Status

__all__ = ["PrometheusFormat"]

_Sample = tuple[dict[str, str], float]


class PrometheusFormat(CheckFormat):
    """Writes the families."""

    kind: ClassVar[str] = "prometheus"

    def render(self, report: CheckReport) -> str:
        """Write them. Where nothing was looked at, `switchover_check_run_ok` alone says so."""
        return "\n".join(
            line
            for name, text, samples in _families(report)
            for line in _family(f"switchover_check{name}", text, samples)
        )


def _families(report: CheckReport) -> Iterator[tuple[str, str, list[_Sample]]]:
    plan = {"plan": report.plan}
    read = [(r, {**plan, "check": r.name, "kind": report.kind_of(r)}) for r in report.readings]
    done = 0.0 if report.failed else 1.0
    yield "_run_ok", "Whether the checks of the plan could be looked at.", [(plan if report.plan else {}, done)]
    state = [(labels, float(min(r.status, Status.UNKNOWN))) for r, labels in read]
    yield "_status", "How a check stands: 0 ok, 1 warn, 2 crit, 3 unknown or not looked at.", state
    took = [(labels, r.duration_s) for r, labels in read]
    yield "_duration_seconds", "How long the probe took.", took
    at = [(labels, r.observed_at) for r, labels in read]
    yield "_observed_timestamp_seconds", "When it was looked, in seconds since 1970.", at
    numbers = [
        ({**labels, "metric": metric.name, "unit": metric.unit}, metric.value)
        for r, labels in read
        for metric in metrics_once(r)
    ]
    yield "_metric", "What a check measured.", numbers


def _family(name: str, text: str, samples: Iterable[_Sample]) -> Iterator[str]:
    """Yield a family, each series once; nothing at all where it has none."""
    series: dict[str, str] = {}
    for labels, value in samples:
        written = ",".join(f'{key}="{_label(word)}"' for key, word in labels.items())
        series.setdefault(f"{name}{{{written}}}" if written else name, _number(value))
    if series:
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} gauge"
        yield from (f"{key} {value}" for key, value in series.items())


def _label(text: str) -> str:
    return safe(text).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))
