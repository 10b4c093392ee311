"""`switchover acknowledge PLAN CHECK --reason TEXT`: let a warning pass where the run stands, while it stays one."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from switchover.cli import output
from switchover.cli.plan_argument import add_plan

__all__ = ["add_arguments", "run"]

VERB = "acknowledge"
RANK = 40
SUMMARY = "let a warning pass where the run stands, with a reason"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `acknowledge`."""
    add_plan(parser, "the plan whose run waits", executes=True, then="check")
    parser.add_argument("check", metavar="CHECK", help="the check that warns")
    parser.add_argument("--reason", metavar="TEXT", required=True, help="why it may pass; it stands in the report")


def run(args: Namespace) -> int:
    """Acknowledge it; 0 when it is on record."""
    from switchover.cli.run_access import carry_out
    from switchover.commands.gates import AcknowledgeCheck

    carry_out(args, AcknowledgeCheck(args.check, args.reason))
    output.emit_text(f"{args.check} is acknowledged there for as long as it stays a warning")
    return 0
