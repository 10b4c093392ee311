"""Watches the connection to a shared journal while a verb runs: says when it is lost and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from switchover.cli import diagnostics
from switchover.errors import JournalAwayError, SwitchoverError

if TYPE_CHECKING:
    from switchover.migration.facts.operator import Operator
    from switchover.migration.run.engine import Engine

__all__ = ["keeping_line", "persisting"]


@asynccontextmanager
async def keeping_line(engine: Engine, listeners: list[Callable[[], None]]) -> AsyncIterator[None]:
    """Hold a shared journal again as soon as it is back. `listeners` are called whenever the engine's state moved."""
    if engine.run_store.workspace.shared is None:
        yield
        return
    said = False

    def say() -> None:
        nonlocal said
        away = engine.outage
        if bool(away) != said:
            said = bool(away)
            diagnostics.say(f"switchover: {away}" if said else "switchover: the journal is back")

    async def follow() -> None:
        while True:
            await engine.news()
            with suppress(SwitchoverError):  # what drives meets the same, and says it
                await engine.refresh()

    listeners.append(say)
    following = asyncio.ensure_future(follow())
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        listeners.remove(say)


async def persisting(engine: Engine, operator: Operator, action: Callable[[], Awaitable[object]]) -> None:
    """Carry on from where it stopped, again after each time the journal was away."""
    while True:
        try:
            await action()
        except JournalAwayError:
            if engine.interrupted:
                raise
            await engine.until_journal_is_back()
            await engine.recover(operator)
            await engine.settled()
            if engine.state.finished:
                return
        else:
            return
