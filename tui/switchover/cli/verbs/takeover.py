"""`switchover takeover PLAN`: ask whoever drives for the run, or answer one who asks.

0 it is yours (or your answer is given), 5 it was refused.
"""

from __future__ import annotations

import asyncio
import os
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from switchover.cli import output
from switchover.cli.plan_argument import add_plan
from switchover.cli.plan_file import workspace_of
from switchover.errors import LockedError, RefusedError

if TYPE_CHECKING:
    from switchover.locations import Workspace
    from switchover.migration.facts.operator import Operator
    from switchover.snapshot import Holder

__all__ = ["add_arguments", "run"]

VERB = "takeover"
RANK = 70
SUMMARY = "ask whoever drives for the run, or answer one who asks"

_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.25


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `takeover`."""
    add_plan(parser, "the plan whose run is asked for")
    answers = parser.add_mutually_exclusive_group()
    answers.add_argument("--hand-over", action="store_true", help="answer one who asks: the run is theirs")
    answers.add_argument("--refuse", action="store_true", help="answer one who asks: not now")


def run(args: Namespace) -> int:
    """Ask and wait for the answer, or answer."""
    return asyncio.run(_run(args))


async def _run(args: Namespace) -> int:
    from switchover.migration.facts.operator import Operator

    workspace, operator = workspace_of(args), Operator.current()
    if args.hand_over or args.refuse:
        return await _answer(workspace, operator, granted=args.hand_over)
    return await _ask(workspace, operator)


async def _answer(workspace: Workspace, operator: Operator, *, granted: bool) -> int:
    from switchover.agent.process.agent_record import find_socket
    from switchover.agent.process.lifecycle import ask
    from switchover.cli.run_access import connect
    from switchover.clock import SystemClock
    from switchover.commands.lease import AnswerTakeover
    from switchover.migration.run.takeover_mailbox import TakeoverMailbox

    box = TakeoverMailbox(workspace.directory)
    question = box.question(SystemClock().now())
    if question is not None:
        box.say(question, granted=granted, why="handed over" if granted else "refused")
    elif ask(workspace) is not None:
        async with await connect(find_socket(workspace), operator) as client:
            await client.send(AnswerTakeover(yes=granted))
    else:
        raise RefusedError("nobody asks to take over")
    output.emit_text("the run is theirs now" if granted else "refused")
    return 0


def _holder_elsewhere(workspace: Workspace) -> Holder | None:
    """Return who drives a run of a shared journal from another host or state directory."""
    from switchover.app import id_in_file
    from switchover.clock import SystemClock
    from switchover.migration.journal.journal_store import open_journal

    if workspace.shared is None:
        return None
    journal = open_journal(workspace, id_in_file(workspace.plan), SystemClock(), create=False)
    if journal is None:
        return None
    with journal:
        return journal.holder()


async def _ask(workspace: Workspace, operator: Operator) -> int:
    from switchover.agent.process.agent_record import find_socket
    from switchover.agent.process.lifecycle import ask
    from switchover.cli.run_access import connect
    from switchover.commands.lease import AskForRun
    from switchover.migration.journal.run_lock import describe_holder, read_holder
    from switchover.migration.run.takeover_mailbox import TakeoverMailbox

    if ask(workspace) is not None:
        async with await connect(find_socket(workspace), operator) as client:
            word = await client.send(AskForRun())
            if word == "asked":
                output.emit_text(f"asked; the one who drives has {_WITHIN_S:.0f} s to answer")
            async for snapshot in client.snapshots():
                header = snapshot.header
                if header.driver is not None and header.driver.pid == os.getpid():
                    output.emit_text("you drive now")
                    return 0
                if header.asking is None and word == "asked":
                    break
        raise LockedError("it was not handed over", "you watch; ask again later, or talk to them")
    holder = read_holder(workspace.lock)
    if holder is None and (far := _holder_elsewhere(workspace)) is not None:
        raise LockedError(
            f"the run is driven by {describe_holder(far)}",
            f"ask on {far.host}; once they have ended there, you can drive",
        )
    if holder is None:
        output.emit_text("nobody drives: whoever acts next does")
        return 0
    from switchover.clock import SystemClock

    clock, box = SystemClock(), TakeoverMailbox(workspace.directory)
    question = box.ask(operator, clock.now(), _WITHIN_S)
    output.emit_text(f"asked {describe_holder(holder)}, who has {_WITHIN_S:.0f} s to answer")
    began = clock.monotonic()
    while clock.monotonic() - began < _WITHIN_S + 1:
        answer = box.answer_to(question)
        if read_holder(workspace.lock) is None or (answer is not None and answer.granted):
            output.emit_text("the run is yours; what runs there goes on to its end")
            return 0
        if answer is not None:
            raise LockedError(f"it was not handed over: {answer.why}", "you watch; ask again later, or talk to them")
        await asyncio.sleep(_LOOK_EVERY_S)
    raise LockedError("nobody answered", "you watch; ask again later, or talk to them")
