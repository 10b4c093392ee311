"""People on screen: who drives, who asks, what a person lets pass."""

import os
from dataclasses import replace
from typing import Any

import pytest
from tests.support.ui_samples import LIVE, NOW, FakeSource, trouble
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.snapshot import ActionView, GateView, Holder, Requirement, Snapshot
from switchover.ui.kit.guarded_screen import GuardedScreen
from switchover.ui.migration.operator_screens import AnswerScreen
from switchover.ui.overview.overview_lines import calm_lines
from switchover.ui.text.driver_words import who_drives
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import plain

TROUBLE = trouble()
ME = Holder("ana", "bastion", "pts/1", os.getpid(), NOW - 100)
BEN = Holder("ben", "bastion", "pts/2", 4242, NOW - 10)


def _with(**header: object) -> Snapshot:
    return replace(TROUBLE, header=replace(TROUBLE.header, holder=None, **header))  # type: ignore[arg-type]


def _deciding() -> Snapshot:
    gate = GateView(
        TROUBLE.migration.current_phase,
        "decide",
        (
            Requirement("disk", "warn", "12 % free", can=("acknowledge", "waive")),
            Requirement("rows", "unknown", "no answer", can=("waive",)),
        ),
        reason="disk warns: 12 % free; rows is unknown: no answer",
    )
    phases = tuple(replace(p, gate=gate) if p.id == gate.phase else p for p in TROUBLE.migration.phases)
    action = ActionView("decide", gate.phase, f"gate {gate.phase} waits for you to decide")
    return replace(
        _with(driver=ME), migration=replace(TROUBLE.migration, phases=phases, action=action, state="waiting")
    )


def test_the_one_who_watches_is_told_who_drives() -> None:
    assert who_drives(_with(driver=BEN).header, os.getpid()) == "ben@bastion (pts/2)"
    assert who_drives(_with(driver=ME).header, os.getpid()) == ""
    elsewhere = replace(TROUBLE.header, holder=BEN)
    assert who_drives(elsewhere, os.getpid()) == "ben@bastion (pts/2)"


async def test_the_one_who_watches_is_offered_to_ask_and_nothing_that_changes_anything() -> None:
    app, source, _ = make_app(_with(driver=BEN), tab="migration")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = screen_text(app)
        assert "you watch" in text
        assert "ben@bastion drives" in text
        await pilot.press("enter", "A", "W", "a")
        await settle(pilot)
        assert source.requests == []
        await pilot.press("T")
        await settle(pilot)
        app.screen.opened_at = 0.0  # type: ignore[attr-defined]
        await pilot.press("y")
        await settle(pilot)
        assert source.requests == [("lease.ask", {})]


async def ask(app: Any, source: FakeSource, pilot: Any, who: Holder = BEN) -> None:
    source.feed(_with(driver=ME, asking=who, asking_until=NOW + 50))
    await settle(pilot)
    await settle(pilot)
    assert app.screen is not None


async def test_a_request_is_told_and_opens_nothing_by_itself() -> None:
    app, source, _ = make_app(_with(driver=ME), tab="migration")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await ask(app, source, pilot)
        assert app.screen is app.main
        assert "ben asks to take over the run" in screen_text(app)
        await pilot.press("h", "y", "n", "r", "l", "escape")
        await settle(pilot)
        assert source.requests == []
        assert "ben asks to take over: T" in screen_text(app)


async def test_a_request_is_answered_once_it_was_opened_and_enter_does_not_answer_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 3600.0)
    app, source, _ = make_app(_with(driver=ME), tab="migration")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await ask(app, source, pilot)
        await pilot.press("T", "y")  # pressed before it could be read
        await settle(pilot)
        assert isinstance(app.screen, AnswerScreen)
        assert "ben@bastion (pts/2) asks to take over" in screen_text(app)
        assert source.requests == []
        app.screen.opened_at = -1e9
        await pilot.press("enter", "h")
        await settle(pilot)
        assert source.requests == []
        await pilot.press("y")
        await settle(pilot)
        assert source.requests == [("lease.answer", {"yes": True})]


