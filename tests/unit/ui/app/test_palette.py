"""The palette finds what people call things, and tells twins apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import ui_services as services
from tests.support.ui_samples import trouble
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.snapshot import Snapshot


@pytest.mark.parametrize("tab", ["overview", "services", "checks", "migration"])
@pytest.mark.parametrize(("typed", "found"), [("logs", "log"), ("run", "Migration"), ("sort", "sort|Services")])
async def test_what_people_say_is_found_from_every_tab(tab: str, typed: str, found: str) -> None:
    app, _, _ = make_app(trouble(), tab=tab)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("colon", *typed)
        await settle(pilot)
        first = "\n".join(screen_text(app).splitlines()[3:8])
        assert any(word in first for word in found.split("|")), first


async def test_two_things_of_one_name_are_told_apart() -> None:
    one = services.container("web")
    other = replace(one, kind="process", id="process:7", pid=7, group="")
    app, _, _ = make_app(Snapshot(found=(one, other)), tab="services")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("colon", *"service web")
        await settle(pilot)
        text = screen_text(app)
        assert "service web (docker" in text
        assert "service web (process · pid 7)" in text
