"""No text that a report quotes becomes markup: rendered as CommonMark with tables, and by what knows less than that."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from switchover.markdown import code, code_lines, plain

RENDERER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
EVIL = (
    "<script>alert(1)</script>",
    "x\\|<img src=x onerror=alert(1)>",
    "a\\\\|b|<b>",
    "`|`<svg onload=x>",
    "``` \n<script>",
    "![x](http://evil) [y](javascript:x) <http://evil>",
    "- a\n# b\n1. c\n> d\n---\n===",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "_emphasis_ **strong** ~~gone~~ `code`",
    "a_b_ _c_d _e_",
    "+ item",
    "--",
    "- -",
    "12) item",
    "<!-- comment",
    "    indented",
    "\\",
    "|",
    " ",
)
TEXTS = st.one_of(st.sampled_from(EVIL), st.text("<>|`\\*_[]()#&~!-+ \nab1.;:/", max_size=30))


def _all(tokens: list[Token]) -> list[Token]:
    return [one for token in tokens for one in (token, *_all(token.children or []))]


def _shown(tokens: list[Token]) -> str:
    return "".join(token.content for token in tokens if token.type in ("text", "code_inline", "text_special"))


@given(TEXTS)
def test_a_text_is_shown_as_it_is(text: str) -> None:
    wanted = " ".join(text.split("\n")).strip()
    for made in (plain(text), code(text)):
        tokens = _all(RENDERER.parse(f"before {made} behind"))
        kinds = {token.type for token in tokens} - {"inline", "text", "text_special", "code_inline"}
        assert kinds <= {"paragraph_open", "paragraph_close"}
        shown = _shown(tokens).removeprefix("before ").removesuffix(" behind")
        assert html.unescape(shown.strip()) == html.unescape(wanted)


@given(TEXTS, TEXTS)
def test_a_text_stays_in_its_cell(one: str, two: str) -> None:
    tokens = RENDERER.parse(f"| a | b |\n|---|---|\n| {code(one)} | {plain(two)} |\n| end | end |")
    assert [token.type for token in tokens].count("td_open") == 4
    assert not {token.type for token in _all(tokens)} & {"html_inline", "html_block", "link_open", "image", "em_open"}


@given(TEXTS)
def test_a_text_in_a_list_or_on_its_own_begins_nothing(text: str) -> None:
    for lead in ("", "- ", "# "):
        kinds = {token.type for token in _all(RENDERER.parse(f"{lead}{plain(text)}"))}
        assert not kinds & {"html_inline", "html_block", "code_block", "hr", "ordered_list_open", "blockquote_open"}
        assert lead == "- " or "bullet_list_open" not in kinds
        assert lead == "# " or "heading_open" not in kinds


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_lines_of_code_are_code_and_nothing_else(lines: list[str]) -> None:
    lines = ["first", *lines, "last"]
    tokens = RENDERER.parse("\n".join(("caption:", *code_lines(lines), "# heading")))
    assert [t.type for t in tokens if t.level == 0 and t.nesting >= 0] == [
        "paragraph_open",
        "code_block",
        "heading_open",
    ]
    (block,) = [token for token in tokens if token.type == "code_block"]
    assert block.content.rstrip("\n").split("\n") == "\n".join(lines).split("\n")


@pytest.mark.parametrize("text", EVIL)
def test_what_knows_neither_escapes_nor_fences_finds_no_markup(text: str) -> None:
    assert not re.search(r"[<>]", plain(text))
    assert all(line.startswith("    ") for line in code_lines([text]) if line)


@pytest.mark.parametrize("name", ["remove_old", "drop_old_2", "größe_neu"])
def test_a_name_with_underscores_is_found_in_the_text_of_a_report(name: str) -> None:
    assert plain(name) == name
