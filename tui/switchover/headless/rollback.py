"""`switchover rollback PLAN [NAME]`: undo the begun steps one by one, or go a named way back.

0 it is through, 1 an action failed or it is not open, 3 an outcome is unknown, 5 somebody else drives.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from switchover.headless import diagnostics, output
from switchover.headless.journal_line import keeping_line, persisting
from switchover.headless.plan_file import load_for_run
from switchover.headless.run import interruptible, tell, tell_last_lines

if TYPE_CHECKING:
    from switchover.migration.engine import Engine

__all__ = ["add_arguments", "run"]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `rollback`."""
    parser.add_argument("plan", metavar="PLAN", help="the plan whose run is undone")
    parser.add_argument("name", metavar="NAME", nargs="?", help="a named way back; without one, step by step")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")


def run(args: Namespace) -> int:
    """Go back and return the exit code."""
    import asyncio

    return asyncio.run(_dry_run(args) if args.dry_run else _run(args))


async def _dry_run(args: Namespace) -> int:
    from switchover.headless.dry_run import describe_way_back
    from switchover.migration.rolling import find_way
    from switchover.wiring import build_evaluator

    parts = build_evaluator(*load_for_run(args, finished=True))
    try:
        output.emit_text(describe_way_back(find_way(parts.engine.keeper, args.name or "")))
    finally:
        await parts.aclose()
    return 0


async def _run(args: Namespace) -> int:
    from switchover.migration.operator import Operator
    from switchover.wiring import SecretWords, build

    words = SecretWords()
    diagnostics.redact_with(words.redact)
    parts = build(*load_for_run(args, finished=True), secret_words=words)
    engine = parts.engine
    operator = Operator.current()
    try:
        if engine is None:  # pragma: no cover - there is a plan, so there is an engine
            return 1
        engine.listen(tell)
        with engine.hold(operator), interruptible(engine, operator):
            async with keeping_line(engine, parts.listeners):
                await engine.recover(operator)
                await engine.settled()
                if not _unknown(engine):  # it would be refused, and the exit code has to tell that from a failure
                    await persisting(engine, operator, lambda: engine.rollback(args.name, operator))
        return _say_outcome(engine)
    finally:
        await parts.aclose()


def _unknown(engine: Engine) -> bool:
    """Whether an action of a rollback that was begun has an unknown outcome."""
    rollback, action = engine.state.rollback, engine.action
    return rollback is not None and action.kind == "resolve" and action.unit in {item.unit for item in rollback.items}


def _say_outcome(engine: Engine) -> int:
    from switchover.migration.state import Stage

    rollback, state = engine.state.rollback, engine.state
    for text in rollback.cannot_undo if rollback else ():
        output.emit_text(f"! {text}")
    if state.stage is Stage.ROLLED_BACK:
        for evidence in rollback.evidence if rollback else ():
            output.emit_text(f"{evidence.check}: {evidence.status}: {evidence.summary}")
        output.emit_text(f"run {state.run_id} is rolled back")
        output.emit_text(f"head: record {state.seq}, {engine.head_hash()}")
        return 0
    tell_last_lines(engine)
    action = engine.action
    diagnostics.say(f"switchover: the rollback stopped: {action.reason or action.unit}")
    if action.kind == "resolve":
        resolve = f"switchover run {engine.loaded.path} --resolve {action.unit}=done|failed|retry --reason TEXT"
        diagnostics.say(f"  say how it ended: `{resolve}`")
        return 3
    diagnostics.say("  mend it, then run the same rollback again; it goes on where it stopped")
    if action.kind == "failed":
        by_hand = f"switchover run {engine.loaded.path} --resolve {action.unit}=done --reason TEXT"
        diagnostics.say(f"  was it undone by hand: `{by_hand}`, then the same rollback again")
    return 1
