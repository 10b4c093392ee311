"""A theme that was chosen is kept in the settings, and nothing else of them changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from switchover.errors import UsageError
from switchover.settings import load_settings
from switchover.settings_edit import keep_theme


def test_without_settings_there_are_some_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "config" / "switchover" / "settings.toml"
    keep_theme(path, "light")
    assert load_settings(path).theme == "light"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("fps = 5", 'fps = 5\ntheme = "mono"\n'),
        ("# mine\nmouse = true  # yes\n", '# mine\nmouse = true  # yes\ntheme = "mono"\n'),
        ('theme = "dark"  # at night\nfps = 5\n', 'theme = "mono"  # at night\nfps = 5\n'),
        ("theme='dark'\n", 'theme = "mono"\n'),
        ("fps = 5\n[sources]\ndocker = false\n", 'fps = 5\ntheme = "mono"\n[sources]\ndocker = false\n'),
        ("[sources]\ndocker = false\n", 'theme = "mono"\n[sources]\ndocker = false\n'),
    ],
)
def test_everything_else_stays_as_it_is_written(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(before)
    path.chmod(0o640)
    keep_theme(path, "mono")
    assert path.read_text() == after
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["settings.toml"]


def test_a_link_to_settings_elsewhere_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.toml", tmp_path / "settings.toml"
    real.write_text("fps = 5\n")
    link.symlink_to(real)
    keep_theme(link, "dark")
    assert link.is_symlink()
    assert load_settings(real).theme == "dark"


@pytest.mark.parametrize("text", ["fps = ", 'note = """\ntheme = "dark"\n"""\n', "\xff"])
def test_settings_that_cannot_be_changed_safely_are_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match="the theme is not kept"):
        keep_theme(path, "mono")
    assert path.read_bytes() == text.encode("latin-1")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be written"):
        keep_theme(tmp_path / "settings.toml", "mono")
