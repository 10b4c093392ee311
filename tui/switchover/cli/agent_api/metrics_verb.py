"""`switchover metrics [PLAN]`: what an agent measures now, or one metric's past, without a screen."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from urllib.parse import quote

__all__ = ["add_arguments", "run"]

VERB = "metrics"
RANK = 103
SUMMARY = "show what an agent measures, now or over hours, without a screen"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `metrics`."""
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="whose agent (default: the one of this host)")
    parser.add_argument("--name", metavar="METRIC", help="one metric, point by point")
    parser.add_argument("--hours", type=float, default=1.0, metavar="N", help="with --name: how far back (default: 1)")
    parser.add_argument(
        "--format", choices=("table", "json", "jsonl"), default="table", help="how it is written (default: table)"
    )


def run(args: Namespace) -> int:
    """Ask and write."""
    from switchover.cli.agent_api.ask_api import ask_api, write_rows
    from switchover.cli.plan_file import workspace_of

    workspace = workspace_of(args)
    if args.name is None:
        rows = ask_api(workspace, "/monitoring/metrics")["metrics"]
        write_rows(rows, args.format, ("name", "latest", "unit", "kind", "note"))
        return 0
    found = ask_api(workspace, f"/monitoring/metrics/{quote(args.name, safe='')}?hours={args.hours:g}")
    points = [
        {"at": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"), "value": value, **series["labels"]}
        for series in found["series"]
        for at, value in series["points"]
    ]
    write_rows(points, args.format, ("at", "value"))
    return 0
