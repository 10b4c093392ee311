"""`switchover alerts [PLAN]`: the alerts that fire, for people and scripts."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from switchover.cli import output
from switchover.cli.telling.rows import FORMATS, emit_rows

if TYPE_CHECKING:
    from switchover.snapshot import AlertRow

__all__ = ["add_arguments", "run"]

VERB = "alerts"
RANK = 152
SUMMARY = "list the alerts that fire"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `alerts`."""
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="the plan that they are of (default: this host)")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how to answer (default: text)")


def run(args: Namespace) -> int:
    """List them; 0 when none fires, 1 when one does."""
    from switchover.cli.run_access import carry_out
    from switchover.commands.alert_commands import ListAlerts

    rows = carry_out(args, ListAlerts(), looks_first=True)
    if args.format == "text":
        for row in rows:
            output.emit_text(_line(row))
        if not rows:
            output.emit_text("no alert fires")
    else:
        emit_rows([_document(row) for row in rows], args.format)
    return 1 if rows else 0


def _line(row: AlertRow) -> str:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.since))
    note = f"  ({row.note})" if row.note else ""
    return f"{row.severity:9} {row.name:24} since {since}  {row.text}{note}"


def _document(row: AlertRow) -> dict[str, object]:
    from switchover.clock import iso_utc

    return {
        "name": row.name,
        "severity": row.severity,
        "text": row.text,
        "rule": row.rule,
        "since": iso_utc(row.since),
        "note": row.note or None,
        "runbook": row.runbook or None,
        "id": row.id,
    }
