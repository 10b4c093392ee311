"""Every meaning can be read in every theme, as a terminal shows it: all colours, 256, or 16; and under the cursor."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import Color, ColorSystem
from rich.style import Style

from switchover.ui.kit.theme import STYLES, Painter, load_themes
from switchover.ui.text.styled_line import StyledSpan

THEMES = load_themes([Path(__file__).parents[4] / "themes"])[0]
FILLING = {"rule", "bar-todo", "cursor"}  # lines and grounds: nobody reads them
LEAST = 4.5  # WCAG AA for text


def _shown(name: str, theme: str, over: str) -> Style:
    (segment,) = Painter(THEMES[theme]).paint((StyledSpan("x", name),), 1, over)
    assert segment.style is not None
    return segment.style


def _luminance(color: Color | None, system: ColorSystem) -> float:
    assert color is not None
    red, green, blue = (
        value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4
        for value in (part / 255 for part in color.downgrade(system).get_truecolor())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("over", ["", "cursor"])
@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_meaning_can_be_read(theme: str, system: ColorSystem, over: str) -> None:
    contrasts = {}
    for name in STYLES - FILLING:
        style = _shown(name, theme, over)
        dark, light = sorted((_luminance(style.color, system), _luminance(style.bgcolor, system)))
        contrasts[name] = (light + 0.05) / (dark + 0.05)
    assert contrasts
    assert {name: round(found, 1) for name, found in contrasts.items() if found < LEAST} == {}


@pytest.mark.parametrize("over", ["", "cursor"])
@pytest.mark.parametrize("theme", ["ansi", "mono"])
def test_where_the_terminal_chooses_its_colours_no_text_has_the_colour_of_its_ground(theme: str, over: str) -> None:
    shown = [_shown(name, theme, over) for name in STYLES]
    assert shown
    assert [style for style in shown if style.color == style.bgcolor and not _is_default(style)] == []


def test_without_colours_nothing_is_told_by_one() -> None:
    styles = [_shown(name, "mono", "") for name in STYLES]
    assert styles
    assert all(_is_default(style) for style in styles)


def _is_default(style: Style) -> bool:
    return all(color is None or color.is_default for color in (style.color, style.bgcolor))
