"""`switchover rebase PLAN`: let an open run go by its edited plan. What has begun stays as it is.

Exit codes: 0 adopted, or there was nothing to adopt. 1 refused, and why. 2 the file has errors, or asks for more
values. 5 somebody else drives. With `--dry-run` likewise, and nothing is changed.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from switchover.cli import diagnostics, output
from switchover.cli.plan_argument import add_plan
from switchover.cli.plan_file import load_for_run, workspace_of

__all__ = ["add_arguments", "run"]

VERB = "rebase"
RANK = 90
SUMMARY = "let an open run go by its edited plan"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `rebase`."""
    add_plan(parser, "the edited plan", executes=True, only_reads_with=("dry_run",))
    parser.add_argument("--dry-run", action="store_true", help="show what would be adopted, and change nothing")
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; it stands in the journal and in the report")
    parser.add_argument(
        "--var",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="give a value that the edited plan asks for",
    )


def run(args: Namespace) -> int:
    """Adopt the edited plan and return the exit code."""
    import asyncio

    return asyncio.run(_dry_run(args) if args.dry_run else _run(args))


async def _dry_run(args: Namespace) -> int:
    from switchover.app import build_evaluator
    from switchover.cli.report.plan_change_text import difference_text
    from switchover.cli.verbs.run import pairs

    given = pairs(args.var, "--var", "NAME=VALUE")
    parts = build_evaluator(*load_for_run(args, finished=True, quiet=True))
    try:
        found = await parts.engine.difference()
    finally:
        await parts.aclose()
    output.emit_text(difference_text(found, workspace_of(args), lines=True))
    output.emit_text("nothing was changed")
    if found.problems or any(name not in given for name, _, _ in found.needed):
        return 2
    return 1 if found.refused else 0


async def _run(args: Namespace) -> int:
    from switchover.app import KnownSecrets, build
    from switchover.cli.report.plan_change_text import difference_text
    from switchover.cli.verbs.run import pairs, tell
    from switchover.migration.facts.operator import Operator

    given = pairs(args.var, "--var", "NAME=VALUE")
    words = KnownSecrets()
    diagnostics.redact_with(words.redact)
    parts = build(*load_for_run(args, finished=True, quiet=True), secret_words=words)
    engine, operator = parts.engine, Operator.current()
    try:
        if engine is None:  # pragma: no cover - there is a plan, so there is an engine
            return 1
        await parts.know_secrets()
        found = await engine.difference()
        if found.problems:
            diagnostics.say(difference_text(found, workspace_of(args), lines=False))
            return 2
        if found.same or not found.run_open:
            text = difference_text(found, workspace_of(args), lines=False)
            output.emit_text(f"{text}\nthere is nothing to adopt")
            return 0
        engine.listen(tell)
        async with engine.hold(operator):
            await engine.recover(operator)
            for change in await engine.rebase(operator, given, args.reason, found.digest):
                output.emit_text(f"  {change}")
        output.emit_text(f"run {found.run_id} goes by the edited plan; next: {engine.view().action.text}")
        return 0
    finally:
        await parts.aclose()
