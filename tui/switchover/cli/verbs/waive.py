"""`switchover waive PLAN CHECK --reason TEXT --for 2h`: let a check that is not fine pass where the run stands."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from switchover.cli import output
from switchover.cli.plan_argument import add_plan
from switchover.errors import UsageError

__all__ = ["add_arguments", "run"]

VERB = "waive"
RANK = 50
SUMMARY = "let a check that is not fine pass for a while, with a reason"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `waive`."""
    add_plan(parser, "the plan whose run waits", executes=True, then="check")
    parser.add_argument("check", metavar="CHECK", help="the check that fails or cannot be known")
    parser.add_argument("--reason", metavar="TEXT", required=True, help="why it may pass; it stands in the report")
    parser.add_argument("--for", dest="for_", metavar="TIME", required=True, help="how long: 30m, 2h, 1d (at most 7d)")


def run(args: Namespace) -> int:
    """Waive it; 0 when it is on record."""
    from switchover.cli.run_access import carry_out
    from switchover.commands.gates import WaiveCheck
    from switchover_checks.language.units import format_duration, parse_duration

    try:
        seconds = parse_duration(args.for_)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None

    carry_out(args, WaiveCheck(args.check, args.reason, seconds))
    output.emit_text(f"{args.check} is waived there for {format_duration(seconds)}; after that it blocks again")
    return 0
