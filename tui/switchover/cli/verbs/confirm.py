"""`switchover confirm PLAN STEP [--with USER]`: the second person's word for a step or a gate that needs two.

Two people are two accounts. The kernel tells the agent which account speaks, so nobody can give a word in another's
name. Without an agent no word counts. The agent listens for the second person where it was started so: `agent start
PLAN --group NAME`.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.cli import output
from switchover.cli.plan_argument import add_plan
from switchover.errors import AgentError, UsageError

if TYPE_CHECKING:
    from switchover.commands.gates import ConfirmStep

__all__ = ["add_arguments", "run"]

VERB = "confirm"
RANK = 60
SUMMARY = "give a second person's word for a step or a gate that needs two"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `confirm`."""
    add_plan(parser, "the plan whose run waits", executes=True, then="step")
    parser.add_argument("step", metavar="STEP", help="the step that needs two people, or the phase whose gate does")
    parser.add_argument("--with", dest="with_", metavar="USER", help="the account under which the run is driven")
    parser.add_argument(
        "--text", metavar="TEXT", help="what the step wants to be typed, go for a gate; without it, it is asked for"
    )


def run(args: Namespace) -> int:
    """Give the word; 0 when it is on record."""
    import asyncio

    from switchover.cli.run_access import carry_out
    from switchover.commands.gates import ConfirmStep

    word = ConfirmStep(args.step, args.text if args.text is not None else _ask(args.step))
    if args.with_ is None:
        carry_out(args, word)
    else:
        asyncio.run(_at_the_group_socket(Path(args.plan).resolve(), args.with_, word))
    output.emit_text(f"your word for {args.step} is on record; it goes on once the one who drives gives theirs")
    return 0


async def _at_the_group_socket(plan: Path, user: str, word: ConfirmStep) -> None:
    import pwd

    from switchover.cli.run_access import connect
    from switchover.locations import group_socket_folder
    from switchover.migration.facts.operator import Operator

    try:
        uid = pwd.getpwnam(user).pw_uid
    except KeyError:
        raise UsageError(f"there is no user {user!r}", "name the account under which the run is driven") from None
    group_socket = group_socket_folder(uid, plan)
    try:
        owner = group_socket.stat().st_uid
    except OSError as error:
        raise AgentError(
            f"{user} has no door open for you: {error.strerror}",
            f"{user} runs `switchover agent start PLAN --group NAME`, with a group that you are a member of, "
            "and both of you name the same plan file",
        ) from error
    if owner != uid:
        raise AgentError(f"{group_socket} does not belong to {user}", "somebody else has put it there; tell them both")
    async with await connect(group_socket, Operator.current()) as client:
        await client.send(word)


def _ask(step: str) -> str:
    if not os.isatty(0):
        raise UsageError("what is typed is missing", "--text TEXT")
    return input(f"what {step} wants to be typed: ")
