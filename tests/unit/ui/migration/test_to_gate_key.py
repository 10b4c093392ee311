"""The key that runs all steps up to the gate: it names them first, and a second press lets no other begin."""

from dataclasses import replace

from tests.support.ui_samples import acting
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.snapshot import Snapshot
from switchover.ui.migration.advance import steps_to_gate


def _before(confirm_text: str = "") -> Snapshot:
    return acting("step", "index", "run index", state="pending", confirm_text=confirm_text)


async def test_the_steps_are_named_before_they_run_and_nothing_is_sent_before_a_yes() -> None:
    app, source, _ = make_app(_before(), tab="migration")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("U")
        await settle(pilot)
        text = screen_text(app)
        named = [step.id for step in steps_to_gate(app.moment.data.migration)]
        assert named
        assert all(name in text for name in named)
        assert "U stops it after a step, A at once" in text
        assert source.requests == []
        app.screen.opened_at = 0.0  # type: ignore[attr-defined]
        await pilot.press("y")
        await settle(pilot)
        assert source.requests == [("run.advance", {})]


async def test_a_second_press_lets_no_other_step_begin() -> None:
    sample = acting("wait", "index", "index runs", state="running")
    going = replace(sample, migration=replace(sample.migration, to_gate=True))
    app, source, _ = make_app(going, tab="migration")
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        assert "then on to the gate; U stops after this step" in screen_text(app)
        await pilot.press("U")
        await settle(pilot)
        assert source.requests == [("run.pause", {})]


async def test_before_a_step_that_destroys_the_key_does_nothing() -> None:
    app, source, _ = make_app(acting("step", "index", "run index", dangerous=True, effect="destroys"), tab="migration")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("U")
        await settle(pilot)
        assert app.screen is app.main
        assert source.requests == []


def test_what_needs_a_person_and_what_is_behind_it_is_not_among_the_steps() -> None:
    view = _before(confirm_text="build it").migration
    assert steps_to_gate(view) == ()
