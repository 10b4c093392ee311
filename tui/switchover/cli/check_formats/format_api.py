"""What a format of `check` gets, and what it is: a pure function from a report to safe text."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from switchover.redaction import sanitize
from switchover_checks.api import Finding, Metric, Status, worst
from switchover_checks.unknown_secrets import redact_unknown

if TYPE_CHECKING:
    from switchover.health.probing import CheckObservation

__all__ = [
    "WORST_FIRST",
    "CheckFormat",
    "CheckReport",
    "as_data",
    "counted",
    "failed_findings",
    "metrics_once",
    "one_line",
    "overall",
    "safe",
    "said",
]

WORST_FIRST = (Status.CRIT, Status.UNKNOWN, Status.WARN, Status.SKIPPED, Status.PENDING, Status.OK)
_MOST_SAID = 10


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found. `left_out` counts checks that were not looked at; `failed` says why there is nothing at all."""

    plan: str = ""
    readings: Sequence[CheckObservation] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    left_out: str = ""
    failed: str = ""

    @property
    def status(self) -> Status:
        """The worst status of all."""
        return overall(self.readings)

    @property
    def worst_first(self) -> list[CheckObservation]:
        """The readings in the order in which a person wants them."""
        return sorted(self.readings, key=lambda reading: WORST_FIRST.index(reading.status))

    def kind_of(self, reading: CheckObservation) -> str:
        """Return the kind of a check."""
        return self.kinds.get(reading.name, "")


class CheckFormat(ABC):
    """A way to write a report. `render` returns text in which nothing is secret and nothing steers a terminal."""

    kind: ClassVar[str]
    has_left_out: ClassVar[bool] = False
    """Whether `left_out` is part of what is written; else it goes to standard error."""

    @abstractmethod
    def render(self, report: CheckReport) -> str:
        """Write the report, without the last line end."""


def overall(readings: Iterable[CheckObservation]) -> Status:
    """Return the worst status. What was not probed proves nothing: skipped counts as unknown, as does no check."""
    return worst(
        Status.UNKNOWN if reading.status in (Status.SKIPPED, Status.PENDING) else reading.status for reading in readings
    )


def counted(report: CheckReport) -> str:
    """Return how many checks there are of each status: `1 crit, 2 ok`."""
    counts = Counter(reading.status for reading in report.readings)
    return ", ".join(f"{counts[status]} {status.label}" for status in WORST_FIRST if counts[status])


def failed_findings(reading: CheckObservation) -> list[Finding]:
    """Return what was not as expected. A check that is fine has none."""
    if reading.status is Status.OK:
        return []
    return [finding for finding in reading.result.findings if finding.status is not Status.OK]


def said(text: str) -> list[str]:
    """Return the last lines of what a command or a page said; why it failed stands at the end."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return lines if len(lines) <= _MOST_SAID else ["…", *lines[-_MOST_SAID:]]


def one_line(text: str) -> str:
    """Return a text in one line."""
    return " ".join(text.split())


def safe(text: str) -> str:
    """Return a text without what steers a terminal and what looks like a secret. Formats escape only what is safe."""
    return redact_unknown(sanitize(text))


def metrics_once(reading: CheckObservation) -> Iterable[Metric]:
    """Return what was measured, each name once."""
    return {metric.name: metric for metric in reading.result.metrics}.values()


def as_data(reading: CheckObservation, kind: str) -> dict[str, Any]:
    """Return a check as plain data, with what was expected, observed, measured and said."""
    result = reading.result
    data: dict[str, Any] = {
        "name": reading.name,
        "kind": kind,
        "status": reading.status.label,
        "summary": result.summary,
        "phase": result.phase,
        "duration_ms": round(1000 * reading.duration_s, 3),
        "findings": [
            {"what": f.what, "expected": f.expected, "observed": f.observed, "status": f.status.label, "hint": f.hint}
            for f in result.findings
        ],
        "metrics": [
            {"name": m.name, "value": _finite(m.value), "unit": m.unit, "warn": m.warn, "crit": m.crit}
            for m in result.metrics
        ],
        "evidence": dict(result.evidence),
    }
    return cast("dict[str, Any]", _sanitized(data))


def _finite(value: float) -> float | None:
    """Return a number that JSON can write."""
    return value if math.isfinite(value) else None


def _sanitized(value: Any) -> Any:
    if isinstance(value, str):
        return sanitize(value)
    if isinstance(value, dict):
        return {sanitize(key): _sanitized(item) for key, item in value.items()}
    return [_sanitized(item) for item in value] if isinstance(value, list) else value
