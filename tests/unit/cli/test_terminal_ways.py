"""How the screen uses the terminal: a flag goes before a variable, that before the settings, those before defaults."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from switchover.cli.screen_options import apply_screen_options
from switchover.errors import UsageError
from switchover.terminal.terminal_guard import prepare_environment

NOTHING = {"mouse": None, "motion": None, "fps": None, "theme": None, "ascii": None}


def environ(tmp_path: Path, settings: str = "", **more: str) -> dict[str, str]:
    (tmp_path / "switchover").mkdir(exist_ok=True)
    (tmp_path / "switchover/settings.toml").write_text(settings)
    return {"XDG_CONFIG_HOME": str(tmp_path), "SSH_CONNECTION": "10.0.0.1 2 10.0.0.2 22", **more}


def chosen(given: dict[str, str], **flags: bool | int | None) -> tuple[bool, str, str]:
    apply_screen_options(Namespace(**{**NOTHING, **flags}), given)
    mouse = prepare_environment(given)
    return mouse, given["TEXTUAL_ANIMATIONS"], given["TEXTUAL_FPS"]


def test_over_ssh_nothing_moves_unless_somebody_says_so(tmp_path: Path) -> None:
    assert chosen(environ(tmp_path)) == (False, "none", "15")


def test_the_settings_say_otherwise(tmp_path: Path) -> None:
    assert chosen(environ(tmp_path, "mouse = true\nmotion = true\nfps = 30")) == (True, "full", "30")


def test_a_variable_goes_before_the_settings(tmp_path: Path) -> None:
    given = environ(tmp_path, "mouse = true\nfps = 30", SWITCHOVER_MOUSE="0", TEXTUAL_FPS="5")
    assert chosen(given) == (False, "none", "5")


def test_a_flag_goes_before_everything(tmp_path: Path) -> None:
    given = environ(tmp_path, "mouse = false\nmotion = true", SWITCHOVER_MOUSE="0", TEXTUAL_FPS="5")
    assert chosen(given, mouse=True, motion=False, fps=60) == (True, "none", "60")


@pytest.mark.parametrize(
    "line",
    ["mouse = 1", "motion = 'yes'", "fps = 0", "fps = true", "fps = 15.5", "mous = true", "theme = 1", "ascii = 'no'"],
)
def test_a_setting_of_the_wrong_kind_is_told_with_its_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match=line.split(" ", maxsplit=1)[0]):
        chosen(environ(tmp_path, line))