async def test_an_answer_is_never_for_another_who_asks_by_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 3600.0)
    app, source, _ = make_app(_with(driver=ME), tab="migration")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await ask(app, source, pilot)
        await pilot.press("T")
        await settle(pilot)
        assert isinstance(app.screen, AnswerScreen)
        app.screen.opened_at = -1e9
        await ask(app, source, pilot, replace(BEN, who="eve", pid=BEN.pid + 1))
        await pilot.press("y")
        await settle(pilot)
        assert source.requests == []
        assert "eve@bastion" in screen_text(app)
        app.screen.opened_at = -1e9
        await pilot.press("n")
        await settle(pilot)
        assert source.requests == [("lease.answer", {})]


async def test_a_request_that_is_over_is_told_no_more() -> None:
    app, source, _ = make_app(_with(driver=ME), tab="migration")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await ask(app, source, pilot)
        source.feed(replace(_with(driver=ME), seq=9))
        await settle(pilot)
        assert "asks to take over" not in screen_text(app)


async def test_one_question_about_driving_is_open_at_a_time_and_offers_nothing_once_it_is_over() -> None:
    app, source, _ = make_app(_with(driver=ME), tab="migration")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await ask(app, source, pilot)
        await pilot.press("T", "T", "T")
        await settle(pilot)
        assert app.screen_stack[-2] is app.main
        assert "hand over" in screen_text(app)
        source.feed(replace(_with(driver=ME), seq=9))
        await settle(pilot)
        assert "nobody asks any more" in screen_text(app)
        assert "y yes, hand over    n" not in screen_text(app)
        question = app.screen
        assert isinstance(question, AnswerScreen)
        question.opened_at = -1e9  # long enough ago that a key is meant for it
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen is app.main


def test_the_overview_tells_who_only_watches_who_drives_and_no_key() -> None:
    base = RenderContext(_deciding(), NOW, LIVE, 0.4)
    said = {
        watching: next(text for line in calm_lines(now, 100) if "next" in (text := plain(line)))
        for watching in ("", "ben@bastion")
        for now in [replace(base, watching=watching)]
    }
    assert "then enter" in said[""]
    assert "ben@bastion drives: " in said["ben@bastion"]
    assert "enter" not in said["ben@bastion"].partition("drives")[0]


async def test_what_is_typed_for_a_question_that_has_gone_reaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("switchover.ui.app.application._PAUSE_S", 3600.0)
    app, source, _ = make_app(trouble(), tab="migration")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        question = app.screen
        assert isinstance(question, GuardedScreen)
        question._expire()
        await settle(pilot)
        assert app.screen is app.main
        await pilot.press("A", "R", "3", "enter")
        await settle(pilot)
        assert app.screen is app.main
        assert app.main.tab == "migration"
        assert source.requests == []
        app._typed_at = -1e9  # a pause later
        await pilot.press("3")
        await settle(pilot)
        assert app.main.tab == "checks"


async def test_an_asker_learns_that_it_was_not_handed_over() -> None:
    app, source, _ = make_app(_with(driver=BEN, asking=ME, asking_until=NOW + 50), tab="migration")
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        source.feed(replace(_with(driver=BEN), seq=2))
        await settle(pilot)
        assert "did not hand over" in screen_text(app)


async def test_a_warning_is_acknowledged_with_a_reason_never_without() -> None:
    app, source, _ = make_app(_deciding(), tab="migration")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("a")
        await settle(pilot)
        app.screen.opened_at = 0.0  # type: ignore[attr-defined]
        assert "acknowledge disk" in screen_text(app)
        assert "acknowledge rows" not in screen_text(app)
        await pilot.press("enter", "enter")
        await settle(pilot)
        assert source.requests == []
        await pilot.press(*"known", "enter")
        await settle(pilot)
        assert source.requests == [("gate.acknowledge", {"check": "disk", "reason": "known"})]


async def test_what_cannot_be_known_is_waived_for_a_while_with_a_reason() -> None:
    app, source, _ = make_app(_deciding(), tab="migration")
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        app.screen.opened_at = 0.0  # type: ignore[attr-defined]
        assert "waive rows for 2 h" in screen_text(app)
        await pilot.press("down", "down", "enter", *"seen", "enter")
        await settle(pilot)
        assert source.requests == [("gate.waive", {"check": "rows", "reason": "seen", "for_s": 7200.0})]
