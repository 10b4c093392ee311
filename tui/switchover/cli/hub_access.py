"""Calls the hub of a workspace: through its agent where one answers, else in this process."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from switchover.cli import diagnostics
from switchover.cli.plan_file import load_for_run, workspace_of
from switchover.cli.run_access import call_out

if TYPE_CHECKING:
    from switchover.hub.problems.triage_service import TriageService
    from switchover.migration.facts.operator import Operator

__all__ = ["call_hub"]

_LOOK_S = 6.0  # for a first look at everything, where no agent has done so


async def call_hub(
    args: Namespace,
    method: str,
    params: dict[str, Any],
    here: Callable[[TriageService, Operator], Awaitable[Any]],
    *,
    looks_first: bool = False,
) -> Any:
    """Ask the agent for `method`, or do `here` where none answers; with `looks_first` after a look at everything."""
    from switchover.agent.process.agent_record import find_socket
    from switchover.agent.process.lifecycle import ask
    from switchover.migration.facts.operator import Operator

    workspace, operator = workspace_of(args), Operator.current()
    if ask(workspace) is not None:
        async with await call_out(find_socket(workspace), operator) as client:
            return await client.request(method, **params)
    from switchover.app import KnownSecrets, build

    words = KnownSecrets()
    diagnostics.redact_with(words.redact)
    loaded = load_for_run(args)[0] if args.plan is not None else None
    parts = build(loaded, workspace, secret_words=words)
    watching = asyncio.ensure_future(parts.hub.run()) if looks_first else None
    try:
        if watching is not None:
            parts.hub.note_viewer(parts, found=True)
            await asyncio.wait({watching}, timeout=_LOOK_S)
        return await here(parts.hub.triage, operator)
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await parts.aclose()
