"""`switchover validate PLAN`: every error of a plan at once, and nothing of the plan is executed.

Exit code 0 with one line where all is well. Else 2, with the errors on standard error, one a line, as
`FILE:LINE:COLUMN: PATH: MESSAGE`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from switchover.cli.output import emit_json, emit_text
from switchover.errors import PlanError

__all__ = ["add_arguments", "run"]

VERB = "validate"
RANK = 170
SUMMARY = "find every error in a plan without running anything of it"
NEEDS_JOURNAL = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the plan and the output's form."""
    parser.add_argument("plan", metavar="PLAN", type=Path, help="the plan file")
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="text: errors on standard error; json: a list of them on standard output (empty when there are none)",
    )


def run(args: argparse.Namespace) -> int:
    """Check the plan and return the exit code. In the text form raise `PlanError`, which is worded in one place."""
    from switchover.plan.loader.load import load_plan

    try:
        plan = load_plan(args.plan).plan
    except PlanError as error:
        if args.format != "json":
            raise
        emit_json(error.problems)
        return error.exit_code
    if args.format == "json":
        emit_json([])
    else:
        counts = (
            _count(len(plan.phases), "phase"),
            _count(len(plan.all_steps), "step"),
            _count(len(plan.checks), "check"),
        )
        emit_text(f"{args.plan}: ok, {', '.join(counts)}")
    return 0


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
