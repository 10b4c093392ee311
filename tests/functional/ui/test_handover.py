"""The terminal is given to another program and comes back whole, whatever that program left behind."""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
from pathlib import Path

import psutil
from tests.support.terminal import Terminal

ROOT = Path(__file__).resolve().parents[3]
ENV = {"NO_COLOR": "", "PYTHONPATH": str(ROOT), "PS1": "$ ", "ENV": ""}
TABLE = "not well here"


def opened(tmp_path: Path, *command: str) -> Terminal:
    os.chdir(ROOT)
    argv = [sys.executable, "-m", "tests.support.ui_program", str(tmp_path / "screens.log"), "services", *command]
    terminal = Terminal(argv, columns=100, lines=30, env=ENV)
    terminal.wait_for("Overview")
    terminal.send("2")
    terminal.wait_for(TABLE)
    return terminal


def modes(terminal: Terminal) -> list[object]:
    return termios.tcgetattr(terminal.master)[:4]


def without_ages(terminal: Terminal) -> str:
    return re.sub(r" +\d+ s\b", " N s", terminal.text)


def test_a_shell_is_opened_and_left_and_its_exit_code_is_said(tmp_path: Path) -> None:
    with opened(tmp_path, "sh") as terminal:
        before = modes(terminal)
        terminal.send("S")
        terminal.wait_for("\n$")
        terminal.send("echo it is $((6 * 7))\r")
        terminal.wait_for("it is 42")
        terminal.send("sleep 2.1; exit 3\r")
        terminal.wait_for("back from the shell of api: exit 3")
        assert TABLE in terminal.text
        assert "it is 42" not in terminal.text
        assert modes(terminal) == before
        terminal.send("1")
        terminal.wait_for("no migration")


def test_what_a_program_left_on_is_put_back_and_a_new_size_is_seen(tmp_path: Path) -> None:
    mess = "\\033[?1049h\\033[?1000h\\033[?25l\\033[5;10r\\033(0"
    with opened(tmp_path, "sh", "-c", f"printf '{mess}'; stty raw -echo; sleep 0.5") as terminal:
        before = modes(terminal)
        terminal.send("S")
        terminal.wait_for(lambda seen: b"\x1b[5;10r" in seen.raw)
        terminal.resize(120, 36)
        terminal.wait_for("back from the shell")
        terminal.settle(0.4)
        assert modes(terminal) == before
        after = bytes(terminal.raw).rpartition(b"\x1b[5;10r")[2]
        for put_back in (b"\x1b[r", b"\x1b[?1000l", b"\x1b(B", b"\x1b[?1049l", b"\x1b[?1049h"):
            assert put_back in after
        assert max(map(len, terminal.text.splitlines())) > 110, "the screens have the new width"
        shown = without_ages(terminal)
        terminal.send("\x0c")
        terminal.settle(0.4)
        assert without_ages(terminal) == shown, "nothing of the program is left on the screen"


def test_an_interrupt_that_is_typed_is_for_the_program_alone(tmp_path: Path) -> None:
    with opened(tmp_path, "sh") as terminal:
        terminal.send("S")
        terminal.wait_for("\n$")
        terminal.send("sleep 100; echo woken\r")
        terminal.settle(0.3)
        terminal.send("\x03")
        terminal.send("echo still here\r")
        terminal.wait_for(lambda seen: seen.text.count("still here") == 2)
        terminal.send("\x04")
        terminal.wait_for(TABLE)


def test_a_program_that_is_killed_gives_the_screens_back(tmp_path: Path) -> None:
    with opened(tmp_path, "sleep", "100") as terminal:
        terminal.send("S")
        terminal.wait_for("leaving it comes back")
        terminal.settle(0.3)
        (child,) = psutil.Process(terminal.pid).children()
        child.kill()
        terminal.wait_for("enter goes back")
        terminal.send("\r")
        terminal.wait_for("ended by SIGKILL")
        assert TABLE in terminal.text


def test_what_fails_at_once_can_be_read_before_the_screens_cover_it(tmp_path: Path) -> None:
    with opened(tmp_path, "sh", "-c", "echo no such container; exit 1") as terminal:
        terminal.send("S")
        terminal.wait_for("no such container")
        terminal.wait_for("ended with exit 1; enter goes back")
        terminal.send("\r")
        terminal.wait_for(TABLE)


def test_a_program_that_is_not_there_is_said_and_the_screens_stay(tmp_path: Path) -> None:
    with opened(tmp_path, "no-such-program-here") as terminal:
        terminal.send("S")
        terminal.wait_for("no-such-program-here cannot be started")
        assert TABLE in terminal.text


def test_when_the_screens_are_ended_meanwhile_the_program_ends_with_them(tmp_path: Path) -> None:
    with opened(tmp_path, "sleep", "100") as terminal:
        terminal.send("S")
        terminal.wait_for("leaving it comes back")
        terminal.settle(0.3)
        (child,) = psutil.Process(terminal.pid).children()
        terminal.signal(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
        assert not child.is_running()


def test_stopping_the_program_stops_the_screens_for_the_shell_and_fg_goes_on_in_it(tmp_path: Path) -> None:
    os.chdir(ROOT)
    with Terminal(["bash", "--norc", "-i"], columns=100, lines=30, env=ENV) as terminal:
        terminal.wait_for("$")
        program = f"{sys.executable} -m tests.support.ui_program {tmp_path}/log services sleep 100"
        terminal.send(f"{program}\r")
        terminal.wait_for("no migration")
        terminal.send("2")
        terminal.wait_for(TABLE)
        terminal.send("S")
        terminal.wait_for("leaving it comes back")
        terminal.settle(0.3)
        terminal.send("\x1a")
        terminal.wait_for("Stopped")
        terminal.send("echo outside\r")
        terminal.wait_for(lambda seen: seen.text.count("outside") == 2)
        terminal.send("fg\r")
        terminal.settle(0.5)
        terminal.send("\x03")
        terminal.wait_for("enter goes back")
        terminal.send("\r")
        terminal.wait_for("ended by SIGINT")
        terminal.send("q")
        terminal.wait_for("$")
        terminal.send("exit\r")
        assert terminal.wait() == 0
