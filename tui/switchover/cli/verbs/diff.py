"""`switchover diff PLAN`: how the plan's file differs from the plan that its run goes by. Reads only.

0 it does not, 1 it does, 2 the file has errors.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from switchover.cli import output
from switchover.cli.plan_argument import add_plan
from switchover.cli.plan_file import load_for_run, workspace_of

__all__ = ["add_arguments", "run"]

VERB = "diff"
RANK = 80
SUMMARY = "show how a plan's file differs from what its run goes by"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `diff`."""
    add_plan(parser, "the plan whose file is compared with its run")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how it is written (default: text)")
    parser.add_argument("--brief", action="store_true", help="name the parts that changed, without the lines")


def run(args: Namespace) -> int:
    """Compare, and return the exit code."""
    import asyncio

    return asyncio.run(_diff(args))


async def _diff(args: Namespace) -> int:
    from switchover.app import build_evaluator
    from switchover.cli.report.plan_change_text import difference_text

    parts = build_evaluator(*load_for_run(args, finished=True, quiet=True))
    try:
        found = await parts.engine.difference()
    finally:
        await parts.aclose()
    if args.format == "json":
        output.emit_json(found)
    else:
        output.emit_text(difference_text(found, workspace_of(args), lines=not args.brief))
    return 2 if found.problems else 0 if found.same or not found.run_id else 1
