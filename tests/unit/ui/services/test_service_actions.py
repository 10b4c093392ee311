"""Acting on services: only what all support, asked as its tier wants it, done once, never on old rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.support import ui_services as services
from tests.support.ui_samples import FakeSource, StillClock
from tests.support.ui_screen import make_app, screen_text, settle
from textual import events

from switchover.commands.command import Command
from switchover.errors import LineLostError, RefusedError
from switchover.snapshot import Snapshot
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.kit.guarded_screen import GuardedScreen
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.services.service_menu import ServiceMenu
from switchover.ui.services.service_order_screens import AskActionScreen, ResultScreen, TypeActionScreen

Story = Callable[[Any, SwitchoverApp, FakeSource, StillClock], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 0.0)


async def play(story: Story, snapshot: Snapshot, size: tuple[int, int] = (100, 40), **options: Any) -> FakeSource:
    app, source, clock = make_app(snapshot, tab="services", **options)
    source.answers["service.command"] = {"argv": ["docker", "restart", "x"], "text": "docker restart x"}
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await story(pilot, app, source, clock)
    return source


async def press(pilot: Any, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def acts(source: FakeSource) -> list[dict[str, Any]]:
    return [params for method, params in source.requests if method == "service.act"]


def containers(count: int = 3) -> Snapshot:
    rows = tuple(services.container(f"c{index}") for index in range(count))
    return replace(services.host(), found=rows)


async def test_the_menu_has_only_what_the_row_supports_with_its_command() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "x")
        text = screen_text(app)
        assert "restart" in text
        assert "docker restart x" in text
        assert "scale" not in text
        await press(pilot, "1", "8")
        assert isinstance(app.screen, ServiceMenu)

    assert acts(await play(story, containers())) == []


async def test_of_several_rows_only_what_all_support_is_offered_and_who_does_not_is_said() -> None:
    stopped = services.container("db", "stopped", "crit")
    snapshot = replace(services.host(), found=(stopped, services.container("web")))

    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "asterisk", "x")
        assert "not possible: db" in screen_text(app)
        await press(pilot, "2", "enter")
        assert "db does not support restart" in screen_text(app)

    assert acts(await play(story, snapshot)) == []


async def test_what_is_harmless_is_done_at_once() -> None:
    snapshot = replace(services.host(), found=(services.container("db", "stopped", "crit"),))

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["service.act"] = [{"id": "docker:shop-db-1", "ok": True, "text": "started"}]
        await press(pilot, "x", "1", "enter")
        assert "start db: started" in screen_text(app)

    (act,) = acts(await play(story, snapshot))
    assert act == {
        "items": [{"id": "docker:shop-db-1", "identity": "db@a1", "seen_at": services.NOW - 1}],
        "action": "start",
    }


async def test_a_restart_is_asked_for_by_y_alone_and_names_who_needs_it() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "x", "2", "enter")
        assert isinstance(app.screen, AskActionScreen)
        text = screen_text(app)
        assert "web and worker need this" in text
        assert "docker restart x" in text
        await press(pilot, "enter")
        assert isinstance(app.screen, AskActionScreen)
        await press(pilot, "y")
        assert not isinstance(app.screen, AskActionScreen)

    assert [act["action"] for act in acts(await play(story, services.host()))] == ["restart"]


async def test_a_key_that_was_typed_before_the_question_stood_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 60.0)

    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "x", "2", "enter", "y")
        assert isinstance(app.screen, AskActionScreen)

    assert acts(await play(story, services.host())) == []


async def test_a_kill_takes_the_name_typed_by_hand() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "x", "7", "enter")
        assert isinstance(app.screen, TypeActionScreen)
        await press(pilot, *"c1", "enter")
        assert "that is not “c0”" in screen_text(app)
        app.screen.query_one(TextEntry).text = ""
        await press(pilot, *"c0", "enter")

    (act,) = acts(await play(story, containers()))
    assert (act["action"], act["confirmation"]) == ("kill", "c0")


async def test_a_name_that_is_pasted_kills_nothing() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "x", "7", "enter")
        app.post_message(events.Paste("c0"))
        await settle(pilot)
        assert "this must be typed, not pasted" in screen_text(app)
        await press(pilot, "enter")

    assert acts(await play(story, containers())) == []


async def test_of_several_the_action_and_their_number_are_typed() -> None:
    async def story(pilot: Any, _app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "asterisk", "x", "7", "enter", *"kill", "space", "3", "enter")

    (act,) = acts(await play(story, containers()))
    assert act["confirmation"] == "kill 3"
    assert len(act["items"]) == 3


async def test_scaling_to_nothing_is_typed_and_to_more_is_asked() -> None:
    row = replace(services.container("web"), actions=("scale",), wanted=2, ready=2)
    snapshot = replace(services.host(), found=(row,))

    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "x", "6", "enter", "q", "enter")
        assert "a number, such as 3" in screen_text(app)
        app.screen.query_one(TextEntry).text = ""
        await press(pilot, "0", "enter")
        assert isinstance(app.screen, TypeActionScreen)
        await press(pilot, "escape", "escape", "x", "6", "enter", "4", "enter")
        assert isinstance(app.screen, AskActionScreen)
        await press(pilot, "y")

    (act,) = acts(await play(story, snapshot))
    assert (act["action"], act["argument"]) == ("scale", "4")


async def test_production_has_its_bar() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "j", "j", "j", "j", "x", "2", "enter")
        assert "PRODUCTION · prod" in screen_text(app)

    await play(story, services.planned())


async def test_nothing_is_offered_for_a_late_row_and_it_says_why() -> None:
    late = replace(services.container("web"), observed_at=services.NOW - 60)

    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "x")
        text = screen_text(app)
        assert "web was last seen 1 m ago" in text
        assert "restart" not in text
        await press(pilot, "2", "enter", "7", "enter")
        assert isinstance(app.screen, ServiceMenu)

    assert acts(await play(story, replace(services.host(), found=(late,)))) == []


async def test_what_took_its_place_while_the_question_stood_is_left_alone() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "x", "2", "enter")
        other = replace(services.container("c0"), identity="c0@other")
        source.feed(replace(containers(), seq=8, found=(other,)))
        await settle(pilot)
        text = screen_text(app)
        assert "c0 is gone or another one by now; nothing was done" in text, "it is said before anybody answers"
        assert "no, go back" not in text
        await press(pilot, "y")
        assert isinstance(app.screen, AskActionScreen)

    assert acts(await play(story, containers(1))) == []


@pytest.mark.parametrize("read_only", [True, False])
async def test_who_may_only_look_is_offered_nothing_that_acts(read_only: bool) -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        assert ("x actions" in screen_text(app)) is not read_only
        await press(pilot, "x")
        assert isinstance(app.screen, ServiceMenu) is not read_only

    await play(story, services.host(), read_only=read_only)


async def test_what_is_under_way_is_shown_and_not_done_twice() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        answered = asyncio.Event()
        at_once = source.answer

        async def slow(command: Command[Any]) -> Any:
            if command.name == "service.act":
                await answered.wait()
                return [{"id": "docker:shop-c0-1", "ok": True, "text": "restarted in 2 s"}]
            return await at_once(command)

        source.answer = slow  # type: ignore[method-assign]
        await pilot.press("x")
        await settle(pilot)
        await pilot.press("2", "enter")
        await settle(pilot)
        await pilot.press("y")
        for _ in range(5):
            await pilot.pause()
        assert "◌ restart " in screen_text(app)
        await pilot.press("x")
        for _ in range(5):
            await pilot.pause()
        assert "restarting it: wait until that has ended" in screen_text(app)
        await pilot.press("2", "enter")
        answered.set()
        await settle(pilot)
        assert app.does.services.under_way == {}

    assert len(acts(await play(story, containers(1)))) == 1


async def test_each_of_several_has_its_result_and_it_stays_until_it_was_read() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["service.act"] = [
            {"id": "docker:shop-c0-1", "ok": True, "text": "restarted"},
            {"id": "docker:shop-c1-1", "ok": False, "text": "the daemon does not answer"},
        ]
        await press(pilot, "asterisk", "x", "2", "enter", "y")
        assert isinstance(app.screen, ResultScreen)
        text = screen_text(app)
        assert "1 done, 2 failed" in text
        assert "the daemon does not answer" in text
        assert "the agent did not say what came of it" in text
        await press(pilot, "escape")
        assert not isinstance(app.screen, ResultScreen)

    await play(story, containers())


async def test_a_refusal_is_told_for_the_service() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["service.act"] = RefusedError("ana drives the run", "ask for it with T")
        await press(pilot, "x", "2", "enter", "y")
        assert "restart c0 failed: ana drives the run: ask for it with T" in screen_text(app)
        assert app.does.services.under_way == {}

    await play(story, containers(1))


async def test_what_was_asked_for_when_the_line_broke_is_called_unknown_and_not_failed() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["service.act"] = LineLostError("the line to the agent is lost")
        await press(pilot, "x", "2", "enter", "y")
        text = " ".join(screen_text(app).replace("esc read", "").split())
        assert "nobody knows whether it was done: the line to the agent is lost: look at it before you ask" in text
        assert "failed" not in text
        await press(pilot, "asterisk", "x", "2", "enter", "y")
        assert "0 done, 0 failed, 2 not known" in screen_text(app)
        assert "? not known  c1" in screen_text(app)

    await play(story, containers(2))


async def test_y_copies_the_command_line_of_every_row() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "asterisk", "x", "Y")
        assert app.clipboard == "docker restart x\ndocker restart x\ndocker restart x"
        assert "clipboard" in screen_text(app)

    await play(story, containers())
