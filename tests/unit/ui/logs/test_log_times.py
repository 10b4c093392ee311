"""The log window never shows a line outside of what is asked for, and never counts more than there are."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from tests.support.ui_logs import LogDesk, play_log
from tests.support.ui_samples import NOW

from switchover.snapshot.logview import LogQuery
from switchover.ui.logs.log_headline import filtered, is_within

COUNT = re.compile(r"([\d,]+) of ([\d,]+) lines?")


def clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def check(desk: LogDesk) -> None:
    """Every line that is seen or held fits, and the numbers agree."""
    screen = desk.screen
    query = screen.query_now
    held = screen.view.logged
    assert all(is_within(line.at, query) for line in held), (query, [clock(line.at) for line in held])
    if not screen.pending:
        assert all(not query.least or line.level in {"warn", "error", "fatal"} for line in held)
        assert all(re.search(query.show, line.text) for line in held)
        assert not query.sources or {line.source for line in held} <= set(query.sources)
    if (found := COUNT.search(desk.text)) is not None:
        shown, kept = (int(number.replace(",", "")) for number in found.groups())
        assert shown <= kept, desk.text
        assert shown >= len(held), desk.text


async def test_a_time_asked_for_while_paused_shows_only_its_lines() -> None:
    async def story(desk: LogDesk) -> None:
        await desk.press("k", "k")
        await desk.type("m", f"{clock(NOW - 300)} .. {clock(NOW - 240)}")
        check(desk)
        held = desk.screen.view.logged
        assert held
        fits = [line for line in desk.source.lines if is_within(line.at, desk.screen.query_now)]
        assert f"{len(fits):,} of {len(desk.source.lines):,} lines" in desk.text
        assert held[0].text[:30] in desk.text
        await desk.press("G")
        check(desk)
        await desk.press("escape")
        check(desk)
        assert "of 400 lines" not in desk.text

    await play_log(story)


async def test_lines_of_another_time_are_gone_before_a_slow_agent_answers() -> None:
    async def story(desk: LogDesk) -> None:
        await desk.press("k", "k")
        desk.source.go.clear()
        for key in ("m", *f"{clock(NOW - 300)} .. {clock(NOW - 240)}", "enter"):
            await desk.pilot.press(key)
        await desk.pilot.pause()
        check(desk)
        assert "counting …" in desk.text
        assert "asking for these lines …" in desk.text
        desk.source.go.set()
        await desk.tick()
        check(desk)
        assert desk.screen.view.logged

    await play_log(story)


async def test_a_time_that_was_not_read_is_read_and_nothing_else_is_shown() -> None:
    async def story(desk: LogDesk) -> None:
        await desk.press("k", "k")
        await desk.type("m", f"{clock(NOW - 560)} .. {clock(NOW - 500)}")
        await desk.tick()
        await desk.tick()
        check(desk)
        held = desk.screen.view.logged
        assert held
        fits = [line for line in desk.source.everything if is_within(line.at, desk.screen.query_now)]
        assert held[0].text == fits[0].text
        assert f"{len(fits)} of {len(fits)} lines" in desk.text

    await play_log(story, tail=100)


async def test_when_all_is_shown_again_the_cursor_stands_at_the_same_moment() -> None:
    async def story(desk: LogDesk) -> None:
        await desk.press("k", "k")
        await desk.type("m", f"{clock(NOW - 100)} .. {clock(NOW - 60)}")
        await desk.tick()
        check(desk)
        await desk.press("j", "j", "j")
        line = desk.screen.view.at_cursor
        assert line is not None
        await desk.press("escape")
        await desk.tick()
        await desk.tick()
        now = desk.screen.view.at_cursor
        assert now is not None
        assert now.at == line.at

    await play_log(story, tail=100)


async def test_a_time_without_any_line_says_so_and_shows_none() -> None:
    async def story(desk: LogDesk) -> None:
        await desk.press("k", "k")
        await desk.type("m", f"{clock(NOW - 3600)} .. {clock(NOW - 3000)}")
        await desk.tick()
        await desk.tick()
        check(desk)
        assert not desk.screen.view.logged
        assert "GET" not in desk.text
        assert "asking for" not in desk.text

    await play_log(story)
    await play_log(story, tail=100)


MOVES: dict[str, Callable[[LogDesk], object]] = {
    "up": lambda desk: desk.press("k", "k", "k"),
    "page": lambda desk: desk.press("b"),
    "top": lambda desk: desk.press("g"),
    "end": lambda desk: desk.press("G"),
    "middle": lambda desk: desk.type("m", f"{clock(NOW - 300)} .. {clock(NOW - 200)}"),
    "old": lambda desk: desk.type("m", f".. {clock(NOW - 500)}"),
    "late": lambda desk: desk.type("m", "1m"),
    "only": lambda desk: desk.type("ampersand", "GET"),
    "level": lambda desk: desk.press("L", "L"),
    "one": lambda desk: desk.press("1"),
    "all": lambda desk: desk.press(*["escape"] * filtered(desk.screen.query_now)),
    "error": lambda desk: desk.press("e"),
}


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 12))])
@pytest.mark.parametrize("tail", [None, 120])
async def test_whatever_is_pressed_only_what_is_asked_for_is_shown(seed: int, tail: int | None) -> None:
    import random

    chosen = random.Random(seed).choices(list(MOVES), k=12)

    async def story(desk: LogDesk) -> None:
        for name in chosen:
            await MOVES[name](desk)  # type: ignore[misc]
            check(desk)
            await desk.tick()
            check(desk)

    await play_log(story, tail=tail)


def test_the_ends_of_a_time_belong_to_it() -> None:
    query = LogQuery(since=10.0, until=20.0)
    assert [is_within(at, query) for at in (9.9, 10.0, 20.0, 20.1)] == [False, True, True, False]
