"""Has a command carried out: by the agent of its workspace where one answers, else in this process."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from switchover.cli import diagnostics
from switchover.cli.plan_file import load_for_run, workspace_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from switchover.agent.wire.client import AgentClient
    from switchover.app.workspace_runtime import WorkspaceRuntime
    from switchover.commands.command import Command
    from switchover.migration.facts.operator import Operator

__all__ = ["carry_out", "connect"]

_FIRST_LOOK_S = 6.0  # at everything, where no agent has done so

Answer = TypeVar("Answer")


def carry_out(args: Namespace, command: Command[Answer], *, looks_first: bool = False) -> Answer:
    """Return the answer to a command. With `looks_first`, a process without an agent looks at everything before it.

    An agent that only watches holds nothing up: what the engine does is done here then.
    """
    return asyncio.run(_carry_out(args, command, looks_first=looks_first))


async def _carry_out(args: Namespace, command: Command[Answer], *, looks_first: bool) -> Answer:
    from switchover.agent.process.agent_record import find_socket
    from switchover.agent.process.lifecycle import ask
    from switchover.commands.command import CommandContext, CommandTarget, RunCommand
    from switchover.migration.facts.operator import Operator

    workspace, operator = workspace_of(args), Operator.current()
    info = ask(workspace)
    if info is not None and not (info.read_only and isinstance(command, RunCommand)):
        async with await connect(find_socket(workspace), operator) as client:
            return await client.send(command)
    from switchover.app import KnownSecrets, build

    secrets = KnownSecrets()
    diagnostics.redact_with(secrets.redact)
    loaded = load_for_run(args)[0] if args.plan is not None else None
    parts = build(loaded, workspace, secret_words=secrets)
    try:
        await parts.know_secrets()  # a person's words may hold one
        async with _watched(parts, looks_first=looks_first):
            return await command.apply(CommandContext(CommandTarget(parts.hub, parts.engine), operator))
    finally:
        await parts.aclose()


@asynccontextmanager
async def _watched(parts: WorkspaceRuntime, *, looks_first: bool) -> AsyncIterator[None]:
    if not looks_first:
        yield
        return
    parts.hub.current.alarms.only_looks = True
    watching = asyncio.ensure_future(parts.hub.run())
    try:
        parts.hub.note_viewer(parts, found=True)
        await asyncio.wait({watching}, timeout=_FIRST_LOOK_S)
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def connect(socket: Path, operator: Operator) -> AgentClient:
    """Connect to an agent and say who asks."""
    from switchover.agent.wire.client import AgentClient

    client = AgentClient()
    try:
        await client.connect(socket)
        await client.hello({"who": operator.who, "host": operator.host, "tty": operator.tty})
    except BaseException:
        await client.aclose()
        raise
    return client
