"""`junit`: a report for CI. CRIT and WARN are failures; UNKNOWN and skipped are errors, since they prove nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar
from xml.sax.saxutils import escape, quoteattr

from switchover.cli.check_formats.format_api import CheckFormat, CheckReport, safe
from switchover.clock import iso_utc
from switchover_checks.api import Status

if TYPE_CHECKING:
    from switchover.health.probing import CheckObservation

__all__ = ["JunitFormat"]

_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FAILURES = (Status.CRIT, Status.WARN)


class JunitFormat(CheckFormat):
    """Writes the XML."""

    kind: ClassVar[str] = "junit"

    def render(self, report: CheckReport) -> str:
        """Write one suite, named after the plan. That nothing was looked at is an error in it."""
        suite = report.plan or "switchover"
        cases = [_case(reading, f"{suite}.{report.kind_of(reading)}") for reading in report.readings]
        failures = sum(reading.status in _FAILURES for reading in report.readings)
        errors = sum(reading.status not in (*_FAILURES, Status.OK) for reading in report.readings)
        if report.failed:
            message = _attribute(report.failed.splitlines()[0])
            error = f'<error message={message} type="unknown">{_text(report.failed)}</error>'
            cases.append(f'<testcase classname={_attribute(suite)} name="checks" time="0.000">{error}</testcase>')
            errors += 1
        seconds = sum(reading.duration_s for reading in report.readings)
        counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="0" time="{seconds:.3f}"'
        began = min((r.observed_at - r.duration_s for r in report.readings), default=None)
        stamp = f" timestamp={_attribute(iso_utc(began) or '')}" if began is not None else ""
        head = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {counts}>"]
        head.append(f"<testsuite name={_attribute(suite)} {counts}{stamp}>")
        return "\n".join([*head, *cases, "</testsuite>", "</testsuites>"])


def _case(reading: CheckObservation, classname: str) -> str:
    case = f"<testcase classname={_attribute(classname)} name={_attribute(reading.name)}"
    case += f' time="{reading.duration_s:.3f}"'
    if reading.status is Status.OK:
        return f"{case}/>"
    element = "failure" if reading.status in _FAILURES else "error"
    body = "\n".join(
        f"{f.what}: expected {f.expected}, observed {f.observed} ({f.status.label}){f'; {f.hint}' if f.hint else ''}"
        for f in reading.result.findings
    )
    body += "".join(f"\n{name}:\n{text}" for name, text in reading.result.evidence.items())
    message = f"message={_attribute(reading.result.summary)} type={_attribute(reading.status.label)}"
    return f"{case}><{element} {message}>{_text(body)}</{element}></testcase>"


def _legal(text: str) -> str:
    """Return `text` as it may be shown, without the characters that XML does not allow at all."""
    return _NOT_XML.sub("", safe(text))


def _text(text: str) -> str:
    return escape(_legal(text))


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))
