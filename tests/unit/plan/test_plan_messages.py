"""What a wrong value is answered with: the plan's own words and places, never those of a library."""

from __future__ import annotations

import re

import pytest
from tests.unit.plan.conftest import Problems

HEAD = "schema: 1\nid: a\ntitle: A\nchecks:\n  j: {every: 5s, "
LIBRARY = re.compile(
    r"tuple|\.str\b|str\[|function-|Input should|valid (?:string|list|dict|tuple|integer)|pydantic|union"
)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("kind: command, command: [1, ls]", "checks.j.command[0]: expected text, found the number 1"),
        ("kind: command, command: {x: y}", "checks.j.command: expected text or a list, found a mapping"),
        ("kind: command, command: ls, env: [a]", "checks.j.env: expected a mapping of keys to values"),
        ("kind: backup, path: a, env: {A: [1]}", "checks.j.env.A: expected text, found a list"),
        ("kind: http, url: 5", "checks.j.url: expected text, found the number 5"),
        ("kind: http, url: a, expect: {a: b}", "checks.j.expect: expected a list, found a mapping"),
        ("kind: port, port: 80, open: [x]", "checks.j.open: expected true or false, found a list"),
        ("kind: redis, database: x", "checks.j.database: expected a whole number, found the text 'x'"),
        ("kind: redis, role: boss", "checks.j.role: input should be 'master', 'replica' or 'sentinel', not 'boss'"),
        ("kind: port, port: 80, zzzz: 1", "has no key 'zzzz'; possible are address, attempts, every"),
        ("kind: disk, path: /, pth: 1", "has no key 'pth'; did you mean 'path'?"),
    ],
)
def test_a_wrong_value_of_a_check_is_told_in_words_at_its_place(problems: Problems, keys: str, said: str) -> None:
    found = problems(f"{HEAD}{keys}}}\n")
    assert any(said in line for line in found), found
    assert not [line for line in found if LIBRARY.search(line)]


def test_an_unknown_key_lists_the_possible_ones_where_none_is_near(problems: Problems) -> None:
    text = "schema: 1\nid: a\ntitle: A\nphases:\n  - id: p\n    gate: {human: ok?, qqqq: 1}\n"
    (found,) = problems(text)
    assert found.endswith(
        "phases[0].gate.qqqq: unknown key; possible are require, prove, hold, within, every, human, persons, who"
    )
