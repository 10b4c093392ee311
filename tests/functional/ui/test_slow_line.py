"""A terminal that cannot keep up: frames are skipped, keys are not, and in the end the screen is right."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.bench.support.recorder import Recorder
from tests.support.terminal import Terminal

ROOT = Path(__file__).resolve().parents[3]
ENV = {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22", "NO_COLOR": "", "PYTHONPATH": str(ROOT)}


def program(tmp_path: Path) -> list[str]:
    os.chdir(ROOT)
    return [sys.executable, "-m", "tests.support.ui_program", str(tmp_path / "screens.log"), "trouble"]


class LateTerminal(Terminal):
    """Answers what it is asked only when it is told to."""

    late = False
    _owed = b""

    def _answer(self, reply: bytes) -> None:
        if self.late:
            self._owed += reply
        else:
            super()._answer(reply)

    def pay(self) -> None:
        owed, self._owed = self._owed, b""
        os.write(self.master, owed)


def test_a_terminal_that_stops_reading_gets_the_newest_screen_and_no_queue(tmp_path: Path) -> None:
    with Terminal(program(tmp_path), columns=120, lines=36, env=ENV) as terminal:
        terminal.wait_for("connect refused")
        terminal.settle(0.4)
        before = len(terminal.raw)
        for _ in range(40):  # each of these would be a whole screen
            terminal.send("6", "2", "3")
        terminal.send("5")
        time.sleep(1.0)  # the terminal reads nothing for this long, which is what is tried here
        terminal.wait_for("NAT gateway")
        terminal.settle(0.6)
        assert len(terminal.raw) - before < 60_000, "121 screens were asked for; few of them were worth writing"
        shown = terminal.text.splitlines()[3:]  # what stands above tells the time
        terminal.send("\x0c")
        terminal.settle(0.6)
        assert terminal.text.splitlines()[3:] == shown, "what was skipped is missing nowhere"
        terminal.send("q")
        assert terminal.wait() == 0


def test_on_a_line_of_20_kilobytes_a_second_the_screen_is_at_most_a_moment_behind(tmp_path: Path) -> None:
    with Recorder(program(tmp_path), (120, 36), ENV, bytes_per_second=20_000) as seen:
        seen.watch_for("connect refused")
        seen.watch_until_quiet(0.8, 15)
        before = seen.count
        for number in range(60):
            seen.send("3" if number % 2 else "6")
            seen.watch(1 / 60)
        seen.send("5")
        seen.watch_for("NAT gateway")
        assert seen.count - before < 60_000


def test_a_poor_line_is_named_in_the_header(tmp_path: Path) -> None:
    with LateTerminal(program(tmp_path), columns=120, lines=36, env=ENV) as terminal:
        terminal.wait_for("connect refused")
        terminal.settle(0.4)
        terminal.late = True
        end = time.monotonic() + 30
        while "link " not in terminal.text and time.monotonic() < end:
            terminal.send("2", "3")
            terminal.settle(0.5, 1.0)
            terminal.pay()
        assert " ms " in terminal.text.splitlines()[0]
        terminal.late = False
        terminal.send("q")
        assert terminal.wait() == 0


def test_an_answer_that_is_under_way_never_arrives_at_the_shell(tmp_path: Path) -> None:
    shell = '"$@"; IFS= read -r -s -n 1 -t 0.7 x && echo LEFT BEHIND || echo CLEAN'
    argv = ["bash", "-c", shell, "bash", *program(tmp_path)]
    with LateTerminal(argv, columns=120, lines=36, env=ENV) as terminal:
        terminal.wait_for("connect refused")
        terminal.settle(0.4)
        terminal.late = True
        end = time.monotonic() + 20
        while not terminal._owed and time.monotonic() < end:
            terminal.send("2", "3")
            terminal.pump(0.1)
        terminal.send("q")
        terminal.wait_for(lambda now: b"\x1b[?2004l" in now.raw)  # it is about to let go of the terminal
        time.sleep(0.35)  # as long as the answer takes on this line
        terminal.pay()
        terminal.late = False
        terminal.wait_for(lambda now: b"CLEAN" in now.raw or b"LEFT" in now.raw)
        assert b"LEFT" not in terminal.raw
