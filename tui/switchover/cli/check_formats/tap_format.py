"""`tap`: the Test Anything Protocol, version 13, for `prove` and what else reads it.

What was skipped proves nothing, so it is `not ok` rather than a `# SKIP`, which counts as passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from switchover.cli.check_formats.format_api import CheckFormat, CheckReport, as_data, one_line, safe
from switchover.cli.output import json_text
from switchover_checks.api import Status

if TYPE_CHECKING:
    from switchover.health.probing import CheckObservation

__all__ = ["TapFormat"]


class TapFormat(CheckFormat):
    """Writes the lines."""

    kind: ClassVar[str] = "tap"
    has_left_out: ClassVar[bool] = True

    def render(self, report: CheckReport) -> str:
        """Write version, plan and one line a check, with what was found in a block of YAML below."""
        if report.failed:
            return f"TAP version 13\nBail out! {_plain(report.failed)}"
        lines = ["TAP version 13"]
        if report.readings:
            lines.append(f"1..{len(report.readings)}")
        else:
            lines += ["1..1", "not ok 1 - no check was looked at"]
        for number, reading in enumerate(report.readings, 1):
            lines += _test(number, reading, report.kind_of(reading))
        if report.left_out:
            lines.append(f"# {_plain(report.left_out)}")
        return "\n".join(lines)


def _test(number: int, reading: CheckObservation, kind: str) -> Iterator[str]:
    fine = reading.status is Status.OK
    yield f"{'ok' if fine else 'not ok'} {number} - {_plain(f'{reading.name}: {reading.result.summary}')}"
    if fine:
        return
    found = as_data(reading, kind)
    yield "  ---"
    for key in ("status", "kind", "phase", "duration_ms", "findings", "evidence"):
        yield f"  {key}: {json_text(found[key], indent=None)}"  # JSON is YAML
    yield "  ..."


def _plain(text: str) -> str:
    """Return a text in one line in which a `#` begins no directive."""
    return one_line(safe(text)).replace("\\", "\\\\").replace("#", "\\#")
