"""The log screen as text, against what it looked like before; `UPDATE_SNAPSHOTS=1` writes it anew."""

from __future__ import annotations

from typing import Any

import pytest
from tests.snapshots.test_text_snapshots import compare
from tests.support.ui_logs import LogSource, log_app, open_log
from tests.support.ui_screen import screen_text, settle

from switchover.ui.text.render_context import AgentLink, AgentLinkState

SIZES = {"60x20": (60, 20), "80x24": (80, 24), "200x50": (200, 50)}


async def press(pilot: Any, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
    await settle(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_the_log_screen_looks_as_before(size: str) -> None:
    app = log_app()
    screens: list[tuple[str, str]] = []
    async with app.run_test(size=SIZES[size]) as pilot:
        await open_log(app, pilot)
        screens.append(("following", screen_text(app)))
        await press(pilot, "slash", *"refused", "enter", "N")
        screens.append(("found", screen_text(app)))
        await press(pilot, "ampersand", *"GET|refused", "enter", "exclamation_mark", *"health", "enter", "w")
        screens.append(("filtered and wrapped", screen_text(app)))
        await press(pilot, "1", "m", "ctrl+u", *"teatime", "enter")
        screens.append(("a time that is none", screen_text(app)))
        await press(pilot, "escape", "s")
        screens.append(("saved", screen_text(app)))
        await press(pilot, "escape", "escape", "escape", "question_mark")
        screens.append(("keys", screen_text(app)))
        await press(pilot, "escape")
        source = app.source
        assert isinstance(source, LogSource)
        source.feed(AgentLink(AgentLinkState.LOST, app.clock.now(), "the agent closed the line"))
        await settle(pilot)
        screens.append(("lost", screen_text(app)))
    compare(f"logs-{size}", screens)
