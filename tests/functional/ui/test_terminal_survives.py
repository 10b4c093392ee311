"""The terminal is as it was, however the screens end; and no process is left spinning on a dead line."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.terminal import Terminal

ROOT = Path(__file__).resolve().parents[3]
OFF = (b"\x1b[2J\x1b[?1049l", b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?1004l")


def open_screens(tmp_path: Path, sample: str = "trouble", prefix: Sequence[str] = (), **env: str) -> Terminal:
    argv = [*prefix, sys.executable, "-m", "tests.support.ui_program", str(tmp_path / "screens.log"), sample]
    os.chdir(ROOT)
    return Terminal(argv, env={"SSH_CONNECTION": "", "NO_COLOR": "", "PYTHONPATH": str(ROOT), **env})


def modes(terminal: Terminal) -> list[Any]:
    return termios.tcgetattr(terminal.master)


def assert_restored(terminal: Terminal, before: list[Any]) -> None:
    raw = bytes(terminal.raw)
    for sequence in OFF:
        assert sequence in raw, f"{sequence!r} was never written"
    for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h"), (b"\x1b[?2004h", b"\x1b[?2004l")):
        assert raw.rfind(off) > raw.rfind(on), f"{on!r} was the last word"
    for on, off in ((b"\x1b[?1003h", b"\x1b[?1003l"), (b"\x1b[?1000h", b"\x1b[?1000l")):
        assert raw.rfind(off) >= raw.rfind(on)
    after = modes(terminal)
    assert after[:4] == before[:4]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    with open_screens(tmp_path) as terminal:
        before = modes(terminal)
        terminal.wait_for("connect refused")
        terminal.signal(number)
        assert terminal.wait() == 128 + number
        assert_restored(terminal, before)
        assert "Traceback" not in terminal.text


def test_q_leaves_the_terminal_as_it_was_and_says_that_the_run_is_kept(tmp_path: Path) -> None:
    with open_screens(tmp_path) as terminal:
        before = modes(terminal)
        terminal.wait_for("connect refused")
        terminal.send("q")
        assert terminal.wait() == 0
        assert_restored(terminal, before)
        assert b"the run is kept" in terminal.raw


def test_an_unexpected_error_shows_one_line_and_writes_the_rest_to_the_log(tmp_path: Path) -> None:
    with open_screens(tmp_path, "crash") as terminal:
        before = modes(terminal)
        assert terminal.wait() == 1
        assert_restored(terminal, before)
        tail = bytes(terminal.raw).rsplit(b"\x1b[?1049l", 1)[1]
        assert b"the screens ended unexpectedly" in tail
        assert b"Traceback" not in tail
    assert "Traceback" in (tmp_path / "screens.log").read_text(encoding="utf-8")


def test_a_dropped_line_ends_the_process(tmp_path: Path) -> None:
    with open_screens(tmp_path) as terminal:
        terminal.wait_for("connect refused")
        terminal.hang_up()
        assert terminal.wait() in {128 + signal.SIGHUP, -signal.SIGHUP}


def test_a_dropped_line_ends_the_process_even_where_sighup_is_ignored(tmp_path: Path) -> None:
    ignore = [
        sys.executable,
        "-c",
        "import os,signal,sys; signal.signal(1, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])",
    ]
    with open_screens(tmp_path, prefix=ignore) as terminal:
        terminal.wait_for("connect refused")
        terminal.hang_up()
        assert terminal.wait() == 128 + signal.SIGHUP


def test_ctrl_z_stops_and_fg_paints_the_screen_again(tmp_path: Path) -> None:
    with open_screens(tmp_path) as terminal:
        terminal.wait_for("connect refused")
        terminal.settle()
        terminal.send("\x1a")
        _, status = os.waitpid(terminal.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        while terminal.pump(0.1):
            pass
        raw = bytes(terminal.raw)
        assert raw.rfind(b"\x1b[?1049l") > raw.rfind(b"\x1b[?1049h")
        terminal.screen.reset()
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for("connect refused")
        terminal.send("2")
        terminal.wait_for("elasticache")
        terminal.send("q")
        assert terminal.wait() == 0


def test_a_terminal_that_is_too_small_says_so_and_recovers(tmp_path: Path) -> None:
    with open_screens(tmp_path) as terminal:
        terminal.wait_for("connect refused")
        terminal.resize(36, 8)
        terminal.wait_for("too small")
        terminal.resize(80, 24)
        terminal.wait_for("connect refused")
        terminal.send("q")
        assert terminal.wait() == 0


def test_a_dumb_terminal_is_told_what_to_use_instead(tmp_path: Path) -> None:
    with open_screens(tmp_path, TERM="dumb") as terminal:
        assert terminal.wait() == 2
        assert b"switchover status" in terminal.raw
        assert b"\x1b[" not in terminal.raw


def test_over_ssh_the_mouse_stays_with_the_terminal(tmp_path: Path) -> None:
    with open_screens(tmp_path, SSH_CONNECTION="10.0.0.1 50000 10.0.0.2 22") as terminal:
        terminal.wait_for("connect refused")
        terminal.send("q")
        terminal.wait()
        assert b"\x1b[?1000h" not in terminal.raw
        assert b"\x1b[?1003h" not in terminal.raw


def test_no_color_draws_without_a_single_colour(tmp_path: Path) -> None:
    with open_screens(tmp_path, NO_COLOR="1") as terminal:
        terminal.wait_for("connect refused")
        terminal.settle()
        colours = {(cell.fg, cell.bg) for row in terminal.cells() for cell in row}
        assert colours == {("default", "default")}
        terminal.send("q")
        terminal.wait()
