"""A test that asserts nothing where a collection is empty is found."""

from __future__ import annotations

import ast
import textwrap

import pytest
from tests.house.reading import Module
from tests.house.rules import empty_assertions


def found(body: str, before: str = "", decorator: str = "") -> int:
    text = f"{before}\n{decorator}\ndef test_it(make):\n{textwrap.indent(textwrap.dedent(body), '    ')}"
    return len(list(empty_assertions([Module("tests/unit/test_a.py", 1, ast.parse(text))])))


@pytest.mark.parametrize(
    "body",
    [
        "for one in make():\n    assert one",
        "for one in []:\n    assert one",
        "for one in [*make()]:\n    assert one",
        "for one in (1, 2):\n    for two in make(one):\n        assert two",
        "for n in range(len(make())):\n    assert n",
        "for n in range(make()):\n    assert n",
        "for n, one in enumerate(make()):\n    assert one",
        "for one in (x for x in (1, 2) if make(x)):\n    assert one",
        "one = make()\nfor key, value in one.items():\n    assert value",
        "with make() as all_of_them:\n    for one in all_of_them:\n        assert one",
        "assert all(one > 1 for one in make())",
        "assert all(make())",
        "if make():\n    assert make() == 1",
        "while make():\n    assert make() == 1",
        "try:\n    make()\nexcept ValueError as error:\n    assert error",
        "for one in make():\n    with pytest.raises(ValueError):\n        one()",
        "for one in make():\n    assert_fine(one)",
    ],
)
def test_assertions_over_what_may_be_empty_are_no_assertions(body: str) -> None:
    assert found(body) == 1


@pytest.mark.parametrize(
    "body",
    [
        "assert make()",
        "made = make()\nassert made\nfor one in made:\n    assert one",
        "for one in (1, *make()):\n    assert one",
        "for one in [1, 2] + make():\n    assert one",
        "for n in range(3):\n    assert n",
        "for key, value in {1: 2}.items():\n    assert value",
        "for n, one in enumerate(('a', 'b')):\n    assert one",
        "for one in ALL:\n    assert one",
        "for text in ('ab', 'cd'):\n    for n in range(len(text)):\n        assert n",
        "assert all(one > 1 for one in [make(), make()])",
        "if make():\n    assert make() == 1\nelse:\n    assert make() == 2",
        "with pytest.raises(ValueError):\n    make()",
        "with make():\n    assert make()",
        "try:\n    assert make()\nfinally:\n    make()",
        "assert_fine(make())",
        "make()",
    ],
)
def test_an_assertion_that_is_always_made_is_enough(body: str) -> None:
    assert found(body, before="ALL = (1, 2)") == 0


def test_a_constant_of_another_module_counts_where_it_is_plainly_filled() -> None:
    test = "def test_it():\n    for one in ALL:\n        assert one"
    here = Module("tests/test_a.py", 1, ast.parse(test))
    assert list(empty_assertions([Module("tui/all.py", 1, ast.parse("ALL = {1: 2}")), here])) == []
    assert len(list(empty_assertions([Module("tui/all.py", 1, ast.parse("ALL = {}")), here]))) == 1


def test_what_hypothesis_draws_is_not_always_empty() -> None:
    assert found("for one in make:\n    assert one", decorator="@given(lists())") == 0


def test_helpers_and_sources_are_not_tests() -> None:
    text = "for one in make():\n    assert one"
    helper = ast.parse(f"def check_all():\n{textwrap.indent(text, '    ')}")
    source = ast.parse(f"def test_it():\n{textwrap.indent(text, '    ')}")
    assert list(empty_assertions([Module("tests/a.py", 1, helper), Module("tui/a.py", 1, source)])) == []
