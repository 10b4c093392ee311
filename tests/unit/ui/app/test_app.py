"""The App on fed data: what keys do, what the screen says, and what never happens twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.support import ui_samples as samples
from tests.support.ui_samples import FakeSource, StillClock
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.errors import LockedError, PlanError, PlanProblem, RefusedError
from switchover.snapshot import ServiceRow, Snapshot
from switchover.snapshot.states import ActionKind
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.kit.guarded_screen import AskScreen, GuardedScreen
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.migration.confirm_screen import ConfirmScreen
from switchover.ui.text.render_context import AgentLink, AgentLinkState

CONFIRM: tuple[ActionKind, str, str] = ("confirm", "destroy", "confirm and run destroy")


@pytest.fixture
def no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 0.0)


Story = Callable[[Any, SwitchoverApp, FakeSource, StillClock], Awaitable[None]]


async def play(story: Story, snapshot: Snapshot | None, size: tuple[int, int] = (80, 24), **options: Any) -> FakeSource:
    app, source, clock = make_app(snapshot, **options)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await story(pilot, app, source, clock)
    return source


async def press(pilot: Any, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
    await settle(pilot)


async def test_the_first_frame_stands_before_the_agent_answers() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        assert "starting the agent" in screen_text(app)
        assert "○ starting" in screen_text(app)

    await play(story, None)


async def test_number_keys_choose_the_tabs() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        for key, word in zip(
            "23456", ["elasticache", "sql_compare", "disk free", "NAT gateway", "way back"], strict=True
        ):
            await press(pilot, key)
            assert word in screen_text(app)
        await press(pilot, "left", "left", "right", "h", "l")
        assert app.main.tab == "costs"

    await play(story, samples.trouble())


async def test_the_cursor_stays_on_its_row_when_rows_change() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "j", "j")
        chosen = app.pane.rows.key
        sample = samples.trouble()
        worse = replace(sample.checks[-2], name="aaa", status="crit")
        source.feed(replace(sample, seq=42, checks=(worse, *sample.checks)))
        await settle(pilot)
        assert app.pane.rows.key == chosen
        assert app.pane.rows.keys.index(chosen) == 3

    await play(story, samples.trouble(), tab="checks")


async def test_a_filter_shows_what_matches_and_escape_shows_all() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "slash", "b", "a", "c", "k", "enter")
        assert app.pane.rows.keys == ("check:old_safe", "check:pg_dump")
        await press(pilot, "escape")
        assert len(app.pane.rows.keys) == len(samples.CHECKS)

    await play(story, samples.trouble(), tab="checks")


async def test_a_filter_never_makes_what_is_wrong_look_well() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "slash", *"zzz", "enter")
        assert "✓ ok" not in screen_text(app).split("Migration")[0]
        assert "nothing that is wrong matches" in screen_text(app)
        assert "only what contains “zzz”" in screen_text(app)
        await press(pilot, "escape")
        assert "only what contains" not in screen_text(app)
        assert "api_up" in screen_text(app)

    await play(story, samples.trouble())


async def test_a_filter_that_stays_is_said_above_the_rows() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "slash", *"back", "enter")
        assert "only what contains “back”" in screen_text(app)

    await play(story, samples.trouble(), tab="checks")


async def test_what_nobody_has_looked_at_has_no_green_mark() -> None:
    fine = samples.healthy()
    unseen = tuple(replace(check, status="pending", observed_at=None) for check in fine.checks)

    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        text = screen_text(app)
        assert "3 Checks ✓" not in text
        assert "✓ ok" not in text
        assert f"0 of {len(unseen) - 1} checks fine, not looked at yet: " in text

    await play(story, replace(fine, checks=unseen))


async def test_enter_runs_the_next_step_once_however_often_it_is_pressed() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, clock: StillClock) -> None:
        await press(pilot, "enter", "enter", "enter")
        assert source.requests == [("run.next", {})]
        assert "sent to the agent" in screen_text(app)
        sample = samples.healthy()
        source.feed(replace(sample, seq=50, migration=replace(sample.migration, output=("talks",))))
        clock.move(1.0)
        await press(pilot, "enter")
        assert len(source.requests) == 1
        source.feed(replace(sample, seq=51, migration=replace(sample.migration, current_step="other")))
        await settle(pilot)
        clock.move(1.0)
        await press(pilot, "enter")
        assert len(source.requests) == 2

    await play(story, samples.healthy(), tab="migration")


async def test_a_key_that_is_held_down_does_not_carry_the_run_on() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, clock: StillClock) -> None:
        sample = samples.healthy()
        for seq in range(60, 80):
            await press(pilot, "enter")
            source.feed(replace(sample, seq=seq, migration=replace(sample.migration, current_step=f"step{seq}")))
            await settle(pilot)
            clock.move(0.03)
        assert len(source.requests) == 1
        clock.move(1.0)
        await press(pilot, "enter")
        assert len(source.requests) == 2

    await play(story, samples.healthy(), tab="migration")


async def test_a_refusal_is_said_until_it_is_read_and_enter_may_be_pressed_again() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, clock: StillClock) -> None:
        source.answers["run.next"] = LockedError("ben@bastion drives this run", "ask ben")
        await press(pilot, "enter")
        assert "ben@bastion drives this run" in screen_text(app)
        source.feed(replace(samples.healthy(), seq=60))
        await settle(pilot)
        assert "ben@bastion drives this run" in screen_text(app)
        await press(pilot, "escape")
        assert "ben@bastion drives this run" not in screen_text(app)
        clock.move(1.0)
        await press(pilot, "enter")
        assert len(source.requests) == 2

    await play(story, samples.healthy(), tab="migration")


async def test_trouble_that_comes_later_is_said_too() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        assert source.on_action_failed is not None
        source.on_action_failed(RefusedError("the gate is shut", "wait for rows"))
        await settle(pilot)
        assert "the gate is shut" in screen_text(app)

    await play(story, samples.healthy())


async def test_nothing_is_started_from_data_that_is_stale() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, clock: StillClock) -> None:
        clock.move(30)
        app.show()
        await press(pilot, "enter")
        assert source.requests == []
        assert "stale since" in screen_text(app)

    await play(story, samples.healthy(), tab="migration")


async def test_a_silent_agent_is_said_on_every_tab_and_nothing_is_offered() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, clock: StillClock) -> None:
        clock.move(9000)
        app.show()
        for key in "123456":
            await press(pilot, key)
            shown = screen_text(app)
            assert "the agent says nothing since" in shown, key
            assert "✓ ok" not in shown, key
            assert "start the run" not in shown, key
            assert "enter run index" not in shown, key
        await press(pilot, "1")
        assert "? unkn agent" in screen_text(app)
        source.feed(replace(samples.healthy(), seq=99, at=clock.now()))
        await settle(pilot)
        assert "agent" not in screen_text(app).split("Migration")[0]

    await play(story, samples.healthy())


async def test_ages_go_on_when_the_clock_is_set_back() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, clock: StillClock) -> None:
        clock.move(9000)
        clock._now -= 7200
        app.show()
        await settle(pilot)
        assert "✓ ok" not in screen_text(app)
        assert " 2 h " in screen_text(app)

    await play(story, samples.healthy(), tab="checks")


async def test_a_yes_to_an_agent_that_says_nothing_is_not_kept_for_later(no_guard: None) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, clock: StillClock) -> None:
        await press(pilot, "A")
        assert isinstance(app.screen, AskScreen)
        clock.move(30.0)
        app.show()
        await press(pilot, "y")
        assert source.requests == []
        assert "not connected to the agent" in screen_text(app)

    await play(story, samples.trouble(), tab="migration")


async def test_a_lost_agent_is_said_with_its_time_until_it_is_back() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, clock: StillClock) -> None:
        source.feed(AgentLink(AgentLinkState.LOST, clock.now(), "the line to the agent is lost"))
        await settle(pilot)
        assert "agent lost since" in screen_text(app)
        assert "reconnecting" in screen_text(app)
        source.feed(AgentLink(AgentLinkState.LIVE, clock.now()))
        source.feed(replace(samples.trouble(), seq=99))
        await settle(pilot)
        assert "agent lost" not in screen_text(app)

    await play(story, samples.trouble())


async def test_plan_errors_end_the_screens_with_exit_code_2() -> None:
    error = PlanError([PlanProblem("plan.yaml", 3, 1, "phases", "wrong")])
    app, source, _ = make_app(None)
    source._queue.put_nowait(error)
    async with app.run_test() as pilot:
        await settle(pilot)
    assert app.failure is error
    assert app.return_code == 2


async def test_what_cannot_be_undone_needs_its_name_typed(no_guard: None) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "enter")
        text = screen_text(app)
        for part in ("cannot be undone", "RDS harena-prod", "pg_dump", "no undo", "destroy aws-all-in-one"):
            assert part in text
        await press(pilot, *"destroy", "enter")
        assert source.requests == []
        assert "nothing was done" in screen_text(app)
        await press(
            pilot,
            *["space" if key == " " else "minus" if key == "-" else key for key in "destroy aws-all-in-one"],
            "enter",
        )
        assert source.requests == [("run.step", {"step": "destroy", "confirmation": "destroy aws-all-in-one"})]

    await play(story, samples.acting(*CONFIRM, dangerous=True), tab="migration")


async def test_enter_that_bounces_on_a_confirmation_sends_it_once_and_ends_nothing(no_guard: None) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "enter")
        screen = app.screen
        assert isinstance(screen, ConfirmScreen)
        for _ in range(4):  # as they lie in the queue when the key bounces
            screen.on_text_entry_entered(TextEntry.Entered("destroy aws-all-in-one"))
        await settle(pilot)
        assert app.screen is app.main
        assert not app.crash
        assert [method for method, _ in source.requests] == ["run.step"]

    await play(story, samples.acting(*CONFIRM, dangerous=True), tab="migration")


async def test_a_question_under_the_help_expires_only_when_it_is_seen_again(no_guard: None) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "A")
        question = app.screen
        assert isinstance(question, AskScreen)
        await press(pilot, "question_mark")
        above = app.screen
        question._expire()
        await settle(pilot)
        assert app.screen is above
        await press(pilot, "escape")
        question._expire()
        await settle(pilot)
        assert app.screen is app.main

    await play(story, samples.trouble(), tab="migration")


async def test_keys_pressed_before_the_confirmation_stood_never_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 3600.0)

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "enter", *"destroy", "enter", "escape")
        assert isinstance(app.screen, GuardedScreen)
        assert "type it here:\n" in screen_text(app)
        assert source.requests == []

    await play(story, samples.acting(*CONFIRM, dangerous=True), tab="migration")


async def test_a_confirmation_expires(no_guard: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedScreen, "EXPIRES_S", 0.01)

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "enter")
        while isinstance(app.screen, GuardedScreen):
            await pilot.pause()
        await settle(pilot)
        assert "expired" in screen_text(app)
        assert source.requests == []

    await play(story, samples.acting(*CONFIRM, dangerous=True), tab="migration")


async def test_roll_back_shows_the_ways_and_asks_before_it_goes(no_guard: None) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "R")
        text = screen_text(app)
        assert "loses writes since 14:58" in text
        assert "~4 m" in text
        await press(pilot, "enter", "enter")
        assert source.requests == []
        await press(pilot, "y")
        assert source.requests == [("run.rollback", {"name": "quick"})]

    await play(story, samples.trouble())


async def test_a_way_back_says_before_the_yes_what_it_cannot_undo(no_guard: None) -> None:
    sample = samples.trouble()
    text = "destroy cannot be undone: it is irreversible"
    way = replace(
        samples.ROLLBACKS[0],
        steps=(*samples.ROLLBACKS[0].steps, text),
        cannot_undo=(text,),
        irreversible=("destroy",),
    )

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "R")
        assert f"! {text}" in screen_text(app)
        await press(pilot, "enter")
        shown = screen_text(app)
        assert f"! {text}" in shown
        assert shown.index(text) < shown.index("1. ")
        await press(pilot, "y")
        assert source.requests == [("run.rollback", {"name": "quick", "accept": ["destroy"]})]

    await play(story, replace(sample, migration=replace(sample.migration, rollbacks=(way,))))


async def test_a_closed_way_back_says_why_and_is_not_taken(no_guard: None) -> None:
    sample = samples.trouble()
    ways = (replace(samples.ROLLBACKS[0], available=False, reason="closed since destroy started"), samples.ROLLBACKS[2])

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "R", "j", "enter")
        assert "closed since destroy started" in screen_text(app)
        await press(pilot, "y")
        assert source.requests == []

    await play(story, replace(sample, migration=replace(sample.migration, rollbacks=ways)))


async def test_abort_asks_first(no_guard: None) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "A", "n")
        assert source.requests == []
        await press(pilot, "A", "y")
        assert [method for method, _ in source.requests] == ["run.abort"]

    await play(story, samples.trouble(), tab="migration")


async def test_an_unknown_outcome_is_decided_with_a_reason(no_guard: None) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "enter")
        assert "nobody knows how restore ended" in screen_text(app)
        await press(pilot, "j", "enter", "enter")
        assert source.requests == []
        assert "needs a word" in screen_text(app)
        await press(pilot, *"seen", "enter")
        assert source.requests == [("step.resolve", {"step": "restore", "choice": "failed", "reason": "seen"})]

    await play(story, samples.acting("resolve", "restore", "say how restore ended", state="unknown"), tab="migration")


async def test_a_failed_step_can_be_run_again(no_guard: None) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "enter", "enter")
        assert source.requests == [("step.retry", {"step": "restore"})]

    await play(story, samples.acting("failed", "restore", "restore failed", state="failed"), tab="migration")


async def test_manual_items_are_ticked_one_by_one_with_evidence(no_guard: None) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "enter", "j", "enter", "enter")
        assert source.requests == []
        await press(pilot, *"ok", "enter")
        assert source.requests == [("checklist.tick", {"step": "by_hand", "item": 1, "evidence": "ok"})]
        assert "by hand" in screen_text(app)

    await play(story, samples.acting("checklist", "by_hand", "tick the items of by_hand"), tab="migration")


async def test_a_gate_that_asks_a_person_takes_go_with_a_note(no_guard: None) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "enter", "enter", *"fine", "enter")
        assert source.requests == [("gate.answer", {"phase": "validate", "yes": True, "note": "fine"})]

    await play(story, samples.acting("human", "validate", "gate validate waits for you"), tab="migration")


async def test_a_start_asks_for_the_values_that_the_plan_wants() -> None:
    sample = samples.acting("start", "", "start the run")
    wanted = (("new_ip", "ip", "IP of the new instance"), ("region", "str", "region"))
    sample = replace(sample, migration=replace(sample.migration, variables_needed=wanted))

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "enter", "enter")
        assert "new_ip needs a value" in screen_text(app)
        assert "IP of the new instance" in screen_text(app)
        await press(pilot, *"node7", "enter", *"west", "enter")
        values = {"new_ip": "node7", "region": "west"}
        assert source.requests == [("run.start", {"variables": values})]

    await play(story, sample, tab="migration")


async def test_diagnose_shows_what_the_commands_said() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["issue.diagnose"] = [{"command": "docker logs", "exit_code": 1, "output": "[b]killed[/]\n"}]
        await press(pilot, "d")
        text = screen_text(app)
        assert source.requests[0] == ("issue.look", {"entry": "plan:0", "about": "api_up"})
        assert [asked["command"] for method, asked in source.requests if method == "issue.diagnose"] == [0, 1]
        assert "docker logs   exit 1" in text
        assert "[b]killed[/]" in text
        await press(pilot, "escape")
        assert app.screen is app.main

    await play(story, samples.trouble())


async def test_a_diagnosis_hides_no_end_of_a_line() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        said = "old  not running: " + "x" * 90 + " <connection refused>"
        source.answers["issue.diagnose"] = [{"command": "look " * 20 + "end", "exit_code": 1, "output": said}]
        await press(pilot, "d")
        text = screen_text(app)
        assert "<connection refused>" in text
        assert "end   exit 1" in text

    await play(story, samples.trouble())


async def test_a_check_under_another_problem_keeps_its_diagnosis() -> None:
    sample = samples.trouble()
    cause = next(problem for problem in sample.problems if problem.plan_entry is not None)
    under = replace(cause, subject="db", check="", service="db", waiting=(cause.check,))

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["issue.diagnose"] = []
        while app.pane.rows.key != f"check:{cause.check}":
            await press(pilot, "j")
        await press(pilot, "d")
        assert source.requests[0] == ("issue.look", {"entry": f"plan:{cause.plan_entry}", "about": "db"})

    await play(story, replace(sample, problems=(under,)), tab="checks")


async def test_output_is_followed_searched_and_harmless() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        text = "".join(f"line {number}\n" for number in range(200)) + "\x1b[2Jevil [red]x[/]\n10 %\r55 %\r"
        source.answers["output.read"] = {"text": text, "next": 0, "complete": True}
        await press(pilot, "o")
        shown = screen_text(app)
        assert "·[2Jevil [red]x[/]" in shown
        assert "55 %" in shown
        assert "10 %" not in shown
        await press(pilot, "slash", *"line", "space", "4", "2", "enter")
        assert "line 42" in screen_text(app)
        await press(pilot, "G")
        assert "evil" in screen_text(app)

    await play(story, samples.trouble(), tab="migration")


async def test_recheck_asks_for_the_check_under_the_cursor() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "j", "r")
        assert source.requests == [("check.run", {"names": ["es_idx"]})]

    await play(story, samples.trouble(), tab="checks")


async def test_all_checks_are_run_by_one_key() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "V")
        assert source.requests == [("check.run", {})]

    await play(story, samples.trouble(), tab="checks")


async def test_help_is_made_from_the_keys_that_work_here() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "question_mark")
        text = screen_text(app)
        assert "roll back" in text
        assert "output" in text
        await press(pilot, "escape", "5", "question_mark")
        assert "output" not in screen_text(app)

    await play(story, samples.trouble(), size=(80, 60), tab="migration")


async def test_help_asked_for_thrice_is_left_with_one_key() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        depth = len(app.screen_stack)
        await press(pilot, "question_mark", "question_mark", "question_mark")
        assert len(app.screen_stack) == depth + 1
        await press(pilot, "escape")
        assert len(app.screen_stack) == depth

    await play(story, samples.trouble(), size=(80, 24))


async def test_only_keys_that_do_something_are_offered() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        last = screen_text(app).splitlines()[-1]
        assert "diagnose" not in last
        assert "roll back" not in last
        assert "open" not in last

    await play(story, samples.bare_host())


async def test_the_palette_finds_and_opens() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await press(pilot, "colon", *"pgdump", "enter")
        assert "check pg_dump" in screen_text(app)
        await press(pilot, "escape", "ctrl+p", *"theme", "space", *"light", "enter")
        assert app.theme == "light"

    await play(story, samples.trouble())


async def test_without_a_plan_no_tab_speaks_of_one_and_none_says_that_all_is_well() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        assert "✓" not in screen_text(app).splitlines()[1]
        for key in "356":
            await press(pilot, key)
            assert "no plan is open" in screen_text(app)
            assert "this plan" not in screen_text(app)

    runs = ServiceRow("sshd", "", "process", "running", "ok", id="process:7")
    await play(story, replace(samples.bare_host(), found=(runs,)), size=(80, 24))


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (200, 50), (40, 10)], ids=str)
@pytest.mark.parametrize("sample", ["trouble", "healthy", "host"])
async def test_every_tab_draws_at_every_size(size: tuple[int, int], sample: str) -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        for key in "123456":
            await press(pilot, key)
            lines = screen_text(app).splitlines()
            assert "●" in lines[0] or "stale" in lines[0]
            assert "help" in lines[-1]

    await play(story, samples.SAMPLES[sample](), size=size)


async def test_an_unexpected_error_is_kept_in_one_line_and_ends_the_screens() -> None:
    app, source, _ = make_app(samples.trouble())

    async def break_it() -> None:
        async with app.run_test() as pilot:
            await settle(pilot)
            app.moment = None  # type: ignore[assignment]
            await pilot.press("d")
            await settle(pilot)

    with pytest.raises(AttributeError):
        await break_it()
    assert app.crash.startswith("AttributeError")
    assert app.return_code == 1
    assert source.closed


async def test_the_keys_work_again_after_the_window_was_too_small() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        await pilot.resize_terminal(20, 5)
        await settle(pilot)
        assert "too small" in screen_text(app)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        await settle(pilot)
        assert "enter open" in screen_text(app)
        chosen = app.pane.rows.key
        await press(pilot, "j")
        assert app.pane.rows.key != chosen

    await play(story, samples.trouble())


async def test_a_plan_without_phases_is_not_taken_for_none() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        assert "has no phases" in screen_text(app)
        assert "no plan is open" not in screen_text(app)

    sample = samples.healthy()
    await play(story, replace(sample, migration=replace(sample.migration, phases=())), tab="migration")


async def test_read_only_says_so_and_starts_nothing() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        await press(pilot, "enter")
        assert "read-only" in screen_text(app)
        assert source.requests == []

    await play(story, samples.healthy(), tab="migration", read_only=True)


async def test_a_list_of_hundreds_is_walked_through_with_the_keys_of_vi() -> None:
    async def story(pilot: Any, app: SwitchoverApp, *_: Any) -> None:
        rows = app.pane.rows
        await press(pilot, "G")
        assert rows.key == rows.keys[-1]
        assert rows.key.removeprefix("check:") in screen_text(app)
        await press(pilot, "ctrl+u")
        assert 0 < rows.keys.index(rows.key) < len(rows.keys) - 3
        await press(pilot, "g")
        assert rows.key == "check:api_up"
        assert "more" in screen_text(app)

    await play(story, samples.crowd(), tab="checks")


async def test_a_long_error_is_shown_whole() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, _clock: StillClock) -> None:
        source.answers["run.next"] = RefusedError(
            "the step may not run: " + "because of this " * 8, "do that first, then again"
        )
        await press(pilot, "enter")
        text = screen_text(app)
        assert "…" not in "".join(line for line in text.splitlines() if "because" in line)
        assert "do that first, then again" in text
        assert "esc read" in text

    await play(story, samples.healthy(), tab="migration")
