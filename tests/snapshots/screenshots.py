"""Draw the pictures under `screenshots/` from the running App: `python -m tests.snapshots.screenshots [--check]`."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from tests.support import ui_samples as samples
from tests.support import ui_services as services
from tests.support.ui_logs import log_app, open_log
from tests.support.ui_screen import make_app, settle

from switchover.snapshot import Snapshot
from switchover.snapshot.states import ActionKind
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.kit.pane import Pane

FOLDER = Path(__file__).parents[2] / "screenshots"
_CONFIRM: tuple[ActionKind, str, str] = ("confirm", "destroy", "confirm and run destroy")

# file, data, tab, size, theme, keys
PICTURES: tuple[tuple[str, Snapshot, str, tuple[int, int], str, tuple[str, ...]], ...] = (
    ("overview", samples.trouble(), "overview", (100, 30), "dark", ()),
    ("services", services.host(), "services", (100, 30), "dark", ("space", "j", "space")),
    ("services-wide", services.planned(), "services", (160, 40), "dark", ("full_stop",)),
    ("actions", services.host(), "services", (100, 30), "dark", ("x",)),
    ("connections", services.host(), "services", (100, 30), "dark", ("D",)),
    ("checks", samples.trouble(), "checks", (100, 30), "dark", ()),
    ("metrics", samples.trouble(), "metrics", (100, 30), "dark", ()),
    ("costs", samples.trouble(), "costs", (100, 30), "dark", ()),
    ("migration", samples.trouble(), "migration", (100, 30), "dark", ()),
    ("migration-wide", samples.trouble(), "migration", (200, 50), "dark", ()),
    ("migration-80x24", samples.healthy(), "migration", (80, 24), "dark", ()),
    ("rollback", samples.trouble(), "migration", (100, 30), "dark", ("R",)),
    ("confirm", samples.acting(*_CONFIRM), "migration", (100, 30), "dark", ("enter",)),
    ("overview-light", samples.trouble(), "overview", (100, 30), "light", ()),
    ("overview-ansi", samples.trouble(), "overview", (100, 30), "ansi", ()),
)


async def draw() -> dict[str, str]:
    """Return each picture's name with its SVG."""
    pictures: dict[str, str] = {}
    for name, snapshot, tab, size, theme, keys in PICTURES:
        app, source, _ = make_app(snapshot, tab=tab, theme=theme)
        source.answers["service.command"] = services.command_of
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            for key in keys:
                await pilot.press(key)
                await settle(pilot)
            while any(pane._resting for pane in app.query(Pane)):  # what depends on the cursor is drawn once it rests
                await pilot.pause(0.01)
            pictures[name] = _picture(app)
    app = log_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await open_log(app, pilot)
        for key in ("slash", *"refused", "enter", "N"):
            await pilot.press(key)
        await settle(pilot)
        pictures["logs"] = _picture(app)
    return pictures


def _picture(app: SwitchoverApp) -> str:
    svg = app.export_screenshot(title="switchover")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main(arguments: list[str]) -> int:
    """Write the pictures, or say which of them are not what the program draws now."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    pictures = asyncio.run(draw())
    if "--check" not in arguments:
        FOLDER.mkdir(exist_ok=True)
        for name, svg in pictures.items():
            (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
        return 0
    drawn = {f"{name}.svg" for name in pictures}
    there = {path.name for path in FOLDER.glob("*.svg")}
    wrong = sorted(drawn ^ there)
    wrong += sorted(f for f in drawn & there if (FOLDER / f).read_text(encoding="utf-8") != pictures[f[:-4]])
    for name in wrong:
        sys.stderr.write(f"screenshots/{name} is not what the program draws now; write it anew: make screenshots\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
