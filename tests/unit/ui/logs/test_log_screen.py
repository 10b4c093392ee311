"""The log screen on an agent in memory: what is followed, found and hidden, and what a slow or lost agent does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import ui_samples as samples
from tests.support.ui_logs import IDS, LogSource, sample_lines
from tests.support.ui_logs import LogDesk as Desk
from tests.support.ui_logs import play_log as play
from tests.support.ui_samples import LIVE, NOW, StillClock
from tests.support.ui_screen import THEMES, settle
from textual.strip import Strip

from switchover.errors import AgentError
from switchover.snapshot.logview import LogLine, LogSourceState
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.kit.scroller import Scroller
from switchover.ui.logs.log_line_screen import LogLineScreen
from switchover.ui.logs.log_screen import LogScreen
from switchover.ui.logs.log_view import LogView
from switchover.ui.text.render_context import AgentLink, AgentLinkState


async def test_what_comes_is_shown_at_once_and_a_move_stops_that() -> None:
    async def story(desk: Desk) -> None:
        desk.source.say("brand new")
        await desk.tick()
        assert "brand new" in desk.text
        await desk.press("k", "k")
        assert "paused" in desk.text
        before = desk.text.splitlines()[3:20]
        desk.source.say(*(f"later {number}" for number in range(200)))
        await desk.tick()
        assert desk.text.splitlines()[3:20] == before
        assert "paused · 200 below" in desk.text
        await desk.press("G")
        await desk.tick()
        assert "later 199" in desk.text
        assert "following" in desk.text

    await play(story)


async def test_moving_down_at_the_end_follows_again() -> None:
    async def story(desk: Desk) -> None:
        await desk.press("k", "j")
        assert "paused" in desk.text
        await desk.press("j")
        assert "following" in desk.text

    await play(story)


async def test_keys_are_answered_from_what_is_held_while_the_agent_is_slow() -> None:
    async def story(desk: Desk) -> None:
        desk.source.go.clear()
        await desk.pilot.press("k", "k", "k")
        await desk.pilot.pause()
        assert desk.at == 397
        for _ in range(40):
            await desk.pilot.press("k")
        await desk.pilot.pause()
        assert desk.at < 397 - 30
        desk.clock.move(0.5)
        desk.screen.tick()
        await desk.pilot.pause()
        assert "asking …" in desk.text
        desk.source.go.set()
        await settle(desk.pilot)
        assert "asking …" not in desk.text

    await play(story)


async def test_a_log_that_nobody_answers_for_never_seems_to_be_followed() -> None:
    async def story(desk: Desk) -> None:
        assert "following" in desk.text
        desk.source.go.clear()
        desk.source.say("not told yet")
        for waited in (0.5, 1.9, 0.5, 3.0):  # an answer may take 2 s where nothing is new
            desk.screen.tick()
            await desk.pilot.pause()
            desk.clock.move(waited)
        desk.screen.tick()
        await desk.pilot.pause()
        assert "following" not in desk.text
        assert "not read now" in desk.text
        assert "no answer for 3 s: these lines are from before" in desk.text
        desk.source.go.set()
        await settle(desk.pilot)
        assert "following" in desk.text
        assert "not told yet" in desk.text
        assert "no answer" not in desk.text

    await play(story)


async def test_one_request_is_under_way_and_what_was_wanted_in_between_is_never_asked() -> None:
    async def story(desk: Desk) -> None:
        await desk.press("k")
        desk.source.go.clear()
        before = len(desk.asked("logs.window"))
        await desk.pilot.press(*["pageup"] * 8)
        await desk.pilot.pause()
        assert len(desk.asked("logs.window")) == before + 1
        desk.source.go.set()
        await settle(desk.pilot)
        assert len(desk.asked("logs.window")) <= before + 3

    await play(story)


async def test_the_whole_log_is_walked_through_though_little_of_it_is_held() -> None:
    async def story(desk: Desk) -> None:
        for _ in range(30):
            await desk.press("pageup")
        assert desk.at == 1
        assert "28 Jan 2026" in desk.text
        assert len(desk.screen.view.logged) < 60
        seen = {desk.at}
        while "following" not in desk.text:
            await desk.press("j")
            seen.add(desk.at)
        assert seen == set(range(1, 71))

    await play(story, sample_lines(70), size=(60, 10))


async def test_what_is_searched_for_is_marked_and_gone_to_in_both_directions() -> None:
    async def story(desk: Desk) -> None:
        await desk.type("slash", "refused")
        assert "find “refused” on 20" in desk.text
        assert desk.at == 396
        assert any(line.marks for line in desk.screen.view.logged)
        await desk.press("N")
        assert desk.at == 391
        await desk.press("n", "n")
        assert desk.at == 396
        assert "no line with “refused” below" in desk.text
        await desk.press("g")
        await desk.press("n")
        assert desk.at == 301

    await play(story)


async def test_a_search_without_a_match_says_so() -> None:
    async def story(desk: Desk) -> None:
        await desk.type("slash", "unicorn")
        assert "no line with “unicorn”" in desk.text

    await play(story)


async def test_a_filter_says_what_it_hides_and_escape_takes_it_back_in_order() -> None:
    async def story(desk: Desk) -> None:
        await desk.type("ampersand", "GET")
        await desk.type("exclamation_mark", "health")
        await desk.type("slash", "accounts")
        assert "only /GET/ · not /health/ · find “accounts” on 62" in desk.text
        assert "of 400 lines" in desk.text
        await desk.press("escape")
        assert "find" not in desk.text.splitlines()[-3]
        assert "only /GET/" in desk.text
        await desk.press("escape")
        assert "only" not in desk.text.splitlines()[-3]
        await desk.press("escape")
        assert not isinstance(desk.app.screen, LogScreen)

    await play(story)


async def test_a_filter_that_fits_nothing_says_how_to_see_all() -> None:
    async def story(desk: Desk) -> None:
        await desk.type("ampersand", "unicorn")
        assert "none of 400 lines fits what is asked for: esc shows all" in desk.text
        await desk.press("escape")
        assert "GET" in desk.text

    await play(story)


async def test_a_bad_pattern_is_told_in_words_and_the_old_filter_stays() -> None:
    async def story(desk: Desk) -> None:
        await desk.type("ampersand", "GET")
        await desk.type("ampersand", "(GET")
        assert "“(GET” is not a pattern" in desk.text
        assert all(asked["query"]["show"] != "(GET" for asked in desk.asked("logs.window"))
        await desk.press("escape")
        assert "only /GET/" in desk.text
        await desk.type("ampersand", "a{1}x")
        assert "only /a{1}x/" in desk.text

    await play(story)


async def test_what_only_the_reader_refuses_is_told_and_the_old_filter_stays() -> None:
    async def story(desk: Desk) -> None:
        await desk.type("ampersand", "GET")
        desk.source.refuse = "(a+)+b"
        await desk.type("ampersand", "(a+)+b")
        assert "(a+)+b takes too long to match" in desk.text
        assert "only /GET/" in desk.text

    await play(story)


async def test_e_goes_to_the_newest_error_and_from_there_in_both_directions() -> None:
    async def story(desk: Desk) -> None:
        await desk.press("e")
        assert desk.at == 396
        for _ in range(19):
            await desk.press("E")
        assert desk.at == 301
        await desk.press("E")
        assert desk.at == 301
        assert "no error above; e looks the other way" in desk.text
        await desk.press("e")
        assert desk.at == 306

    await play(story)


async def test_a_traceback_is_one_error() -> None:
    lines = sample_lines(30)
    for text in ("Traceback (most recent call last):", '  File "x.py", line 3', "ValueError: no"):
        lines.append(LogLine(lines[-1].seq + 1, NOW, IDS[0], text, "error", event=7))
    lines.append(LogLine(lines[-1].seq + 1, NOW, IDS[0], "ERROR at the same time", "error", event=8))

    async def story(desk: Desk) -> None:
        await desk.press("e")
        assert desk.at == 34
        await desk.press("E")
        assert desk.at == 31
        await desk.press("E")
        assert desk.at == 26
        await desk.press("e", "e", "e")
        assert desk.at == 34
        assert "no error below" in desk.text

    await play(story, lines)


async def test_a_lost_agent_is_said_and_when_it_is_found_the_log_stands_where_it_was() -> None:
    async def story(desk: Desk) -> None:
        await desk.press(*["k"] * 60)
        here = desk.screen.view.at_cursor
        assert here is not None
        desk.source.feed(AgentLink(AgentLinkState.LOST, NOW, "the agent closed the line"))
        await settle(desk.pilot)
        assert "the agent is lost: these lines are from before" in desk.text
        assert here.text[:20] in desk.text
        assert desk.screen.painter.stale
        desk.source.lines = [replace(line, seq=line.seq + 1000) for line in desk.source.lines]  # it was another process
        desk.source.feed(LIVE)
        desk.source.feed(samples.healthy())
        await settle(desk.pilot)
        await desk.tick()
        await desk.tick()
        assert len(desk.asked("logs.open")) == 2
        assert desk.at == here.seq + 1000
        assert "lost" not in desk.text.splitlines()[-3]

    await play(story)


async def test_a_stream_that_ends_is_opened_anew_with_patience() -> None:
    async def story(desk: Desk) -> None:
        desk.source.stream += 1
        await desk.tick()
        assert "there is no log 1; trying again" in desk.text
        await desk.tick()
        await desk.tick()
        assert len(desk.asked("logs.open")) == 2
        assert "trying again" not in desk.text
        assert "following" in desk.text

    await play(story)


async def test_a_log_that_cannot_be_opened_says_why_and_is_tried_again() -> None:
    source = LogSource(samples.healthy(), sample_lines())
    source.open_error = AgentError("nothing is called docker:gone", "it may have ended")
    clock = StillClock()
    app = SwitchoverApp(source, THEMES, "dark", clock=clock, ticks=False)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        app.does.opener.logs(("docker:gone",))
        await settle(pilot)
        desk = Desk(pilot, app, source, clock)
        desk.screen.tick()
        await settle(pilot)
        assert "nothing is called docker:gone; trying again" in desk.text
        source.open_error = None
        await desk.tick()
        await desk.tick()
        assert "following" in desk.text


async def test_what_is_given_up_meanwhile_stays_while_somebody_reads_it() -> None:
    async def story(desk: Desk) -> None:
        await desk.press(*["k"] * 5)
        before = desk.text.splitlines()[3:20]
        desk.source.say(*(f"flood {number}" for number in range(900)))
        desk.source.give_up(900)
        await desk.tick()
        assert desk.text.splitlines()[3:20] == before
        for _ in range(9):
            await desk.press("j")
        assert "flood" in desk.text

    await play(story)


async def test_a_line_higher_than_the_window_is_walked_through_row_by_row() -> None:
    text = " ".join(f"word{number}" for number in range(220))
    lines = [*sample_lines(30), LogLine(31, NOW, IDS[0], text, "info"), LogLine(32, NOW + 1, IDS[0], "behind it", "")]

    async def story(desk: Desk) -> None:
        await desk.press("w", "g")
        while desk.at < 31:
            await desk.press("j")
        seen = []
        while desk.at == 31:
            seen.append(desk.text)
            await desk.press("j")
        shown = "".join("".join(row[24:].strip() for row in one.splitlines()[3:21]) for one in seen)
        assert all(f"word{number}" in shown for number in range(220))
        await desk.press("j")
        await desk.press("k", "k")
        while desk.at == 31:
            await desk.press("k")
        assert desk.at == 30

    await play(story, lines)


async def test_unwrapped_lines_move_sideways_and_what_stands_before_them_stays() -> None:
    lines = [LogLine(1, NOW, IDS[0], "".join(f"{number:04}" for number in range(100)), "info")]

    async def story(desk: Desk) -> None:
        await desk.press("right", "greater_than_sign")
        assert "15:02:31.000 I 0010" in desk.text
        assert "from column 41" in desk.text
        await desk.press("left", "less_than_sign", "less_than_sign")
        assert "15:02:31.000 I 0000" in desk.text
        await desk.press("at")
        assert " I 0000" in desk.text
        assert "15:02:31.000" not in desk.text

    await play(story, lines)


async def test_enter_opens_the_whole_line_and_lays_json_out() -> None:
    text = 'request {"user": "u-1042", "path": ["a", "b"]}'

    async def story(desk: Desk) -> None:
        await desk.press("enter")
        assert isinstance(desk.app.screen, LogLineScreen)
        assert '"user": "u-1042",' in [row.strip() for row in desk.text.splitlines()]
        await desk.press("w")
        assert text in desk.text
        await desk.press("escape")
        assert isinstance(desk.app.screen, LogScreen)

    await play(story, [LogLine(1, NOW, IDS[0], text, "info")])


async def test_a_line_of_ten_megabytes_says_how_much_is_missing_and_is_read_in_pieces() -> None:
    async def story(desk: Desk) -> None:
        desk.source.whole[2] = "begin " + "x" * 10_000_000
        await desk.tick()
        assert "9.53 MiB more, enter opens" in desk.text
        await desk.press("enter")
        assert "begin xxx" in desk.text
        assert "65,536 of 10,000,006 characters" in desk.text
        assert [(one["offset"], one["limit"]) for one in desk.asked("logs.line")] == [(0, 65536)]

    await play(story, [LogLine(1, NOW, IDS[0], "before", "info"), LogLine(2, NOW, IDS[0], "begin " + "x" * 4000, "")])


async def test_of_a_long_line_no_more_is_read_before_what_was_read_stands_on_the_screen() -> None:
    async def story(desk: Desk) -> None:
        desk.source.whole[2] = "begin " + "x" * 10_000_000
        await desk.tick()
        desk.source.go.clear()
        await desk.pilot.press("enter")
        await desk.pilot.pause()
        screen = desk.app.screen
        assert isinstance(screen, LogLineScreen)
        body = screen.query_one(Scroller)
        body.display = False  # the machine is busy: the answer comes before the screen is laid out
        await desk.pilot.pause()
        desk.source.go.set()
        await settle(desk.pilot)
        for _ in range(3):
            screen._read_on()  # its timer does not wait for that
            await settle(desk.pilot)
        assert [one["offset"] for one in desk.asked("logs.line")] == [0]
        body.display = True
        await settle(desk.pilot)
        screen._read_on()
        await settle(desk.pilot)
        assert "begin xxx" in desk.text
        assert [one["offset"] for one in desk.asked("logs.line")] == [0]

    await play(story, [LogLine(1, NOW, IDS[0], "before", "info"), LogLine(2, NOW, IDS[0], "begin " + "x" * 4000, "")])


async def test_hostile_text_stays_text() -> None:
    hostile = (
        "\x1b[31mred\x1b[2J [bold]no[/bold] \x9b2J tab\there \u202egnp.exe \u200bzero 漢字 e\u0301 [link=x]y[/link]"
    )

    async def story(desk: Desk) -> None:
        assert "·[31mred·[2J [bold]no[/bold] ·2J tab    here ·gnp.exe ·zero 漢字" in desk.text
        await desk.press("enter")
        assert "[bold]no[/bold]" in desk.text
        assert "\x1b" not in desk.text
        await desk.press("escape", "w", "right")

    await play(story, [LogLine(1, NOW, IDS[0], hostile, "warn")], size=(120, 24))


async def test_numbers_show_and_hide_sources_and_the_last_one_stays() -> None:
    async def story(desk: Desk) -> None:
        assert "1 shop-api-1  2 shop-postgres-1" in desk.text
        await desk.press("1")
        assert "1 (shop-api-1)" in desk.text
        assert "1 of 2 sources" in desk.text
        assert "checkpoint" in desk.text
        assert "GET" not in desk.text
        await desk.press("2")
        assert "one source stays" in desk.text
        await desk.press("1")
        assert "of 2 sources" not in desk.text

    await play(story)


async def test_a_source_that_is_off_says_why_beside_those_that_are_read() -> None:
    async def story(desk: Desk) -> None:
        desk.source.states[IDS[1]] = LogSourceState(IDS[1], "off", "no such container")
        await desk.tick()
        assert "shop-postgres-1: off: no such container" in desk.text

    await play(story)


async def test_the_least_level_goes_round() -> None:
    async def story(desk: Desk) -> None:
        await desk.press("L", "L")
        assert "warn and worse · 83 of 400 lines" in desk.text
        await desk.press("L")
        assert "error and worse · 20 of 400 lines" in desk.text
        await desk.press("L")
        assert "worse" not in desk.text

    await play(story)


async def test_since_is_understood_and_what_is_older_than_was_read_is_read() -> None:
    async def story(desk: Desk) -> None:
        await desk.type("m", "2m")
        assert "since " in desk.text
        assert f"{sum(line.at >= NOW - 120 for line in desk.source.lines)} of 400 lines" in desk.text
        assert len(desk.asked("logs.open")) == 1
        await desk.type("m", "3h")
        assert len(desk.asked("logs.open")) == 2
        assert desk.asked("logs.open")[-1]["since"] == NOW - 3 * 3600 + desk.app.moment.now - NOW
        await desk.press("m", "ctrl+u", *"soon", "enter")
        assert "“soon” is no time: write 15m, 14:00" in desk.text

    await play(story)


async def test_a_span_that_is_taken_back_is_followed_again_with_what_came_since() -> None:
    async def story(desk: Desk) -> None:
        await desk.type("m", "10m .. 5m")
        assert "since " in desk.text
        await desk.type("m", "3h .. 5m")
        assert desk.asked("logs.open")[-1]["until"] is not None
        await desk.tick()
        assert "reading what is older" not in desk.text
        await desk.press("escape")
        await desk.tick()
        assert desk.asked("logs.open")[-1]["since"] is None
        assert desk.asked("logs.open")[-1]["until"] is None
        desk.source.say("brand new")
        await desk.tick()
        assert "brand new" in desk.text

    await play(story)


async def test_an_end_before_what_was_read_reads_what_is_older() -> None:
    async def story(desk: Desk) -> None:
        await desk.type("m", ".. 3h")
        assert len(desk.asked("logs.open")) == 2
        assert desk.asked("logs.open")[-1]["until"] == NOW - 3 * 3600 + desk.app.moment.now - NOW

    await play(story)


async def test_lines_that_were_not_read_are_told_and_g_reads_them() -> None:
    async def story(desk: Desk) -> None:
        for name in desk.source.sources:
            desk.source.states[name] = LogSourceState(name, "reading", older=True)
        await desk.tick()
        assert "400 lines, older not read" in desk.text
        await desk.press("g")
        assert "older lines are not read: g reads them" in desk.text
        await desk.press("E")
        assert "no error above in the 400 lines that were read" in desk.text
        await desk.type("slash", "nowhere to be seen")
        assert "no line with “nowhere to be seen” in the 400 lines that were read" in desk.text
        assert len(desk.asked("logs.open")) == 1
        await desk.press("escape", "g")
        await desk.tick()
        assert desk.asked("logs.open")[-1]["tail"] == 100_000
        await desk.type("m", "2h")
        assert desk.asked("logs.open")[-1]["tail"] == 500_000

    await play(story)


async def test_what_was_saved_is_named_until_it_was_read() -> None:
    async def story(desk: Desk) -> None:
        await desk.type("ampersand", "refused")
        await desk.press("s")
        assert "saved 20 lines, redacted: /srv/state/logs/shop-20260128-150231.log" in desk.text
        assert desk.asked("logs.save")[0]["query"]["show"] == "refused"
        await desk.press("escape")
        assert "saved" not in desk.text
        assert "only /refused/" in desk.text

    await play(story)


async def test_y_copies_all_of_the_line() -> None:
    async def story(desk: Desk) -> None:
        await desk.press("Y")
        assert desk.app.clipboard == desk.source.lines[-1].text
        desk.source.whole[400] = desk.source.lines[-1].text + "z" * 5000
        await desk.tick()
        await desk.press("Y")
        assert desk.app.clipboard == desk.source.whole[400]

    await play(story)


async def test_a_log_to_which_nothing_comes_paints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[str] = []
    original = LogView.render_line

    def render(self: LogView, y: int) -> Strip:
        painted.append(f"row {y}")
        return original(self, y)

    async def story(desk: Desk) -> None:
        monkeypatch.setattr(LogView, "render_line", render)
        for _ in range(2):
            await desk.tick()
            desk.app.show()
        await settle(desk.pilot)
        assert painted == []
        desk.source.say("one more")
        await desk.tick()
        assert painted

    await play(story)


async def test_leaving_lets_go_of_the_stream() -> None:
    async def story(desk: Desk) -> None:
        await desk.press("q")
        assert len(desk.asked("logs.close")) == 1

    await play(story)


async def test_a_file_is_opened_by_its_path() -> None:
    async def story(desk: Desk) -> None:
        await desk.press("q", "colon", *"open a log", "enter")
        await desk.press("ctrl+u", *"/var/log/syslog '/srv/a b.log'", "enter")
        await settle(desk.pilot)
        assert desk.asked("logs.open")[-1]["paths"] == ["/var/log/syslog", "/srv/a b.log"]
        assert "logs of syslog, a b.log" in desk.text

    await play(story)


async def test_every_size_has_room_for_lines_and_keys() -> None:
    for size in ((40, 10), (60, 20), (80, 24), (200, 50)):

        async def story(desk: Desk) -> None:
            await desk.type("slash", "refused")
            assert "refused" in desk.text
            assert "? help" in desk.text
            assert all(len(row) <= desk.app.size.width for row in desk.text.splitlines())

        await play(story, size=size)
