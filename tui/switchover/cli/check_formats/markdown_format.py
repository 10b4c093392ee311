"""`markdown`: for a ticket or a chat: a table, and below it what is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from switchover.cli.check_formats.format_api import (
    CheckFormat,
    CheckReport,
    counted,
    failed_findings,
    one_line,
    safe,
    said,
)
from switchover.markdown import code, code_lines, plain
from switchover_checks.api import Status
from switchover_checks.language.units import format_duration

__all__ = ["MarkdownFormat"]


class MarkdownFormat(CheckFormat):
    """Writes the page."""

    kind: ClassVar[str] = "markdown"
    has_left_out: ClassVar[bool] = True

    def render(self, report: CheckReport) -> str:
        """Write it. All that others wrote is shown as it is, never as markup."""
        return "\n".join(_lines(report))


def _lines(report: CheckReport) -> Iterator[str]:
    title = f"**{_plain(report.plan) or 'switchover'}**"
    if report.failed:
        yield f"{title}: **unknown**, {_plain(report.failed)}"
        return
    yield f"{title}: **{report.status.label}**, {counted(report) or 'no check was looked at'}"
    if report.readings:
        yield ""
        yield "| state | check | kind | took | what was found |"
        yield "| --- | --- | --- | --- | --- |"
    for reading in report.worst_first:
        took = format_duration(reading.duration_s) if reading.duration_s else "-"
        cells = (reading.status.label, _code(reading.name), report.kind_of(reading), took)
        yield f"| {' | '.join(cells)} | {_plain(reading.result.summary)} |"
    for reading in report.worst_first:
        if reading.status is Status.OK:
            continue
        yield from ("", f"### {_plain(reading.name)}", "")
        for found in failed_findings(reading):
            hint = f" ({_plain(found.hint)})" if found.hint else ""
            yield f"- {_plain(found.what)}: expected {_code(found.expected)}, observed {_code(found.observed)}{hint}"
        for name, text in reading.result.evidence.items():
            yield from ("", f"{_plain(name)}:")
            yield from code_lines(said(safe(text)))
    if report.left_out:
        yield from ("", _plain(report.left_out))


def _plain(text: str) -> str:
    return plain(one_line(safe(text)))


def _code(text: str) -> str:
    return code(one_line(safe(text)))
