"""Waits until an App has nothing left to do, by asking its event loop and not by the clock.

Textual's own wait sleeps two hundredths of a second at least, twice for each key. That was most of what tests of the
screen took; and on a busy machine it ended before the App had.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from textual import app, pilot

__all__ = ["until_idle", "waits_without_sleeping"]

_SOON_S = 0.02  # a timer that is due within this time is still waited for
_QUIET = 3  # rounds of the loop in which nothing was ready: what a round wakes may wake something more
_MOST_ROUNDS = 20_000


async def until_idle(_min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Return when nothing is ready, and no timer is due soon; after `max_sleep` in any case."""
    loop: Any = asyncio.get_running_loop()
    end = loop.time() + max_sleep
    quiet = 0
    for _ in range(_MOST_ROUNDS):
        await asyncio.sleep(0)
        quiet = 0 if loop._ready else quiet + 1
        if quiet < _QUIET:
            continue
        due = min((timer.when() for timer in loop._scheduled if not timer.cancelled()), default=None)
        now = loop.time()
        if due is None or due - now > _SOON_S or now > end:
            return
        await asyncio.sleep(max(due - now, 0))
        quiet = 0


@pytest.fixture(scope="session", autouse=True)
def waits_without_sleeping() -> Iterator[None]:
    """Let every pilot wait so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "wait_for_idle", until_idle)
        patch.setattr(pilot, "wait_for_idle", until_idle)
        yield
