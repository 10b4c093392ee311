"""Where messages go elsewhere, colours are few or UTF-8 is missing, the screen is there, or words say why not."""

from __future__ import annotations

import os
import re
import sys
import termios
from pathlib import Path

import pytest
from tests.support.terminal import Terminal

ROOT = Path(__file__).resolve().parents[3]
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")
TRUE_COLOUR = re.compile(rb"\x1b\[[\d;]*[34]8;2;[\d;]*m")
MANY_COLOURS = re.compile(rb"\x1b\[[\d;]*[34]8;[\d;]*m")


def screens(tmp_path: Path, how: str = "", **env: str) -> Terminal:
    """The screens on sample data, started by a shell with redirections."""
    os.chdir(ROOT)
    command = f"exec {sys.executable} -m tests.support.ui_program {tmp_path / 'screens.log'} trouble {how}"
    plain = {"SSH_CONNECTION": "", "NO_COLOR": "", "LC_ALL": "", "LC_CTYPE": "", "LANG": "C.UTF-8"}
    return Terminal(["sh", "-c", command], env={**plain, "XDG_CONFIG_HOME": str(tmp_path), **env})


def command_line(tmp_path: Path, words: str, **env: str) -> Terminal:
    """The real command line, started by a shell."""
    state = {"SWITCHOVER_STATE": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path), "NO_COLOR": ""}
    return Terminal(["sh", "-c", f"cd {tmp_path}; {sys.executable} -m switchover {words}"], env={**state, **env})


@pytest.mark.parametrize("how", ["2>{err}", "2>>{err}", "2>/dev/null", "2>&-"])
def test_messages_that_go_elsewhere_do_not_take_the_screen_away(tmp_path: Path, how: str) -> None:
    err = tmp_path / "err.txt"
    with screens(tmp_path, how.format(err=err)) as terminal:
        before = termios.tcgetattr(terminal.master)
        terminal.wait_for("connect refused")
        terminal.send("q")
        assert terminal.wait() == 0
        assert termios.tcgetattr(terminal.master)[:4] == before[:4]
        assert terminal.raw.rfind(b"\x1b[?1049l") > terminal.raw.rfind(b"\x1b[?1049h")
    if err.exists():
        assert "\x1b" not in err.read_text()
        assert "the run is kept" in err.read_text()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (">out.txt", "standard output is none"),
        (">out.txt 2>&1", ""),
        ("| cat", "standard output is none"),
        ("</dev/null", "standard input is none"),
        ("</dev/null | cat", "needs a terminal on standard input and output"),
    ],
)
@pytest.mark.parametrize("verb", ["", "logs a.log", "demo d"])
def test_what_cannot_be_a_screen_says_which_end_is_none(tmp_path: Path, how: str, said: str, verb: str) -> None:
    with command_line(tmp_path, f"{verb} {how}") as terminal:
        terminal.wait()
        shown = " ".join(terminal.text.split())
        shown += (tmp_path / "out.txt").read_text() if ">out" in how else ""
        assert (said or "standard output is none") in shown
        assert b"\x1b[?1049h" not in terminal.raw
        assert "Traceback" not in shown


@pytest.mark.parametrize("env", [{"LANG": "C"}, {"LC_ALL": "POSIX"}, {"SWITCHOVER_ASCII": "1"}, {"LANG": "ja_JP.SJIS"}])
def test_without_utf_8_all_is_ascii_and_the_words_are_there(tmp_path: Path, env: dict[str, str]) -> None:
    with screens(tmp_path, **env) as terminal:
        terminal.wait_for("connect refused")
        terminal.wait_for("x crit")
        terminal.send("4")
        terminal.wait_for("Metrics")
        assert terminal.raw.isascii()
        terminal.send("q")
        assert terminal.wait() == 0
        assert terminal.raw.isascii()


def test_a_terminal_with_latin_letters_gets_them_in_its_own_bytes(tmp_path: Path) -> None:
    with screens(tmp_path, LANG="fr_FR.ISO-8859-1") as terminal:
        terminal.wait_for("connect refused")
        terminal.send("q")
        terminal.wait()
        rest = {sign for sign in terminal.raw.decode("latin-1") if not sign.isascii()}
        assert rest <= set("·×"), rest


def test_a_locale_without_utf_8_can_be_overruled(tmp_path: Path) -> None:
    with screens(tmp_path, LANG="C", SWITCHOVER_ASCII="0") as terminal:
        terminal.wait_for("✗ crit")


@pytest.mark.parametrize(
    "env",
    [
        {"NO_COLOR": "1"},
        {"NO_COLOR": "1", "TERM": "xterm-256color"},
        {"TERM": "vt100", "COLORTERM": ""},
        {"TERM": "xterm-mono", "COLORTERM": ""},
    ],
)
def test_without_colours_no_colour_is_written(tmp_path: Path, env: dict[str, str]) -> None:
    with screens(tmp_path, **env) as terminal:
        terminal.wait_for("✗ crit")
        terminal.send("3", "j")
        terminal.settle()
        assert not COLOUR.search(bytes(terminal.raw))


@pytest.mark.parametrize("term", ["xterm-256color", "screen-256color", "tmux-256color"])
def test_a_terminal_of_256_colours_gets_no_others(tmp_path: Path, term: str) -> None:
    with screens(tmp_path, TERM=term, COLORTERM="") as terminal:
        terminal.wait_for("✗ crit")
        assert not TRUE_COLOUR.search(bytes(terminal.raw))
        assert MANY_COLOURS.search(bytes(terminal.raw))


@pytest.mark.parametrize("term", ["xterm", "linux", "screen", "xterm-16color"])
def test_a_terminal_of_few_colours_gets_no_others(tmp_path: Path, term: str) -> None:
    with screens(tmp_path, TERM=term, COLORTERM="") as terminal:
        terminal.wait_for("✗ crit")
        assert not MANY_COLOURS.search(bytes(terminal.raw))
        assert COLOUR.search(bytes(terminal.raw))
