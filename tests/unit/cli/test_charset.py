"""A terminal without UTF-8 shows plain signs of the same width; nothing is left out and nothing becomes rubbish."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from switchover.terminal.charset import charset_of, plain, register

SOURCES = Path(__file__).parents[3] / "tui" / "switchover"


@pytest.mark.parametrize(
    ("environ", "charset"),
    [
        ({}, "utf-8"),
        ({"LANG": "C.UTF-8"}, "utf-8"),
        ({"LANG": "en_US.utf8"}, "utf-8"),
        ({"LANG": "C"}, "ascii"),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, "ascii"),
        ({"LC_ALL": "", "LC_CTYPE": "de_DE.UTF-8", "LANG": "C"}, "utf-8"),
        ({"LANG": "de_DE.ISO-8859-1"}, "iso8859-1"),
        ({"LANG": "de_DE@euro"}, "iso8859-1"),
        ({"LANG": "de_DE.ISO8859-15@euro"}, "iso8859-15"),
        ({"LANG": "ru_RU.KOI8-R"}, "koi8-r"),
        ({"LANG": "zh_CN.GBK"}, "ascii"),
        ({"LANG": "xx_XX.no-such"}, "ascii"),
    ],
)
def test_the_locale_says_what_a_terminal_can_show(environ: dict[str, str], charset: str) -> None:
    assert charset_of(environ) == charset


def test_every_sign_that_the_screen_draws_has_a_plain_one_of_its_own_width() -> None:
    signs = {sign for path in (SOURCES / "ui").rglob("*.py") for sign in path.read_text("utf-8") if not sign.isascii()}
    signs -= set("\u2800\u28ff\u0301é中漢\u200b")  # bounds of ranges, and what only data has
    without = {sign for sign in signs if "?" in plain(sign)}
    assert not without
    assert {sign for sign in signs if len(plain(sign)) != cell_len(sign)} == set()


@given(st.text(max_size=40))
def test_text_of_any_kind_becomes_ascii(text: str) -> None:
    assert plain(text).isascii()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("✓ ok  ✗ crit  ▶ running … 3 → 5", "+ ok  x crit  > running ~ 3 > 5"),
        ("▁▂▃▄▅▆▇█ │ ─", "_.:-=+*# | -"),
        ("Ünïcödé naïve", "Unicode naive"),
        ("漢字", "????"),
        ("e\u0301", "e"),
        ("⠉⠛ ⠀", "**  "),
    ],
)
def test_what_is_read_stays_readable(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_terminal_gets_the_letters_that_it_has() -> None:
    written = io.BytesIO()
    with io.TextIOWrapper(written, encoding="iso8859-1", errors=register()) as stream:
        stream.write("é ✓ ½")
        stream.flush()
        assert written.getvalue() == b"\xe9 + \xbd"


def test_blocks_of_a_chart_stay_eight_different_signs() -> None:
    assert len(set(plain("▁▂▃▄▅▆▇█"))) == 8
    assert not re.search(r"\s", plain("▁▂▃▄▅▆▇█"))
