"""Themes are data: those that ship can be used, bad ones are named with all that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchover.ui.kit.theme import STYLES, Painter, ThemeError, load_theme, load_themes, theme_folders
from switchover.ui.text.styled_line import StyledSpan

SHIPPED = Path(__file__).parents[4] / "themes"


def test_every_theme_that_ships_can_be_used() -> None:
    themes, errors = load_themes([SHIPPED])
    assert errors == []
    assert {"dark", "light", "ansi", "mono"} <= themes.keys()
    assert all(theme.styles.keys() == STYLES for theme in themes.values())


def test_themes_are_found_where_the_package_lies() -> None:
    assert load_themes(theme_folders())[0].keys() >= {"dark", "light"}


def test_a_bad_theme_is_reported_with_everything_that_is_wrong(tmp_path: Path) -> None:
    text = (SHIPPED / "dark.toml").read_text(encoding="utf-8")
    bad = tmp_path / "bad.toml"
    text = text.replace('accent = "#6cb2f7"', 'accent = "bluish"').replace("outcome-ok =", "outcome-okay =")
    bad.write_text(text.replace('tab = "$muted"', 'tab = "$mutd"'), encoding="utf-8")
    with pytest.raises(ThemeError) as caught:
        load_theme(bad)
    said = str(caught.value)
    assert "palette.accent = 'bluish' is not a colour" in said
    assert "styles.outcome-ok is missing" in said
    assert "styles.outcome-okay is not known; did you mean outcome-ok?" in said
    assert "$mutd is not in the palette; did you mean muted?" in said


def test_a_theme_from_before_there_was_a_log_screen_can_still_be_used(tmp_path: Path) -> None:
    text = (SHIPPED / "dark.toml").read_text(encoding="utf-8")
    old = tmp_path / "old.toml"
    old.write_text("\n".join(row for row in text.splitlines() if not row.startswith("log-")), encoding="utf-8")
    styles = load_theme(old).styles
    assert styles["log-error"] == styles["outcome-crit"]


def test_a_bad_theme_does_not_keep_the_good_ones_away(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("name = ", encoding="utf-8")
    themes, errors = load_themes([SHIPPED, tmp_path])
    assert "dark" in themes
    assert [error.path.name for error in errors] == ["broken.toml"]


def test_an_operators_theme_is_found_beside_those_that_ship(tmp_path: Path) -> None:
    folder = tmp_path / "switchover" / "themes"
    folder.mkdir(parents=True)
    text = (SHIPPED / "dark.toml").read_text(encoding="utf-8").replace('name = "dark"', 'name = "mine"')
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    assert "mine" in load_themes(theme_folders(tmp_path))[0]


def test_a_stale_painter_greys_every_outcome() -> None:
    theme = load_themes([SHIPPED])[0]["dark"]
    stale = Painter(theme, stale=True)
    colours = {stale.style(name).color for name in STYLES if name.startswith(("outcome-", "step-", "spark-"))}
    assert colours == {theme.styles["stale"].color}


def test_a_painted_line_fills_its_width() -> None:
    painter = Painter(load_themes([SHIPPED])[0]["dark"])
    assert painter.paint((StyledSpan("✗ crit", "outcome-crit"),), 20, "").cell_length == 20
