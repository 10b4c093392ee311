"""The same app, once with the difference and once without, in real pseudo-terminals: both terminals show the same."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.terminal import Terminal

APP = str(Path(__file__).with_name("difference_app.py"))
Pair = tuple[Terminal, Terminal]
ENV = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_DISABLE_KITTY_KEY": "1"}


def start(stack: ExitStack, *words: str, size: tuple[int, int] = (80, 24), **env: str) -> Terminal:
    argv = [sys.executable, APP, *words]
    return stack.enter_context(Terminal(argv, columns=size[0], lines=size[1], env={**ENV, **env}))


@pytest.fixture
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        both = (start(stack), start(stack, "plain"))
        for terminal in both:
            terminal.wait_for("count 0")
            terminal.settle()
        yield both


def do_in_both(pair: Pair, action: Callable[[Terminal], None]) -> None:
    for terminal in pair:
        action(terminal)
        terminal.settle()
    ours, theirs = pair
    end = time.monotonic() + 20
    while ours.cells() != theirs.cells() and time.monotonic() < end:  # on a busy machine one may come later
        ours.pump(0.1)
        theirs.pump(0.1)
    assert ours.text == theirs.text
    assert ours.cells() == theirs.cells()


def type_keys(*keys: str) -> Callable[[Terminal], None]:
    return lambda terminal: terminal.send(*keys)


def test_keys_modal_screens_themes_and_typing_show_what_textual_shows(pair: Pair) -> None:
    do_in_both(pair, lambda _: None)
    do_in_both(pair, type_keys("n", "n", "n", "down", "down"))
    do_in_both(pair, type_keys("m"))
    do_in_both(pair, type_keys("escape"))
    do_in_both(pair, type_keys("t"))
    do_in_both(pair, type_keys(*["down"] * 25))
    do_in_both(pair, type_keys("i"))
    do_in_both(pair, type_keys("é数a"))
    assert len(pair[0].raw) < len(pair[1].raw) / 3


def test_a_resized_window_shows_what_textual_shows(pair: Pair) -> None:
    do_in_both(pair, lambda terminal: terminal.resize(101, 31))
    do_in_both(pair, type_keys("n", "down"))
    do_in_both(pair, lambda terminal: terminal.resize(60, 20))


def test_ctrl_l_repairs_a_terminal_that_somebody_else_wrote_to(pair: Pair) -> None:
    do_in_both(pair, lambda _: None)
    ours = pair[0]
    before = ours.cells()
    ours._stream.feed("\x1b[3;3H\x1b[31mBroadcast message from root\x1b[0m\r\n\r\n")
    assert ours.cells() != before
    ours.send("\x0c")
    ours.settle()
    assert ours.cells() == before


def test_after_suspend_and_resume_the_whole_screen_is_there_again(pair: Pair) -> None:
    ours = pair[0]
    ours.send("n")
    ours.wait_for("count 1")
    ours.settle()
    before = ours.cells()
    ours.send("\x1a")
    ours.wait_for(lambda terminal: b"\x1b[?1049l" in terminal.raw)
    os.waitid(os.P_PID, ours.pid, os.WSTOPPED)
    ours.settle()
    ours._stream.feed("\x1b[2J$ ls\r\nfile\r\n")
    ours.signal(signal.SIGCONT)
    ours.wait_for("count 1")
    ours.settle()
    assert ours.cells() == before


def test_sixteen_colours_show_what_textual_shows() -> None:
    with ExitStack() as stack:
        both = tuple(start(stack, *words, COLORTERM="", TEXTUAL_COLOR_SYSTEM="standard") for words in ([], ["plain"]))
        for terminal in both:
            terminal.wait_for("count 0")
            terminal.settle()
        do_in_both((both[0], both[1]), type_keys("n", "down", "t"))
        assert both[0].cells() == both[1].cells()


def test_with_nothing_changing_nothing_is_written(pair: Pair) -> None:
    ours = pair[0]
    ours.settle(quiet=0.6)
    before = len(ours.raw)
    ours.pump(1.0)
    assert len(ours.raw) == before
