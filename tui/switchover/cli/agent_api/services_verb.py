"""`switchover services [PLAN]`: how the services stand that an agent watches, without a screen."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

__all__ = ["add_arguments", "run"]

VERB = "services"
RANK = 102
SUMMARY = "show the services that an agent watches, without a screen"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `services`."""
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="whose agent (default: the one of this host)")
    parser.add_argument(
        "--format", choices=("table", "json", "jsonl"), default="table", help="how it is written (default: table)"
    )


def run(args: Namespace) -> int:
    """Ask and write."""
    from switchover.cli.agent_api.ask_api import ask_api, write_rows
    from switchover.cli.plan_file import workspace_of

    rows = ask_api(workspace_of(args), "/monitoring/services")["services"]
    write_rows(rows, args.format, ("name", "kind", "side", "state", "health", "status"))
    return 0
