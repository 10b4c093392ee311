"""What the wizard shows where a run waits: items, people, windows, what is overdue, and what it is put off until."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.ui_samples import acting
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.snapshot import ChecklistItemView, GateView, PhaseView, Snapshot, StepView
from switchover.snapshot.states import ActionKind, StageWord

LIST = (
    ChecklistItemView("plain", done=True, who="ana", at=100.0, evidence="seen"),
    ChecklistItemView(
        "shown", True, "bo", 100.0, asks="file", file="proof.txt", sha256="ab" * 32, lost="its file is gone"
    ),
    ChecklistItemView("to be shown", asks="file", owner="Bo", check="pg_dump"),
    ChecklistItemView("may be left", optional=True),
)


def _snapshot(
    kind: ActionKind, text: str, *, step: dict[str, Any] | None = None, phase: dict[str, Any] | None = None, **run: Any
) -> Snapshot:
    """Return a run that stands at its second step."""
    sample = acting("step", "index", "run index")
    state: StageWord = "waiting"
    one = StepView("first", "first", "done", "changes", ended_at=sample.at - 60)
    two = StepView("second", "second", state, "changes", **(step or {}))
    part = PhaseView("cutover", "Cutover", state, (one, two), group="Week 4", **(phase or {}))
    view = replace(sample.migration, state=state, phases=(part,), current_phase="cutover", current_step="second")
    action = replace(view.action, kind=kind, target="second", text=text, dangerous=False)
    return replace(sample, migration=replace(view, action=action, rollbacks=(), **run))


async def _shown(snapshot: Snapshot, size: tuple[int, int]) -> str:
    app, _, _ = make_app(snapshot, tab="migration")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        return screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_each_item_says_who_did_it_and_with_what_or_what_it_still_needs(size: tuple[int, int]) -> None:
    text = await _shown(_snapshot("checklist", "tick the items of second", step={"checklist": LIST}), size)
    assert "Week 4" in text
    for said in (
        "seen",
        "proof.txt",
        "✗ its file is gone",
        "Bo",
        "asks for a file",
        "pg_dump",
        "optional",
    ):
        assert said in text
    assert "waits for you" in text


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_window_says_when_it_opens_and_enter_does_nothing(size: tuple[int, int]) -> None:
    at = acting("step", "index", "run index").at
    why = "its window Sat 22:00-06:00 Europe/Paris opens in 3 h 00 m"
    snapshot = _snapshot(
        "later", f"second may not begin yet: {why}", step={"ready_at": at + 3 * 3600 + 30, "reason": why}
    )
    app, source, _ = make_app(snapshot, tab="migration")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        text = screen_text(app)
        assert "waits for its time" in text
        assert "may run in 3 h" in text
        assert "second may not begin yet: its window Sat" in text
        assert "running" not in text
        await pilot.press("enter")
        await settle(pilot)
        assert source.requests == []


@pytest.mark.parametrize("tab", ["migration", "overview"])
async def test_what_is_overdue_is_told(tab: str) -> None:
    at = acting("step", "index", "run index").at
    snapshot = _snapshot("step", "run second", phase={"due_at": at - 3 * 86400})
    app, _, _ = make_app(snapshot, tab=tab)
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        assert "cutover is 3 d overdue" in screen_text(app)


async def test_a_gate_that_asks_two_people_says_whose_go_there_is() -> None:
    gate = GateView("cutover", "human", human="Go?", persons=2, said_go=("ana@bastion",), who=("lead",))
    snapshot = _snapshot("human", "gate cutover waits for your go or no-go", phase={"gate": gate})
    action = replace(snapshot.migration.action, target="cutover")
    text = await _shown(replace(snapshot, migration=replace(snapshot.migration, action=action)), (140, 36))
    assert "needs two people" in text
    assert "ana@bastion has confirmed" in text
    assert "two people say yes" in text
    assert "lead (advice that nobody checks)" in text


async def test_a_run_that_is_put_off_says_until_when_and_the_palette_takes_it_back() -> None:
    snapshot = _snapshot("step", "run second", put_off="goes on by itself at 2026-12-05T21:00:00Z, says ana")
    app, source, _ = make_app(snapshot, tab="migration")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert "goes on by itself at 2026-12-05T21:00:00Z, says ana" in screen_text(app)
        await app.run_action("cancel_put_off")
        await settle(pilot)
        assert source.requests == [("appointment.cancel", {})]


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_running_step_shows_how_far_it_says_that_it_is(size: tuple[int, int]) -> None:
    at = acting("step", "index", "run index").at
    snapshot = _snapshot("step", "second runs", step={})
    phase = snapshot.migration.phases[0]
    second = replace(phase.steps[1], state="running", started_at=at - 60, expect_s=600.0, progress=0.419)
    view = replace(snapshot.migration, state="running", phases=(replace(phase, steps=(phase.steps[0], second)),))
    text = await _shown(replace(snapshot, migration=view), size)
    assert "41 % as it says" in text
