"""The screens of an edited plan and of going back: what they say, and what they send."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from tests.support import ui_samples as samples
from tests.support.ui_samples import NOW, FakeSource, StillClock
from tests.support.ui_screen import screen_text
from tests.unit.ui.app.test_app import play, press

from switchover.snapshot import (
    PlanChange,
    PlanDifference,
    Rehearsal,
    RehearsedAction,
    Requirement,
    RollbackActionView,
    RollbackRun,
    RollbackView,
    Snapshot,
)
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.kit.guarded_screen import GuardedScreen
from switchover.ui.migration.rollback_progress import loss, time_text

CHANGE = PlanChange("changed", "step", "restore", (("run", "./old.sh", "./new.sh"),))
EDITED = PlanDifference(same=False, run_id="7", run_open=True, digest="d1", changes=(CHANGE,), unified=("-old", "+new"))
WAY = RollbackView(
    "quick",
    "Door back",
    available=True,
    steps=("./back.sh",),
    expect_s=90.0,
    within_s=60.0,
    expect_from="measured",
    data_loss="new orders",
    loses_since=NOW - 600,
    loses_after="restore",
)
RUN = RollbackRun(
    1,
    "quick",
    "Door back",
    "failed",
    NOW - 90,
    actions=(
        RollbackActionView("rollback:1:0", "./a.sh", "done", "copy", 1, 0, NOW - 90, 4.0),
        RollbackActionView("rollback:1:1", "./b.sh", "failed", "deploy", 1, 3, NOW - 80, 9.0, reason="exit code 3"),
        RollbackActionView("rollback:1:2", "./c.sh", "pending", "dump"),
    ),
    cannot_undo=("destroy cannot be undone: it is irreversible",),
    within_s=60.0,
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 0.0)


def _edited() -> Snapshot:
    sample = samples.acting("step", "restore", "run restore")
    return replace(sample, header=replace(sample.header, plan_edited=True))


def _going_back() -> Snapshot:
    sample = samples.acting("failed", "rollback:1:1", "undoing deploy failed")
    view = replace(
        sample.migration, rollback=RUN, rolling_back="quick", state="failed", current_phase="", rollbacks=(WAY,)
    )
    return replace(sample, migration=view)


async def test_an_edited_plan_is_read_then_adopted_as_it_was_read() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["plan.difference"] = asdict(EDITED)
        await press(pilot, "P")
        for text in ("step restore", "./old.sh → ./new.sh", "+new"):
            assert text in screen_text(app)
        await press(pilot, "enter")
        await press(pilot, "enter", *"slip", "enter")
        assert source.requests[-1] == ("run.rebase", {"reason": "slip", "digest": "d1"})

    await play(story, _edited(), tab="migration")


async def test_what_a_run_cannot_go_by_is_not_offered() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        refused = replace(EDITED, refused=("step dump is finished and cannot change (run)",))
        source.answers["plan.difference"] = asdict(refused)
        await press(pilot, "P", "enter")
        assert "step dump is finished and cannot change" in screen_text(app)
        assert [method for method, _ in source.requests] == ["plan.difference"]

    await play(story, _edited(), tab="migration")


async def test_values_that_the_edited_plan_needs_are_asked_for() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["plan.difference"] = asdict(replace(EDITED, needed=(("host", "str", "Which host?"),)))
        await press(pilot, "P", "enter")
        assert "Which host?" in screen_text(app)
        await press(pilot, *"n7", "enter")
        assert source.requests[-1] == ("run.rebase", {"variables": {"host": "n7"}, "digest": "d1"})

    await play(story, _edited(), tab="migration")


async def test_errors_of_the_edited_plan_are_shown() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["plan.difference"] = asdict(PlanDifference(same=False, problems=("plan.yaml:8:3: no such key",)))
        await press(pilot, "P")
        assert "plan.yaml:8:3: no such key" in screen_text(app)
        assert "goes on by the plan it began with" in screen_text(app)

    await play(story, _edited(), tab="migration")


async def test_half_way_back_each_action_says_how_it_stands_and_one_can_be_left_out() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        shown = screen_text(app)
        for text in (
            "undo copy",
            "✓ undone",
            "failed exit 3",
            "○ not begun",
            "OVER by 30 s",
            "destroy cannot be undone",
        ):
            assert text in shown, shown
        await press(pilot, "enter", "j", "enter", *"by hand", "enter")
        sent = {"step": "rollback:1:1", "choice": "skip", "reason": "byhand"}
        assert source.requests[-1][0] == "step.resolve"
        assert {**source.requests[-1][1], "reason": "byhand"} == sent

    await play(story, _going_back(), size=(120, 36), tab="migration")


async def test_a_rehearsal_shows_command_environment_and_checks() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        action = RehearsedAction(("/bin/sh", "-e", "-c", "./back.sh"), ("HOST",), "copy", 60.0, 90.0, measured=True)
        found = Rehearsal(WAY, (action,), verify=(Requirement("rows", "crit", "3 rows less"),))
        source.answers["rollback.rehearse"] = asdict(found)
        await press(pilot, "R", "o")
        shown = screen_text(app)
        for text in (
            "./back.sh",
            "environment HOST",
            "undoes copy",
            "3 rows less",
            "too long",
            "nothing was executed",
        ):
            assert text in shown, shown
        assert [method for method, _ in source.requests] == ["rollback.rehearse"]

    await play(story, _going_back(), size=(120, 36), tab="migration")


def test_a_time_says_how_it_is_known_and_whether_it_fits() -> None:
    assert time_text(WAY) == ("~1 m 30 s measured of 1 m, too long", True)
    assert time_text(replace(WAY, unknown_times=1, expect_from="partly"))[0].startswith("at least 1 m 30 s of")
    assert time_text(replace(WAY, expect_s=None))[0] == "time not known of 1 m"


def test_what_is_lost_says_since_when() -> None:
    assert loss("", None, "") == ""
    assert loss("new orders", NOW, "restore").endswith("when restore began: new orders")
