"""The YAML of a plan: version 1.2, strict, and bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.document import MAX_DEPTH, read_document
from switchover.plan.loader.load import load_plan_text


def _value(text: str) -> Any:
    document = read_document(f"a: {text}\n")
    assert document.root is not None
    assert document.complaints == []
    return document.root.data["a"]


def _complaint(text: str) -> str:
    document = read_document(text)
    assert document.complaints
    line, column, complaint = document.complaints[0]
    return f"{line}:{column}: {complaint.message}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("NO", "NO"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("42", 42),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("'42'", "42"),
        ("!!str 42", "42"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_values_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    found = _value(text)
    assert found == value
    assert isinstance(found, type(value))
    assert isinstance(found, bool) is isinstance(value, bool)


@pytest.mark.parametrize("text", [".nan", ".inf", "-.inf", "1e999"])
def test_what_is_not_finite_is_refused(text: str) -> None:
    assert "is not a number that can be used here" in _complaint(f"a: {text}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1: 'a' is already set on line 1; remove one of the two"),
        ("a: 1\n\tb: 2\n", "2:1: a tab indents this line; YAML allows only spaces, replace it"),
        ("a:\n  - b\n\t- c\n", "3:1: a tab indents this line; YAML allows only spaces, replace it"),
        ("a: [1, 2\nb: 3\n", "a list in [ ] is not closed or lacks a comma: it was opened on line 1"),
        ("a: {b: 1\n", "a mapping in { } is not closed or lacks a comma: it was opened on line 1"),
        ("a: 'text\nb: 1\n", "a quote is not closed: it was opened on line 1"),
        ("a: b: c\n", "1:5: a `:` is not expected here"),
        ("a: @b\n", "1:4: a text cannot start with '@'; put it in quotes"),
        ("a: `b`\n", "1:4: a text cannot start with '`'; put it in quotes"),
        ('a: "\\d"\n', "a backslash in"),
        ("a: *nothing\n", "1:4: there is no anchor &nothing before this *nothing"),
        ("a: &x [1, *x]\n", "1:11: *x stands inside the value that it names; it would never end"),
        ("a: !!binary aGk=\n", "1:4: tags such as 'tag:yaml.org,2002:binary' are not used in a plan"),
        ("a: !!python/object:os.system x\n", "tags such as"),
        ("? [1, 2]\n: 3\n", "1:3: a key must be plain text"),
        ("a: {{ x }}\n", "1:4: a text that starts with {{ needs quotes"),
        (": 3\n", "1:1: a key is missing before the `:`"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document starts here"),
        ("%YAML 9.1\n---\na: 1\n", "only YAML 1.2 can be read"),
        ("a:\n  b:\n", "2:3: there is no value after the `:`"),
        ("a: 1\n<<: text\n", "<< takes a mapping or a list of mappings"),
        ('a: "x\\0y"\n', "a zero byte"),
    ],
)
def test_bad_yaml_says_what_to_change(text: str, message: str) -> None:
    assert message in _complaint(text)


def test_all_yaml_mistakes_of_a_readable_file_are_told_at_once() -> None:
    document = read_document("a: 1\na: 2\nb: !t 1\nc: .nan\n")
    assert [line for line, _, _ in document.complaints] == [2, 3, 4]


def test_an_alias_and_a_merge_key_stand_for_what_they_name() -> None:
    document = read_document("a: &x {p: 1, q: 2}\nb: *x\nc:\n  <<: *x\n  q: 3\n")
    assert document.root is not None
    assert document.root.data == {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 2}, "c": {"p": 1, "q": 3}}
    assert document.place(("c", "p")) == (1, 11)


def test_keys_are_text_as_it_is_written() -> None:
    document = read_document("{1: a, true: b, null: c, 2026-01-01: d}")
    assert document.root is not None
    assert list(document.root.data) == ["1", "true", "null", "2026-01-01"]


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert "aliases stand for more than" in _complaint("\n".join(lines))


def test_a_bomb_of_long_texts_is_refused() -> None:
    text = f"a: &a {'x' * 200_000}\nb: [{', '.join(['*a'] * 5000)}]\n"
    assert "aliases stand for more than" in _complaint(text)


def test_a_bomb_of_merge_keys_is_refused() -> None:
    lines = ["k0: &k0 {a: [x, x, x, x, x, x, x, x, x, x]}"]
    lines += [f"k{n}: &k{n} {{p: {{<<: *k{n - 1}}}, q: {{<<: *k{n - 1}}}, r: {{<<: *k{n - 1}}}}}" for n in range(1, 40)]
    assert "more than" in _complaint("\n".join(lines))


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 3000, "? " * 3000])
def test_endless_nesting_is_refused_before_it_hurts(text: str) -> None:
    assert f"nested deeper than {MAX_DEPTH} levels" in _complaint(text)


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("switchover.plan.loader.document.MAX_NODES", 1000)  # the real one takes seconds to reach
    assert "holds more than 1,000 values" in _complaint("a:\n" + "- x\n" * 2000)


def test_every_value_knows_its_place(example: str) -> None:
    document = read_document(example)
    lines = example.splitlines()
    line, column = document.place(("phases", 0, "steps", 0, "on_unknown", "verify"))
    assert lines[line - 1][column - 1 :] == "[last_dump]}"
    line, column = document.place(("phases", 0, "steps", 0, "on_unknown", "verify"), at_key=True)
    assert lines[line - 1][column - 1 :] == "verify: [last_dump]}"


def test_an_empty_section_is_as_good_as_not_there(tmp_path: Any) -> None:
    text = "schema: 1\nid: a\ntitle: A\nvars:\nchecks:\n  # disk: {kind: disk}\nphases:\n"
    assert load_plan_text(text, tmp_path / "plan.yaml").plan.checks == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x: [", "1:5: a [ or { is not closed by the bracket that belongs to it: it was opened on line 1"),
        ("a: 1\nx: [\n", "it was opened on line 2; close it"),
        ("x: {", "1:5: a [ or { is not closed"),
        ("x: [}", "1:5: a [ or { is not closed"),
        ("x: ]", "1:4: there is no [ that this ] closes"),
        ("x: ,", "1:4: a text cannot start with a comma"),
        ("%FOO\nx: 1", "2:1: a plan starts with its first key"),
        ("x: !a!b c", "1:4: a text that starts with `!` needs quotes"),
        ("x: !<", "a text that starts with `!` needs quotes"),
    ],
)
def test_a_mistake_in_the_notation_is_told_in_plain_words_with_its_place(text: str, said: str) -> None:
    complaint = _complaint(text)
    assert said in complaint
    assert not [word for word in ("node", "token", "stream", "scalar", "expected the") if word in complaint]


def test_a_value_that_cannot_be_read_is_complained_of_once() -> None:
    text = "schema: 1\nid: p\ntitle: P\nphases: [{id: a, steps: [{id: s, run: 'true', effect: read, timeout: .inf}]}]\n"
    with pytest.raises(PlanError) as refused:
        load_plan_text(text, Path("plan.yaml"))
    assert len(refused.value.problems) == 1
    assert ".inf is not a number that can be used here" in str(refused.value.problems[0])
