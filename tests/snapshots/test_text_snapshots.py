"""Whole screens as text, against what they looked like before; `UPDATE_SNAPSHOTS=1` writes them anew."""

from __future__ import annotations

import difflib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support import ui_samples as samples
from tests.support.ui_samples import FakeSource
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.snapshot import Snapshot
from switchover.snapshot.states import ActionKind
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.kit.guarded_screen import GuardedScreen
from switchover.ui.text.render_context import AgentLink, AgentLinkState

FOLDER = Path(__file__).parent / "text"
SIZES = {"80x24": (80, 24), "120x36": (120, 36)}
Story = Callable[[Any, SwitchoverApp, FakeSource, Callable[[str], None]], Awaitable[None]]


def compare(name: str, screens: list[tuple[str, str]]) -> None:
    text = "".join(f"=== {title}\n{screen}\n" for title, screen in screens)
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    difference = "\n".join(
        difflib.unified_diff(before.splitlines(), text.splitlines(), "before", "now", lineterm="", n=1)
    )
    assert not difference, f"{path.name} looks different; if this is meant: UPDATE_SNAPSHOTS=1\n{difference}"


async def draw(name: str, snapshot: Snapshot | None, size: str, story: Story, tab: str = "overview") -> None:
    app, source, _ = make_app(snapshot, tab=tab)
    screens: list[tuple[str, str]] = []
    async with app.run_test(size=SIZES[size]) as pilot:
        await settle(pilot)
        await story(pilot, app, source, lambda title: screens.append((title, screen_text(app))))
    compare(f"{name}-{size}", screens)


async def press(pilot: Any, *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


async def all_tabs(pilot: Any, _app: SwitchoverApp, _source: FakeSource, take: Callable[[str], None]) -> None:
    for number, name in enumerate(["overview", "services", "checks", "metrics", "costs", "migration"], 1):
        await press(pilot, str(number))
        take(name)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sample", ["trouble", "healthy"])
async def test_the_six_tabs_look_as_before(sample: str, size: str) -> None:
    await draw(sample, samples.SAMPLES[sample](), size, all_tabs)


@pytest.mark.parametrize("size", SIZES)
async def test_what_opens_over_the_tabs_looks_as_before(size: str) -> None:
    async def story(pilot: Any, _app: SwitchoverApp, source: FakeSource, take: Callable[[str], None]) -> None:
        source.answers["issue.diagnose"] = [{"command": "docker logs postgres", "exit_code": 0, "output": "Killed\n"}]
        source.answers["output.read"] = {"text": "\n".join(samples.OUTPUT), "next": 0, "complete": True}
        for title, key in (
            ("check", "enter"),
            ("diagnosis", "d"),
            ("rollback", "R"),
            ("timeline", "t"),
            ("keys", "question_mark"),
        ):
            await press(pilot, key)
            take(title)
            await press(pilot, "escape")
        await press(pilot, "6", "o")
        take("output")
        await press(pilot, "escape", "p")
        take("promises")

    await draw("over", samples.trouble(), size, story)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("confirm", ("confirm", "destroy", "confirm and run destroy")),
        ("by-hand", ("checklist", "by_hand", "tick the items of by_hand")),
        ("go", ("human", "validate", "gate validate waits for your go or no-go")),
        ("unknown", ("resolve", "restore", "say how restore ended")),
    ],
)
async def test_decisions_look_as_before(
    name: str, action: tuple[ActionKind, str, str], size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 0.0)
    changes: dict[str, Any] = (
        {"state": "unknown", "reason": "the machine was restarted while it ran"} if name == "unknown" else {}
    )

    async def story(pilot: Any, _app: SwitchoverApp, _source: FakeSource, take: Callable[[str], None]) -> None:
        take("before")
        await press(pilot, "enter")
        take(name)

    await draw(name, samples.acting(*action, **changes), size, story, "migration")


async def test_a_start_a_silence_and_a_loss_look_as_before() -> None:
    app, source, clock = make_app(None)
    screens: list[tuple[str, str]] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        screens.append(("starting", screen_text(app)))
        source.feed(samples.LIVE)
        source.feed(samples.bare_host())
        await settle(pilot)
        screens.append(("host", screen_text(app)))
        clock.move(9)
        app.show()
        await settle(pilot)
        screens.append(("silent", screen_text(app)))
        source.feed(AgentLink(AgentLinkState.LOST, clock.now(), "the line to the agent is lost"))
        await settle(pilot)
        screens.append(("lost", screen_text(app)))
    compare("line-80x24", screens)
