"""A step on a group of machines on the screen: a result for each, and all their output, each line with its machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support import ui_samples as samples
from tests.support.ui_samples import FakeSource, StillClock
from tests.support.ui_screen import screen_text
from tests.unit.ui.app.test_app import play, press

from switchover.snapshot import MachineView, Snapshot
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.text.machine_lines import machine_lines
from switchover.ui.text.styled_line import plain

MACHINES = (
    MachineView("web1", "restore@web1", "done", 1, 0),
    MachineView("web2", "restore@web2", "failed", 1, 3, "failed with exit code 3"),
    MachineView("web3", "restore@web3", "running", 1),
    MachineView("web4", "restore@web4", "running", 1),
    MachineView("web5", "restore@web5", "pending"),
)


def _with_machines() -> Snapshot:
    sample = samples.trouble()
    phases = tuple(
        replace(
            phase,
            steps=tuple(
                replace(step, run_on="web", machines=MACHINES) if step.id == "restore" else step for step in phase.steps
            ),
        )
        for phase in sample.migration.phases
    )
    return replace(sample, migration=replace(sample.migration, phases=phases))


async def test_each_machine_stands_in_the_wizard_with_its_result() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        text = screen_text(app)
        assert "runs on  web" in text
        for machine in MACHINES:
            assert machine.name in text
        assert "failed with exit code 3" in text

    await play(story, _with_machines(), size=(120, 40), tab="migration")


def test_where_not_all_have_room_the_worst_come_first_and_the_rest_is_counted() -> None:
    step = next(step for phase in _with_machines().migration.phases for step in phase.steps if step.id == "restore")
    lines = [plain(line).strip() for line in machine_lines(step, 60, 3)]
    assert [line.split()[-1] for line in lines[:1]] == ["3"]
    assert "web2" in lines[0]
    assert "web3" in lines[1]
    assert lines[2] == "… 3 more: 1 running, 1 pending, 1 done"


async def test_the_output_of_all_machines_is_followed_with_their_names_and_tab_shows_one_alone() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["output.read"] = lambda step, **_: {
            "text": f"from {step[-4:]}\nhalf",
            "next": 0,
            "complete": True,
        }
        await press(pilot, "o")
        text = screen_text(app)
        for name in ("web1", "web2", "web3", "web4"):
            assert f"{name} │ from {name}" in text
            assert f"{name} │ half" in text
        assert "web5" not in text
        await press(pilot, "tab", "tab")
        text = screen_text(app)
        assert "output of restore · web2" in text
        assert "from web2" in text
        assert "from web1" not in text
        await press(pilot, "shift+tab", "shift+tab")
        assert "from web1" in screen_text(app)

    await play(story, _with_machines(), size=(80, 24), tab="migration")
