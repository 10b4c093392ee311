"""`json`: one document for programs. Its shape has a name, `switchover/check/1`, which changes when the shape does."""

from __future__ import annotations

from typing import Any, ClassVar

from switchover.cli.check_formats.format_api import CheckFormat, CheckReport, as_data
from switchover.cli.output import json_text
from switchover_checks.api import Status

__all__ = ["SCHEMA", "JsonFormat", "failed_data"]

SCHEMA = "switchover/check/1"


class JsonFormat(CheckFormat):
    """Writes the document."""

    kind: ClassVar[str] = "json"

    def render(self, report: CheckReport) -> str:
        """Write it."""
        if report.failed:
            return json_text({**failed_data(report), "checks": []})
        checks = [as_data(reading, report.kind_of(reading)) for reading in report.readings]
        return json_text({"schema": SCHEMA, "plan": report.plan, "status": report.status.label, "checks": checks})


def failed_data(report: CheckReport) -> dict[str, Any]:
    """Return what stands for a report of nothing."""
    return {"schema": SCHEMA, "status": Status.UNKNOWN.label, "error": report.failed}
