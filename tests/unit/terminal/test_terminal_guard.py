"""What is set before Textual is imported, and which theme a terminal gets."""

from __future__ import annotations

import os
import termios

import pytest

from switchover.terminal.terminal_guard import choose_theme, give_size, prepare_environment


def test_over_ssh_nothing_moves_and_the_mouse_is_left_alone() -> None:
    environ = {"SSH_CONNECTION": "1 2 3 4"}
    assert prepare_environment(environ) is False
    assert environ["TEXTUAL_ANIMATIONS"] == "none"
    assert environ["TEXTUAL_SMOOTH_SCROLL"] == "0"
    assert environ["TEXTUAL_FPS"] == "15"


def test_the_operators_own_settings_win() -> None:
    environ = {"SSH_CONNECTION": "1 2 3 4", "SWITCHOVER_MOUSE": "1", "TEXTUAL_FPS": "60"}
    assert prepare_environment(environ) is True
    assert environ["TEXTUAL_FPS"] == "60"


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        ({"TERM": "xterm-256color"}, "dark"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "mono"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "dark"),
        ({"TERM": "linux"}, "ansi"),
        ({"TERM": "vt100", "COLORTERM": "truecolor"}, "dark"),
        ({"TERM": "linux", "SWITCHOVER_THEME": "light"}, "light"),
    ],
)
def test_the_theme_fits_the_terminal(environ: dict[str, str], theme: str) -> None:
    assert choose_theme(environ) == theme


def test_a_size_from_the_environment_never_hides_what_the_window_does() -> None:
    environ = {"COLUMNS": "80", "LINES": "24"}
    prepare_environment(environ)
    assert not {"COLUMNS", "LINES"} & environ.keys()


def test_a_terminal_without_a_size_is_given_one_and_another_keeps_its_own() -> None:
    master, terminal = os.openpty()
    try:
        give_size(terminal)
        assert os.get_terminal_size(terminal) == (80, 24)
        termios.tcsetwinsize(terminal, (50, 200))
        give_size(terminal)
        assert os.get_terminal_size(terminal) == (200, 50)
    finally:
        os.close(terminal)
        os.close(master)
