"""Calls a run: through its agent where one answers, else in this process."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchover.cli import diagnostics
from switchover.cli.plan_file import load_for_run, workspace_of

if TYPE_CHECKING:
    from switchover.agent.wire.client import AgentClient
    from switchover.migration.facts.operator import Operator
    from switchover.migration.run.engine import Engine

__all__ = ["call_out", "call_run"]


async def call_run(
    args: Namespace,
    method: str,
    params: dict[str, Any],
    here: Callable[[Engine, Operator], Awaitable[None]],
) -> None:
    """Ask the agent for `method`, or do `here` where none answers."""
    from switchover.agent.process.agent_record import find_socket
    from switchover.agent.process.lifecycle import ask
    from switchover.migration.facts.operator import Operator

    workspace, operator = workspace_of(args), Operator.current()
    info = ask(workspace)
    if info is not None and not info.read_only:
        client = await call_out(find_socket(workspace), operator)
        async with client:
            await client.request(method, **params)
        return
    from switchover.app import KnownSecrets, build

    words = KnownSecrets()
    diagnostics.redact_with(words.redact)
    parts = build(*load_for_run(args), secret_words=words)
    try:
        if parts.engine is not None:
            await here(parts.engine, operator)
    finally:
        await parts.aclose()


async def call_out(socket: Path, operator: Operator) -> AgentClient:
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
