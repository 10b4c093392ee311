"""`switchover validate [PLAN…]`: every error of a plan at once, and nothing of the plan is executed.

Exit code 0 with a line for each plan where all is well. Else 2, with the errors on standard error, one a line, as
`FILE:LINE:COLUMN: PATH: MESSAGE`. What is allowed and is often a mistake is a warning there; it changes no exit code.
Without a name, the one plan of the current directory is meant.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.cli import diagnostics
from switchover.cli.output import emit_json, emit_text
from switchover.errors import PlanError

if TYPE_CHECKING:
    from switchover.plan.model import Plan

__all__ = ["add_arguments", "run"]

VERB = "validate"
RANK = 170
SUMMARY = "find every error in a plan without running anything of it"
NEEDS_JOURNAL = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the plans and the output's form."""
    parser.add_argument(
        "plans", metavar="PLAN", nargs="*", type=Path, help="the plan files; without one, the one plan found here"
    )
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="text: errors and warnings on standard error; json: a list of both on standard output, told apart by "
        "`severity` (empty when there are none)",
    )


def run(args: argparse.Namespace) -> int:
    """Check the plans and return the exit code."""
    from switchover.cli.plan_argument import the_plan_here
    from switchover.plan.loader.load import load_plan
    from switchover.plan.loader.plan_warnings import plan_warnings

    found, code = [], 0
    for path in args.plans or [the_plan_here("validate")]:
        try:
            loaded = load_plan(path)
        except PlanError as error:
            code = error.exit_code
            found += [("error", problem) for problem in error.problems]
            if args.format == "text":
                diagnostics.report_error(error)
            continue
        warnings = plan_warnings(loaded)
        found += [("warning", warning) for warning in warnings]
        if args.format == "text":
            for warning in warnings:
                diagnostics.say(str(replace(warning, message=f"warning: {warning.message}")))
            emit_text(f"{path}: ok, {_size(loaded.plan, len(warnings))}")
    if args.format == "json":
        emit_json([{**asdict(problem), "severity": severity} for severity, problem in found])
    return code


def _size(plan: Plan, warnings: int) -> str:
    counted = [(len(plan.phases), "phase"), (len(plan.all_steps), "step"), (len(plan.checks), "check")]
    counted += [(warnings, "warning")] if warnings else []
    return ", ".join(f"{number} {word}" if number == 1 else f"{number} {word}s" for number, word in counted)
