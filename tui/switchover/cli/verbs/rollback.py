"""`switchover rollback PLAN [NAME]`: undo the begun steps one by one, or go a named way back.

Exit codes: 0 it is through and its checks are fine. 1 an action failed, a check is not fine, or the path is closed. 3
an outcome is unknown. 4 what cannot be undone has to be accepted first. 5 somebody else drives.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from switchover.cli import diagnostics, output
from switchover.cli.journal_watch import keeping_line, persisting
from switchover.cli.plan_argument import add_plan
from switchover.cli.plan_file import load_for_run
from switchover.cli.verbs.run import interruptible, tell_last_lines, teller
from switchover.errors import UsageError

if TYPE_CHECKING:
    from switchover.migration.run.engine import Engine

__all__ = ["add_arguments", "run"]

VERB = "rollback"
RANK = 30
SUMMARY = "undo what was started, or take a named way back"

_STEP_BY_STEP = "step-by-step"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `rollback`."""
    add_plan(parser, "the plan whose run is undone", executes=True, then="name")
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help=f"a named way back, or {_STEP_BY_STEP}; without one, the one that was begun, else step by step",
    )
    parser.add_argument("--dry-run", action="store_true", help="rehearse: show all that would be done, and do nothing")
    parser.add_argument(
        "--skip", metavar="ACTION", action="append", default=[], help="leave this action out: its number, or its step"
    )
    parser.add_argument(
        "--retry",
        metavar="ACTION",
        action="append",
        default=[],
        help="run this failed action again: its number or step",
    )
    parser.add_argument(
        "--accept-loss",
        metavar="STEP",
        action="append",
        default=[],
        help="go back although this begun step cannot be undone",
    )
    parser.add_argument("--reason", metavar="TEXT", default="", help="why, for --skip; it stands in the report")


def run(args: Namespace) -> int:
    """Go back and return the exit code."""
    import asyncio

    if args.name == _STEP_BY_STEP:
        args.name = ""
    if args.skip and not args.reason.strip():
        raise UsageError("--skip needs a reason", "say why: --reason TEXT")
    return asyncio.run(_dry_run(args) if args.dry_run else _run(args))


async def _dry_run(args: Namespace) -> int:
    from switchover.app import build_evaluator
    from switchover.cli.report.rollback_text import rehearsal_text

    parts = build_evaluator(*load_for_run(args, finished=True), only_read=True)  # a rehearsal has no effect
    try:
        rehearsal = await parts.engine.rehearse(args.name)
    finally:
        await parts.aclose()
    output.emit_text(rehearsal_text(rehearsal))
    return 0 if rehearsal.way.available else 1


async def _run(args: Namespace) -> int:
    from switchover.app import KnownSecrets, build
    from switchover.migration.facts.operator import Operator
    from switchover.migration.run.rollback_runner import unit_of

    words = KnownSecrets()
    diagnostics.redact_with(words.redact)
    parts = build(*load_for_run(args, finished=True), secret_words=words)
    engine = parts.engine
    operator = Operator.current()
    try:
        if engine is None:  # pragma: no cover - there is a plan, so there is an engine
            return 1
        await parts.know_secrets()
        engine.listen(teller(engine))
        _check_accepted(engine, args.accept_loss)
        async with engine.hold(operator), keeping_line(engine, parts.listeners):
            with interruptible(engine, operator):
                await engine.recover(operator)
                await engine.settled()
                for action in args.skip:
                    await engine.skip(action, args.reason, operator)
                if lacking := _say_what_stays(engine, args):
                    return lacking
                again = [unit_of(engine.state.rollback, action) for action in args.retry]
                if not _asks(engine, args.name, again):  # where it stands, and what to decide, is said below
                    await persisting(
                        engine,
                        operator,
                        lambda: engine.rollback(args.name, operator, accept=args.accept_loss, again=again),
                    )
        return _say_outcome(engine)
    finally:
        await parts.aclose()


def _check_accepted(engine: Engine, accepted: Sequence[str]) -> None:
    """Raise `UsageError` for a step that the plan does not have, or that can be undone."""
    from switchover.migration.rules.cli_names import known_name

    for name in accepted:
        known_name(name, [step.id for step in engine.loaded.plan.all_steps], "step")
        if not engine.loaded.plan.step(name).irreversible:
            raise UsageError(f"{name} is not irreversible, so there is no loss of it to accept")


def _say_what_stays(engine: Engine, args: Namespace) -> int:
    """Say what cannot be undone, before anything is. Return an exit code where that is not accepted, else 0."""
    from switchover.errors import RefusedError
    from switchover.migration.run.rollback_runner import refuse_loss, rollback_path_named

    begun = engine.state.rollback if not engine.state.finished else None
    if begun is not None and args.name in (None, begun.name):
        return 0  # it was accepted when it began, and where it stands is said at the end
    way = rollback_path_named(engine.run_store, args.name or "")
    if not way.available:
        return 0  # it is refused all the same, and why
    for text in way.cannot_undo:
        output.emit_text(f"! {text}")
    try:
        refuse_loss(engine.run_store, way, args.accept_loss)
    except RefusedError as error:
        diagnostics.say(f"switchover: {error.title}; nothing was rolled back")
        diagnostics.say(f"  {error.hint}")
        return 4
    return 0


def _asks(engine: Engine, name: str | None, again: Sequence[str]) -> bool:
    """Whether a person has to decide first about an action of the rollback that was begun."""
    rollback, action = engine.state.rollback, engine.action
    if rollback is None or engine.state.finished or action.unit not in {item.unit for item in rollback.items}:
        return False
    failed = action.kind == "failed" and action.unit not in again and name in (None, rollback.name)
    return failed or action.kind == "resolve"


def _say_outcome(engine: Engine) -> int:
    from switchover.cli.report.rollback_text import next_steps, standing
    from switchover.migration.facts.run_state import Stage

    view, state = engine.view(), engine.state
    rollback = view.rollback
    if rollback is None:
        return 1
    through = state.stage is Stage.ROLLED_BACK
    if not through:
        tell_last_lines(engine)
    output.emit_text(standing(rollback, time.time()))
    if through:
        bad = [need for need in rollback.verify if need.status != "ok"]
        for need in rollback.verify:
            output.emit_text(f"{need.name}: {need.status}: {need.summary}")
        word = "is rolled back" if not bad else "has gone back, and that is not proved"
        output.emit_text(f"run {state.run_id} {word}")
        output.emit_text(f"head: record {state.seq}, {engine.head_hash()}")
        if bad:
            names = ", ".join(need.name for need in bad)
            diagnostics.say(f"switchover: it was gone back, but what it has to restore is not proved: {names}")
        return 1 if bad else 0
    action = engine.action
    diagnostics.say(f"switchover: the rollback stopped: {action.reason or view.action.text}")
    others = tuple(way.name for way in view.rollbacks if way.available and way.name != rollback.name)
    for text in next_steps(rollback, engine.run_store.workspace, others):
        diagnostics.say(f"  {text}")
    return 3 if action.kind == "resolve" else 1
