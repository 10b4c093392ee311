"""`switchover push PLAN CHECK`: a job says that it ran, and how. Kept with or without an agent."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from switchover.cli import output
from switchover.cli.plan_argument import add_plan

__all__ = ["add_arguments", "run"]

VERB = "push"
RANK = 15
SUMMARY = "report from a job: it ran, for the heartbeat check that waits for it"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `push`."""
    add_plan(parser, "the plan with the check", executes=True, then="check")
    parser.add_argument("check", metavar="CHECK", help="the check of kind heartbeat that waits for the report")
    parser.add_argument("--status", choices=("ok", "warn", "crit"), default="ok", help="how it ended (default: ok)")
    parser.add_argument("--text", metavar="TEXT", default="", help="what is shown beside it")


def run(args: Namespace) -> int:
    """Hand the report in; 0 when it is kept."""
    from switchover.cli.run_access import carry_out
    from switchover.commands.reports import PushReport

    carry_out(args, PushReport(args.check, args.status, args.text))
    output.emit_text(f"{args.check}: {args.status}")
    return 0
