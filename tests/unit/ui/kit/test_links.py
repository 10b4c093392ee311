"""Addresses are links of the terminal (OSC 8): of the web only, the same at every painting, opened and closed."""

from __future__ import annotations

from pathlib import Path

import pytest

import switchover
from switchover.ui.kit.theme import Painter, load_theme
from switchover.ui.text.styled_line import StyledSpan, address_of, linked

THEME = Path(switchover.__file__).parents[2] / "themes" / "dark.toml"
ADDRESS = "https://grafana.example.org/d/shop?orgId=1"


def test_an_address_of_the_web_leads_there_and_is_the_same_link_at_every_painting() -> None:
    painter = Painter(load_theme(THEME))
    first, second = ((StyledSpan(" link "), linked(ADDRESS)), (linked(ADDRESS), StyledSpan(" again")))
    styles = [
        segment.style
        for line in (first, second)
        for segment in painter.paint(line, 70)
        if segment.text == ADDRESS and segment.style is not None
    ]
    assert [style.link for style in styles] == [ADDRESS, ADDRESS]
    assert styles[0].link_id == styles[1].link_id
    others = [segment for segment in painter.paint(first, 70) if segment.text != ADDRESS]
    assert [segment.style.link for segment in others if segment.style is not None] == [None] * len(others)


@pytest.mark.parametrize(
    "text",
    ["file:///etc/passwd", "javascript:alert(1)", "https://a\x1b]8;;https://b", "https://a b", "", "http://", "x"],
)
def test_what_is_no_address_of_the_web_is_only_text(text: str) -> None:
    assert (linked(text).style, address_of(linked(text).style)) == ("text", "")
