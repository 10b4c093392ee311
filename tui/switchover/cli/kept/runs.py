"""`switchover runs`: every run of this host, open ones first. Reads only."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from switchover.cli import diagnostics, output
from switchover.clock import iso_utc
from switchover.locations import host_registry, state_root

if TYPE_CHECKING:
    from switchover.cli.kept.run_rows import RunRow

__all__ = ["add_arguments", "run"]

VERB = "runs"
RANK = 105
SUMMARY = "list all runs of this host, open ones first"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `runs`."""
    parser.description = (
        "List every run whose state lies below the state directory, and those that other accounts and state "
        "directories of this host have noted. A plan's file need not be there any more."
    )
    parser.add_argument("--open", action="store_true", help="only runs that are not over")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to answer (default: table)")


def run(args: Namespace) -> int:
    """List them; 0 whatever there is."""
    from switchover.cli.kept.run_rows import left_elsewhere, list_runs

    rows, unreadable = list_runs(state_root(args.state), host_registry(os.environ))
    left = left_elsewhere(state_root(args.state), rows)
    rows = [row for row in rows if row.is_open or not args.open]
    if args.format == "json":
        output.emit_json(
            {"runs": [_document(row) for row in rows], "unreadable": unreadable, "left": [asdict(one) for one in left]}
        )
        return 0
    for line in _table(rows):
        output.emit_text(line)
    for one in left:
        output.emit_text(f"may still lie on {one}")
    for why in unreadable:
        diagnostics.say(f"not read: {why}")
    return 0


def _document(row: RunRow) -> dict[str, Any]:
    known = asdict(row)
    times = {"began_at": iso_utc(row.began_at), "ended_at": iso_utc(row.ended_at)}
    return {name: times.get(name, value) if value != "" else None for name, value in known.items()}


def _table(rows: list[RunRow]) -> list[str]:
    if not rows:
        return ["there is no run on this host"]
    lines = [("RUN", "STATE", "PLAN", "TARGET", "BEGAN", "ENDED", "BY", "FILE OF THE PLAN")]
    lines += [
        (row.run, _state(row), row.plan, row.target or "-", _when(row.began_at), _when(row.ended_at), row.by or "-",
         _file(row))
        for row in rows
    ]  # fmt: skip
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _state(row: RunRow) -> str:
    word = row.state.replace("_", " ")
    if not row.is_open:
        return word
    return f"{word}, {row.driver} drives" if row.driver else f"{word}, nobody drives"


def _file(row: RunRow) -> str:
    if row.account:
        return f"{row.plan_path or '-'} (state of {row.account} in {row.directory})"
    return row.plan_path if row.plan_is_there else f"{row.plan_path} (gone; state in {row.directory})"


def _when(at: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if at is not None else "-"
