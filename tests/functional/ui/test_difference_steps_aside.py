"""On a Textual of another shape, or when it fails itself, the difference steps aside and Textual draws as ever."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.terminal import Terminal

HERE = Path(__file__).parent
ENV = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_DISABLE_KITTY_KEY": "1"}
KEYS = ["n", "n", "m", "escape", "down", "down", "n", "t"]


def play(*argv: str) -> Terminal:
    terminal = Terminal([sys.executable, *argv], env=ENV)
    terminal.wait_for("count 0")
    for key in KEYS:
        terminal.send(key)
        terminal.settle()
    return terminal


@pytest.fixture(scope="module")
def plain() -> str:
    with play(str(HERE / "difference_app.py"), "plain") as terminal:
        assert "count 3" in terminal.text
        return terminal.text


@pytest.mark.parametrize("what", ["lose_a_name", "grow_a_parameter", "update_otherwise", "fail_later"])
def test_another_textual_is_left_to_draw_by_itself(what: str, plain: str) -> None:
    with play(str(HERE / "other_textual.py"), what) as terminal:
        end = time.monotonic() + 20
        while terminal.text != plain and time.monotonic() < end:
            terminal.pump(0.1)
        assert terminal.text == plain
        terminal.send("q")
        assert terminal.wait() == 0


def test_the_probe_of_doctor_says_what_does_not_fit() -> None:
    def probe(before: str) -> subprocess.CompletedProcess[str]:
        code = f"{before}\nimport runpy, sys\nsys.modules.pop('switchover.terminal.screen_difference', None)\n"
        code += "runpy.run_module('switchover.terminal.screen_difference', run_name='__main__')"
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    fits = probe("")
    assert (fits.returncode, fits.stdout) == (0, "fits\n")
    other = probe("import textual.app\nfrom textual.app import App\nApp._display = lambda self, update: None")
    assert other.returncode == 1
    assert "App._display takes self, update" in other.stdout
    gone = probe("import textual.app, textual._ansi_sequences as names\ndel names.SYNC_END")
    assert gone.returncode == 1
    assert "SYNC_END" in gone.stdout
