"""`jsonl`: a line of JSON for each check, for what reads streams (logs, `jq`)."""

from __future__ import annotations

from typing import ClassVar

from switchover.cli.check_formats.format_api import CheckFormat, CheckReport, as_data
from switchover.cli.check_formats.json_format import SCHEMA, failed_data
from switchover.cli.output import json_text
from switchover.clock import iso_utc

__all__ = ["JsonLinesFormat"]


class JsonLinesFormat(CheckFormat):
    """Writes the lines."""

    kind: ClassVar[str] = "jsonl"

    def render(self, report: CheckReport) -> str:
        """Write them; each says of which plan it is, and when it was looked."""
        if report.failed:
            return json_text(failed_data(report), indent=None)
        return "\n".join(
            json_text(
                {
                    "schema": SCHEMA,
                    "plan": report.plan,
                    "observed_at": iso_utc(reading.observed_at),
                    **as_data(reading, report.kind_of(reading)),
                },
                indent=None,
            )
            for reading in report.readings
        )
