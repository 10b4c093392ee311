"""`switchover waive PLAN CHECK --reason TEXT --for 2h`: let a check that is not fine pass where the run stands."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from switchover.cli import output
from switchover.errors import UsageError

if TYPE_CHECKING:
    from switchover.migration.facts.operator import Operator
    from switchover.migration.run.engine import Engine

__all__ = ["add_arguments", "run"]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `waive`."""
    parser.add_argument("plan", metavar="PLAN", help="the plan whose run waits")
    parser.add_argument("check", metavar="CHECK", help="the check that fails or cannot be known")
    parser.add_argument("--reason", metavar="TEXT", required=True, help="why it may pass; it stands in the report")
    parser.add_argument("--for", dest="for_", metavar="TIME", required=True, help="how long: 30m, 2h, 1d (at most 7d)")


def run(args: Namespace) -> int:
    """Waive it; 0 when it is on record."""
    import asyncio

    from switchover.cli.run_access import call_run
    from switchover_checks.language.units import format_duration, parse_duration

    try:
        seconds = parse_duration(args.for_)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None

    async def here(engine: Engine, operator: Operator) -> None:
        await engine.waive(args.check, operator, args.reason, seconds)

    params = {"check": args.check, "reason": args.reason, "for_s": seconds}
    asyncio.run(call_run(args, "gate.waive", params, here))
    output.emit_text(f"{args.check} is waived there for {format_duration(seconds)}; after that it blocks again")
    return 0
