"""Rows of a log, and what is said around them: nothing is lost, nothing is too wide, nothing is anything but text."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from switchover.snapshot.logview import LogLine, LogQuery, LogSourceState, LogWindow
from switchover.snapshot.states import LogSourceWord
from switchover.ui.logs.log_headline import (
    LogScreenState,
    bad_pattern,
    density_line,
    headline,
    info_lines,
    legend_lines,
)
from switchover.ui.logs.log_line_screen import laid_out, rows_of
from switchover.ui.logs.log_rows import LogLayout, ending, labels, log_rows, precise
from switchover.ui.logs.log_time import SpanError, parse_span, span_text
from switchover.ui.text.styled_line import clean, line_width, plain

NOON = 1_769_601_600.0  # 2026-01-28 12:00:00 UTC


@pytest.fixture(autouse=True, scope="module")
def utc() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def line(text: str, level: str = "info", **more: object) -> LogLine:
    return LogLine(7, NOON, "docker:shop-api-1", text, level, **more)  # type: ignore[arg-type]


TEXT = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\x1b\t漢e\u0301\u202e[")), max_size=300)


@given(TEXT, st.integers(20, 90), st.booleans())
def test_wrapped_rows_hold_all_of_the_text_and_none_is_too_wide(text: str, width: int, times: bool) -> None:
    rows = log_rows(line(text), LogLayout(width, times=times, wrap=True))
    indent = LogLayout(width, times=times).indent
    assert "".join(plain(row)[indent:] for row in rows) == clean(text)
    narrow = [row for row in rows if cell_len(plain(row)) == sum(cell_len(c) for c in plain(row))]
    assert all(line_width(row) <= width for row in narrow)


@given(TEXT, st.integers(0, 80))
def test_what_is_scrolled_away_is_never_more_or_less_than_asked(text: str, left: int) -> None:
    whole, moved = log_rows(line(text), LogLayout(900))[0], log_rows(line(text), LogLayout(900, left=left))[0]
    if cell_len(plain(whole)) == sum(cell_len(c) for c in plain(whole)):
        indent = LogLayout(900).indent
        assert line_width(moved) - indent == max(line_width(whole) - indent - left, 0)


def test_what_was_found_is_marked_where_it_stands_behind_tabs_too() -> None:
    row = log_rows(line("a\tneedle needle", marks=((2, 8), (9, 15))), LogLayout(80))[0]
    assert [span.text for span in row if span.style == "match"] == ["needle", "needle"]
    assert plain(row).endswith("a    needle needle")


def test_a_level_is_a_letter_before_it_is_a_colour() -> None:
    letters = [
        plain(log_rows(line("x", level), LogLayout(80))[0])[14]
        for level in ("debug", "info", "warn", "error", "fatal", "")
    ]
    assert letters == ["D", "I", "W", "E", "F", " "]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-01-28T12:00:00.123Z INFO up", "INFO up"),
        ("2026-01-28 17:30:00,123 +0530 up", "up"),
        ("[2026/01/28 12:00:00] up", "up"),
        ("Jan 28 12:00:00 host up", "host up"),
        ("2026-01-28T11:59:59Z late", "2026-01-28T11:59:59Z late"),
        ("2026-01-28T12:00:00Z", "2026-01-28T12:00:00Z"),
        ("12:00:005 up", "12:00:005 up"),
    ],
)  # fmt: skip
def test_a_time_is_not_said_twice_unless_it_differs_or_is_searched_for(text: str, said: str) -> None:
    indent = LogLayout(80).indent
    assert plain(log_rows(line(text), LogLayout(80))[0])[indent:] == said
    assert plain(log_rows(line(text), LogLayout(80, times=False))[0])[3:] == text
    assert plain(log_rows(line(text, marks=((1, 3),)), LogLayout(80))[0])[indent:] == text


def test_milliseconds_are_those_that_were_written() -> None:
    assert precise(NOON + 0.1) == "12:00:00.100"
    assert precise(NOON + 59.9999) == "12:01:00.000"


def test_sources_are_called_by_what_tells_them_apart() -> None:
    assert labels(("docker:shop-api-1", "docker:shop-postgres-1")) == ("api", "postgres")
    assert labels(("api", "api-worker")) == ("api", "api-worker")
    assert labels(("/var/log/a.log", "/var/log/b.log")) == ("a", "b")
    assert labels(("docker:one",)) == ("one",)
    assert labels(("x-1", "x-1")) == ("1", "1")
    assert labels(("/srv/a.log", "docker:db")) == ("a.log", "db")


@pytest.mark.parametrize(
    ("typed", "since", "until"),
    [
        ("", None, None),
        ("15m", NOON - 900, None),
        ("2h ago", NOON - 7200, None),
        ("1 hour", NOON - 3600, None),
        ("2 days ago .. 30 minutes", NOON - 172_800, NOON - 1800),
        ("11:30", NOON - 1800, None),
        ("13:00", NOON - 23 * 3600, None),
        ("11:00 .. 11:30", NOON - 3600, NOON - 1800),
        ("11:00 to now", NOON - 3600, None),
        (".. 11:30", None, NOON - 1800),
        ("11:00 .. 13:00", NOON - 3600, NOON + 3600),
        ("23:50 .. 00:10", NOON - 43_800, NOON - 42_600),
        ("23:50:30 - 00:10:30.5", NOON - 43_770, NOON - 42_569.5),
        ("2026-01-27 23:50 .. 00:10", NOON - 43_800, NOON - 42_600),
        ("2026-01-26 .. 2026-01-26", NOON - 60 * 3600, NOON - 36 * 3600 - 1e-6),
        ("11:00 UTC .. 11:30Z", NOON - 3600, NOON - 1800),
        ("12:00+01:00 .. 13:30 CEST", NOON - 3600, NOON - 1800),
        ("2026-01-28T06:30:00.250-03 .. 10:00", NOON - 9000 + 0.25, NOON - 7200),
        ("2026-01-27", NOON - 36 * 3600, None),
        ("2026-01-28 09:15", NOON - 9900, None),
    ],
)  # fmt: skip
def test_times_are_understood_as_people_write_them(typed: str, since: float | None, until: float | None) -> None:
    assert parse_span(typed, NOON) == (since, until)


@pytest.mark.parametrize("typed", ["soon", "25:00", "2026-13-01", "12:00 .. 11:00", "1 .. 2 .. 3", "15", "99:99:99"])
def test_what_is_no_time_is_told_with_what_would_be_one(typed: str) -> None:
    with pytest.raises(SpanError, match=r"write|before"):
        parse_span(typed, NOON)


def test_a_span_over_midnight_is_understood_shortly_before_and_after_it() -> None:
    midnight = NOON - 43_200
    for now in (midnight - 300, midnight + 300, midnight + 7200):
        assert parse_span("23:50 .. 00:10", now) == (midnight - 600, midnight + 600)


def test_the_hour_that_a_clock_shows_twice_is_taken_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    first = 1792886400.0  # the clock shows 02:00, and an hour later once more
    try:
        assert parse_span("02:00 .. 02:30", first + 86_400) == (first, first + 5400)
        assert parse_span("2026-10-25 02:00 .. 2026-10-25 03:00", first + 86_400) == (first, first + 7200)
    finally:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()


def test_a_span_names_its_day_where_that_is_not_today() -> None:
    assert span_text(NOON - 900, None, NOON) == "since 11:45:00"
    assert span_text(NOON - 90000, NOON, NOON) == "since 2026-01-27 11:00 until 12:00:00"
    assert span_text(None, NOON - 90030, NOON) == "until 2026-01-27 10:59:30"


WINDOW = LogWindow(
    lines=(line("x"),), above=20, below=9, kept=50_000, found=3, per_second=12340.0,
    density=tuple((number % 7, int(number == 3), int(number == 40)) for number in range(60)),
    density_from=NOON - 600, density_to=NOON,
    sources=(LogSourceState("docker:a", "reading"), LogSourceState("docker:b", "off", "no such container")),
)  # fmt: skip


def test_the_density_has_blocks_for_lines_and_words_for_what_went_wrong() -> None:
    row = density_line(WINDOW, NOON - 300, NOON - 290, 80)
    said = plain(row)
    assert said.startswith(" 11:50 ")
    assert said.endswith(" 12:00 1 error 1 warning ")
    assert line_width(row) == 80
    assert {"outcome-crit", "outcome-warn", "spark-line", "log-here"} <= {span.style for span in row}


@given(st.integers(12, 300), st.integers(1, 400))
def test_the_density_fills_any_width_and_loses_no_error(width: int, count: int) -> None:
    density = tuple((1, 0, int(number == count // 2)) for number in range(count))
    window = LogWindow(kept=count, density=density, density_from=NOON, density_to=NOON + 60)
    row = density_line(window, None, None, width)
    assert line_width(row) <= max(width, 22)
    assert any(span.style == "outcome-crit" and set(span.text) & set("▁▂▃▄▅▆▇█") for span in row)


def test_what_hides_lines_is_said_with_how_many_are_left() -> None:
    query = LogQuery(show="timeout", hide="health", least="warn", find="x", sources=("docker:a",))
    said = plain(info_lines(WINDOW, LogScreenState(query, following=False), NOON, 200)[0])
    assert (
        said == " only /timeout/ · not /health/ · warn and worse · 1 of 2 sources · find “x” on 3 · 30 of 50,000 lines "
    )
    narrow = plain(info_lines(WINDOW, LogScreenState(query, following=False), NOON, 50)[0])
    assert narrow.endswith("30 of 50,000 lines ")
    assert cell_len(narrow) == 50


def test_the_title_says_first_whether_what_comes_is_shown() -> None:
    assert (
        headline("logs of api", WINDOW, LogScreenState(LogQuery(), following=True))
        == "following · 12.3 k lines/s · logs of api"
    )
    overdue = LogScreenState(LogQuery(), following=True, asking=True)
    assert headline("logs of api", WINDOW, overdue) == "asking … · for what is new · logs of api"
    asking = LogScreenState(LogQuery(), following=False, asking=True)
    assert headline("logs of api", WINDOW, asking) == "asking … · paused · 9 below · logs of api"


def test_one_source_that_is_read_needs_no_legend() -> None:
    assert legend_lines(WINDOW.sources[:1], LogQuery(), 80) == []
    assert [plain(row) for row in legend_lines(WINDOW.sources[1:], LogQuery(), 80)] == [" b: off: no such container"]
    said = [plain(row) for row in legend_lines(WINDOW.sources, LogQuery(sources=("docker:b",)), 80)]
    assert said == [" 1 (a)  2 b", " b: off: no such container"]


def test_what_was_saved_is_named_whole_however_long() -> None:
    note = f"saved 44 lines, redacted: /srv/{'deep/' * 20}logs.txt"
    rows = info_lines(WINDOW, LogScreenState(LogQuery(), following=True, note=note), NOON, 60)
    assert "".join(plain(row)[1:] for row in rows).replace(" ", "") == note.replace(" ", "")


def test_names_keep_their_end() -> None:
    assert ending("/var/log/nginx/access.log", 12) == "…/access.log"
    assert ending("short", 12) == "short"
    assert cell_len(ending("漢字漢字漢字", 6)) <= 6


def test_a_bad_pattern_is_told_in_words() -> None:
    assert bad_pattern("time.*out") == ""
    assert "“[a” is not a pattern: unterminated character set, at character 1" in bad_pattern("[a")


def test_json_is_laid_out_behind_what_stands_before_it() -> None:
    assert laid_out('INFO [x] {"a": 1}') == 'INFO [x]\n{\n  "a": 1\n}'
    assert laid_out("[not json]") == ""
    assert laid_out("{" * 100_000) == ""
    assert laid_out("plain 1 2 3") == ""


@given(TEXT, st.integers(5, 100))
def test_a_whole_line_is_shown_whole(text: str, width: int) -> None:
    text = text.replace("\n", " ")
    assert "".join(plain(row)[1:] for row in rows_of(text, width)) == clean(text)


def test_many_files_are_called_by_what_tells_them_apart_where_their_paths_do_not_fit() -> None:
    sources = tuple(
        LogSourceState(f"/srv/shop/current/log/{name}.log", "reading") for name in ("api", "worker", "cron")
    )
    assert plain(legend_lines(sources, LogQuery(), 60)[0]) == " 1 api  2 worker  3 cron"
    assert plain(legend_lines(sources, LogQuery(), 200)[0]).startswith(" 1 /srv/shop/current/log/api.log  2 ")


def test_what_is_not_read_is_not_said_to_be_followed() -> None:
    def said(*states: LogSourceWord) -> str:
        sources = tuple(LogSourceState(name, state) for name, state in zip("ab", states, strict=False))
        return headline("logs", LogWindow(sources=sources), LogScreenState(LogQuery(), following=True))

    assert said("off", "off").startswith("nothing is read")
    assert said("ended", "off").startswith("at the end, nothing more comes")
    assert said("reading", "off").startswith("following")
