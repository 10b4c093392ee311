"""The Services tab and what opens over it, as text, against what it looked like before."""

from __future__ import annotations

from typing import Any

import pytest
from tests.snapshots.test_text_snapshots import SIZES, compare, press
from tests.support import ui_services as services
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.ui.kit.guarded_screen import GuardedScreen


async def draw(name: str, snapshot: Any, size: str, *stops: tuple[str, ...]) -> None:
    """Press the keys of each stop and take the screen; a stop is a title and keys."""
    app, source, _ = make_app(snapshot, tab="services")
    source.answers["service.command"] = services.command_of
    source.answers["service.inspect"] = {"text": '{\n  "RestartCount": 4\n}'}
    source.answers["service.act"] = [
        {"id": "docker:shop-api-1", "ok": True, "text": "restarted"},
        {"id": "docker:shop-worker-1", "ok": False, "text": "the daemon does not answer"},
    ]
    screens: list[tuple[str, str]] = []
    async with app.run_test(size=SIZES[size]) as pilot:
        await settle(pilot)
        for title, *keys in stops:
            await press(pilot, *keys)
            app.show()  # what follows the cursor is drawn when it rests
            await settle(pilot)
            screens.append((title, screen_text(app)))
    compare(f"{name}-{size}", screens)


@pytest.mark.parametrize("size", SIZES)
async def test_services_with_and_without_a_plan_look_as_before(size: str) -> None:
    await draw("services-plan", services.planned(), size, ("plan",), ("found", "full_stop"))
    await draw("services-host", services.host(), size, ("host",), ("by cpu", "z"), ("tree", "z", "z", "z", "v"))


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_done_to_services_looks_as_before(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 0.0)
    await draw("service-kill", services.planned(), size, ("kill", "j", "j", "j", "j", "x", "7", "enter"))
    await draw(
        "service-restart",
        services.host(),
        size,
        ("selected", "space", "j", "j", "space"),
        ("menu", "x"),
        ("question", "2", "enter"),
        ("result", "y"),
    )


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_known_of_a_service_looks_as_before(size: str) -> None:
    await draw("service", services.host(), size, ("inspect", "enter", "I"), ("connections", "D"), ("all", "D"))
