"""An App on fed data, and its screen as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.ui_samples import LIVE, FakeSource, StillClock

from switchover.snapshot import Snapshot
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.kit.theme import load_themes

__all__ = ["THEMES", "make_app", "screen_text", "settle"]

THEMES, _BAD = load_themes([Path(__file__).parents[2] / "themes"])


def make_app(
    snapshot: Snapshot | None, *, tab: str = "overview", **options: Any
) -> tuple[SwitchoverApp, FakeSource, StillClock]:
    """An App with a still clock, fed by hand; nothing in it happens by itself."""
    clock = StillClock()
    source = FakeSource(LIVE, snapshot) if snapshot is not None else FakeSource()
    app = SwitchoverApp(source, THEMES, options.pop("theme", "dark"), clock=clock, tab=tab, ticks=False, **options)
    return app, source, clock


async def settle(pilot: Any) -> None:
    """Wait until everything that was set off has been drawn."""
    await pilot.pause()
    workers = [worker for worker in pilot.app.workers if worker.name != "listen"]
    if workers:
        await pilot.app.workers.wait_for_complete(workers)
    for _ in range(2):
        await pilot.pause()


def screen_text(app: SwitchoverApp) -> str:
    """What stands on the screen, line by line, without trailing blanks."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
