"""`table`: aligned lines for a person, worst first; under each that is not OK, what was expected, observed and said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from switchover.cli.check_formats.format_api import (
    CheckFormat,
    CheckReport,
    counted,
    failed_findings,
    one_line,
    safe,
    said,
)
from switchover_checks.api import Status
from switchover_checks.language.units import format_duration

if TYPE_CHECKING:
    from switchover.health.probing import CheckObservation

__all__ = ["TableFormat"]

_HEAD = ("state", "check", "kind", "took", "what was found")


class TableFormat(CheckFormat):
    """Writes the table."""

    kind: ClassVar[str] = "table"
    has_left_out: ClassVar[bool] = True

    def render(self, report: CheckReport) -> str:
        """Write it. Why nothing was looked at stands on standard error alone."""
        if report.failed:
            return ""
        return safe("\n".join(_lines(report)))


def _lines(report: CheckReport) -> Iterator[str]:
    rows = [
        (
            reading.status.label,
            reading.name,
            report.kind_of(reading),
            format_duration(reading.duration_s) if reading.duration_s else "-",
            one_line(reading.result.summary),
        )
        for reading in report.worst_first
    ]
    if rows:
        widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(4)]
        yield _aligned(_HEAD, widths)
        for reading, row in zip(report.worst_first, rows, strict=True):
            yield _aligned(row, widths)
            yield from (f"{'':{widths[0]}}  {line}" for line in _details(reading))
        yield f"{len(rows)} check{'' if len(rows) == 1 else 's'}: {counted(report)}"
    else:
        yield "no check was looked at"
    if report.left_out:
        yield report.left_out


def _details(reading: CheckObservation) -> Iterator[str]:
    for finding in failed_findings(reading):
        yield one_line(finding.what)
        yield f"  expected  {one_line(finding.expected)}"
        yield f"  observed  {one_line(finding.observed)}"
        if finding.hint:
            yield f"  {one_line(finding.hint)}"
    if reading.status is Status.OK:
        return
    for name, text in reading.result.evidence.items():
        yield one_line(name)
        yield from (f"  {line}" for line in said(text))


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [f"{cell:{width}}" for cell, width in zip(cells, widths, strict=False)]
    return "  ".join((*padded, cells[-1])).rstrip()
