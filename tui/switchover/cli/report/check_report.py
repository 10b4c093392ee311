"""What `check` writes: JSON, JUnit XML and a table, each a pure function of the readings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from switchover.clock import iso_utc
from switchover_checks.api import Status, worst
from switchover_checks.language.units import format_duration

if TYPE_CHECKING:
    from switchover.health.probing import CheckObservation

__all__ = ["overall", "to_json", "to_junit", "to_table"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_LINES = 10
_WORST_FIRST = (Status.CRIT, Status.UNKNOWN, Status.WARN, Status.SKIPPED, Status.PENDING, Status.OK)


def overall(readings: Iterable[CheckObservation]) -> Status:
    """Return the worst status. What was not probed proves nothing: skipped counts as unknown, as does no check."""
    return worst(
        Status.UNKNOWN if reading.status in (Status.SKIPPED, Status.PENDING) else reading.status for reading in readings
    )


def to_json(readings: Sequence[CheckObservation], kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return the document: the overall status, and each check with what was expected, observed and said."""
    return {
        "status": overall(readings).label,
        "checks": [
            {
                "name": reading.name,
                "kind": kinds.get(reading.name, ""),
                "status": reading.status.label,
                "summary": reading.result.summary,
                "phase": reading.result.phase,
                "duration_ms": round(1000 * reading.duration_s, 3),
                "findings": [
                    {"what": f.what, "expected": f.expected, "observed": f.observed, "status": f.status.label}
                    for f in reading.result.findings
                ],
                "evidence": dict(reading.result.evidence),
            }
            for reading in readings
        ],
    }


def to_table(readings: Sequence[CheckObservation], kinds: Mapping[str, str]) -> str:
    """Return aligned lines, worst first; under each that is not OK stands what was expected, observed and said."""
    if not readings:
        return "no check was looked at"
    ordered = sorted(readings, key=lambda reading: _WORST_FIRST.index(reading.status))
    rows = [
        (
            reading.status.label,
            reading.name,
            kinds.get(reading.name, ""),
            format_duration(reading.duration_s) if reading.duration_s else "-",
            _one_line(reading.result.summary),
        )
        for reading in ordered
    ]
    head = ("state", "check", "kind", "took", "what was found")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(4)]
    lines = [_aligned(head, widths)]
    for reading, row in zip(ordered, rows, strict=True):
        lines.append(_aligned(row, widths))
        if reading.status is Status.OK:
            continue
        for finding in reading.result.findings:
            if finding.status is Status.OK:
                continue
            lines.append(f"{'':{widths[0]}}  {_one_line(finding.what)}")
            lines.append(f"{'':{widths[0]}}    expected  {_one_line(finding.expected)}")
            lines.append(f"{'':{widths[0]}}    observed  {_one_line(finding.observed)}")
            if finding.hint:
                lines.append(f"{'':{widths[0]}}    {_one_line(finding.hint)}")
        for name, text in reading.result.evidence.items():
            lines.append(f"{'':{widths[0]}}  {_one_line(name)}")
            lines += [f"{'':{widths[0]}}    {line}" for line in _few(text)]
    counts = [(status, sum(r.status is status for r in readings)) for status in _WORST_FIRST]
    told = ", ".join(f"{count} {status.label}" for status, count in counts if count)
    lines.append(f"{len(readings)} check{'' if len(readings) == 1 else 's'}: {told}")
    return "\n".join(lines)


def to_junit(readings: Sequence[CheckObservation], kinds: Mapping[str, str], suite: str) -> str:
    """Return a JUnit report. CRIT and WARN are failures; UNKNOWN and skipped are errors, since they prove nothing."""
    failures = sum(r.status in (Status.CRIT, Status.WARN) for r in readings)
    errors = sum(r.status in (Status.UNKNOWN, Status.SKIPPED, Status.PENDING) for r in readings)
    seconds = sum(r.duration_s for r in readings)
    began = min((r.observed_at - r.duration_s for r in readings), default=None)
    counts = f'tests="{len(readings)}" failures="{failures}" errors="{errors}" skipped="0" time="{seconds:.3f}"'
    stamp = f" timestamp={_attribute(iso_utc(began) or '')}" if began is not None else ""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites {counts}>",
        f"<testsuite name={_attribute(suite)} {counts}{stamp}>",
    ]
    for reading in readings:
        kind = kinds.get(reading.name, "")
        case = f"<testcase classname={_attribute(f'{suite}.{kind}')} name={_attribute(reading.name)}"
        case += f' time="{reading.duration_s:.3f}"'
        if reading.status is Status.OK:
            lines.append(f"{case}/>")
            continue
        element = "failure" if reading.status in (Status.CRIT, Status.WARN) else "error"
        body = "\n".join(
            f"{f.what}: expected {f.expected}, observed {f.observed} ({f.status.label})"
            for f in reading.result.findings
        )
        body += "".join(f"\n{name}:\n{text}" for name, text in reading.result.evidence.items())
        message = f"message={_attribute(reading.result.summary)} type={_attribute(reading.status.label)}"
        lines.append(f"{case}><{element} {message}>{escape(_legal(body))}</{element}></testcase>")
    lines += ["</testsuite>", "</testsuites>"]
    return "\n".join(lines)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [f"{cell:{width}}" for cell, width in zip(cells, widths, strict=False)]
    return "  ".join((*padded, cells[-1])).rstrip()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _few(text: str) -> list[str]:
    """Return the last lines of what a command or a page said; why it failed stands at the end."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return lines if len(lines) <= _MOST_LINES else ["…", *lines[-_MOST_LINES:]]


def _legal(text: str) -> str:
    """Return `text` without the characters that XML does not allow at all."""
    return _NOT_XML.sub("", text)


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))
