"""The commands of a plan on the screen: one key lists them, one more runs one; what changes something asks first."""

from __future__ import annotations

from typing import Any

from tests.support.ui_samples import FakeSource
from tests.support.ui_screen import screen_text
from tests.unit.ui.problems.test_triage_screens import asked, no_guard, play, press, sample

from switchover.snapshot import UsefulCommandView
from switchover.ui.app.application import SwitchoverApp

__all__ = ["no_guard"]

COMMANDS = (
    UsefulCommandView("o2_log", "its log", "q", "docker logs openobserve", "read"),
    UsefulCommandView("rotate", "rotate logs", "", "logrotate -f shop.conf", "changes", "db1"),
)
SAID = [{"command": "docker logs openobserve", "exit_code": 0, "output": "it listens\n"}]


async def test_a_commands_own_key_runs_it_at_once_where_it_only_reads() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        source.answers["command.look"] = SAID
        await press(pilot, "X")
        text = screen_text(app)
        for said in ("its log", "$ docker logs openobserve", "rotate logs", "on db1"):
            assert said in text
        await press(pilot, "q")
        assert asked(source, "command.look") == [{"command": "o2_log"}]
        assert "it listens" in screen_text(app)

    await play(story, sample(commands=COMMANDS))


async def test_one_that_changes_something_is_asked_about_first() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        source.answers["command.run"] = SAID
        await press(pilot, "X")
        await press(pilot, "1")
        assert asked(source, "command.run") == []
        assert "$ logrotate -f shop.conf" in screen_text(app)
        await press(pilot, "y")
        assert asked(source, "command.run") == [{"command": "rotate", "confirmation": "yes"}]

    await play(story, sample(commands=COMMANDS))


async def test_without_commands_there_is_no_key() -> None:
    async def story(pilot: Any, app: SwitchoverApp, _: FakeSource) -> None:
        await press(pilot, "X")
        assert "commands of the plan" not in screen_text(app)

    await play(story)
