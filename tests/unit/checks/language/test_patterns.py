"""Regular expressions whose cost is bounded."""

from __future__ import annotations

import pytest

from switchover_checks.language.patterns import compile_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(\w+\s*)+x",
        r"(a|ab)*c",
        r"(a*)*",
        r"(a{1,50}){1,50}",
        r"([a-z]+)*\1*",
        r".*.*.*.*x",
        r"x{1,90}x{1,90}x{1,90}x{1,90}y",
        "x?" * 30 + "x" * 30,
        r"(?:x?){50}y",
        "[",
        "a" * 2000,
    ],
)
def test_a_pattern_that_may_take_forever_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"forever|too often|not a regular|longer"):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^ok$", "ok"),
        (r"(\d+)\.(\d+)\.(\d+)", "version 1.22.333"),
        (r"(?:\d{1,3}\.){3}\d{1,3}", "at 10.0.0.1"),
        (r"(foo|bar)+", "foobar"),
        (r"([0-9a-f]{2}:){5}[0-9a-f]{2}", "00:11:22:33:44:55"),
        (r"(?>\d+\.)+x", "1.2.x"),
        (r"(?i)error.*timeout", "ERROR: a Timeout"),
    ],
)
def test_the_usual_patterns_work(pattern: str, text: str) -> None:
    assert compile_pattern(pattern).search(text) is True
    assert compile_pattern(pattern).search("nothing of it") is False


def test_a_long_text_is_searched_line_by_line() -> None:
    text = "a line\n" * 100_000 + "the error line\n"
    assert compile_pattern(r"error.*line").search(text) is True


def test_what_is_not_found_in_the_part_that_was_searched_is_not_called_absent() -> None:
    pattern = compile_pattern(r"a.*b.*c")
    assert pattern.search("x" * 1_000_000) is None
    assert pattern.search("x" * 100) is False
