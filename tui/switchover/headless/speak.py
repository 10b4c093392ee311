"""Saying a word to a run: through its agent where one answers, which may be watching a gate; else in this process."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchover.headless import diagnostics
from switchover.headless.plan_file import load_for_run, workspace_of

if TYPE_CHECKING:
    from switchover.agent.client import AgentClient
    from switchover.migration.engine import Engine
    from switchover.migration.operator import Operator

__all__ = ["call_out", "say_to_run"]


async def say_to_run(
    args: Namespace,
    method: str,
    params: dict[str, Any],
    here: Callable[[Engine, Operator], Awaitable[None]],
) -> None:
    """Ask the agent for `method`, or do `here` where none answers."""
    from switchover.agent.lifecycle import ask
    from switchover.agent.record import find_socket
    from switchover.migration.operator import Operator

    workspace, operator = workspace_of(args), Operator.current()
    info = ask(workspace)
    if info is not None and not info.read_only:
        client = await call_out(find_socket(workspace), operator)
        async with client:
            await client.request(method, **params)
        return
    from switchover.wiring import SecretWords, build

    words = SecretWords()
    diagnostics.redact_with(words.redact)
    parts = build(*load_for_run(args), secret_words=words)
    try:
        if parts.engine is not None:
            await here(parts.engine, operator)
    finally:
        await parts.aclose()


async def call_out(socket: Path, operator: Operator) -> AgentClient:
    """Connect to an agent and say who asks."""
    from switchover.agent.client import AgentClient

    client = AgentClient()
    try:
        await client.connect(socket)
        await client.hello({"who": operator.who, "host": operator.host, "tty": operator.tty})
    except BaseException:
        await client.aclose()
        raise
    return client
