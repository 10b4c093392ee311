from __future__ import annotations

from typing import Any

from tests.support.ui_samples import FakeSource
from tests.support.ui_screen import screen_text
from tests.unit.ui.problems.test_triage_screens import LOOK, asked, no_guard, play, press

from switchover.ui.app.application import SwitchoverApp

__all__ = ["no_guard"]


async def test_what_a_solution_asks_is_asked_before_its_confirmation_and_sent_with_it() -> None:
    act = {
        "text": "stop it",
        "command": 'systemctl stop "$UNIT"',
        "effect": "changes",
        "asks": [["UNIT", "Which unit"]],
    }
    asking = {**LOOK, "acts": [act]}

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        source.answers["issue.look"] = asking
        await press(pilot, "d")
        await press(pilot, "1")
        assert "Which unit" in screen_text(app)
        await press(pilot, *"nginx", "enter")
        assert 'systemctl stop "$UNIT"' in screen_text(app)
        assert asked(source, "issue.solve") == []
        await press(pilot, "y")
        (wish,) = asked(source, "issue.solve")
        assert (wish["answers"], wish["confirmation"]) == ({"UNIT": "nginx"}, "yes")

    await play(story)
