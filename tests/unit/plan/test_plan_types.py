"""A wrong type, key or value is told in plain words, at its place, with what to write instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Problems = Callable[[str], list[str]]


def test_the_worked_example_is_right(problems: Problems, example: str) -> None:
    assert problems(example) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('title: "Shop', 'titel: "Shop', "titel: unknown key; did you mean 'title'?"),
        ('title: "Shop', 'titel: "Shop', "title: the key 'title' is missing"),
        (
            "    timeout: 30m\n        effect: creates",
            "    timout: 30m\n        effect: creates",
            "phases[0].steps[0].timout: unknown key; did you mean 'timeout'?",
        ),
        (
            "timeout: 30m\n        effect: creates",
            "timeout: soon\n        effect: creates",
            "phases[0].steps[0].timeout: 'soon' is not a duration",
        ),
        (
            "timeout: 30m\n        effect: creates",
            "timeout: 0\n        effect: creates",
            "phases[0].steps[0].timeout: expected more than 0",
        ),
        (
            "timeout: 30m\n        effect: creates",
            "timeout: 900000d\n        effect: creates",
            "phases[0].steps[0].timeout: expected at most",
        ),
        (
            "effect: changes",
            "effect: change",
            "expected 'read', 'creates', 'changes' or 'destroys', found the text 'change'; did you mean 'changes'?",
        ),
        (
            "effect: destroys, confirm: {text",
            "effect: destroys, ask: {'1X': what}, confirm: {text",
            "troubleshooting[0].solutions[0].ask.1X: the name of an environment variable has only letters",
        ),
        ("persons: 2", "persons: 3", "confirm.persons: expected at most 2"),
        ("persons: 2", "persons: two", "confirm.persons: expected a whole number, found the text 'two'"),
        (
            "verify: [last_dump]",
            "verify: last_dump",
            "phases[0].steps[0].on_unknown.verify: expected a list, found the text 'last_dump'; write [last_dump]",
        ),
        ("LEVEL: 9", "LEVEL: 1.10", "phases[0].steps[0].env.LEVEL: expected text, found the number; put it in quotes"),
        ("LEVEL: 9", "LEVEL: true", "phases[0].steps[0].env.LEVEL: expected text, found true; put it in quotes"),
        (
            "LEVEL: 9",
            "LE-VEL: 9",
            "phases[0].steps[0].env.LE-VEL: the name of an environment variable has only letters, digits and _",
        ),
        ("owner: ops@example.org", "owner: 42", "owner: expected text, found the number 42; put it in quotes"),
        ("schema: 1", "schema: 2", "schema: expected 1, found the number 2"),
        ("schema: 1", "schema: '1'", "schema: expected 1, found the text '1'"),
        ("currency: USD", "currency: dollars", "costs.currency: a currency is three capital letters"),
        ("  disk: {kind", "  my disk: {kind", "checks.my disk: a name starts with a letter or _"),
        ("service: [pg, redis]", "service: 3", "checks.running.service: expected text or a list, found the number 3"),
        (
            "stated: 6.13 USD/month",
            "stated: cheap",
            "costs.lines[2].stated: an amount is written with its currency and its time: 15 USD/month",
        ),
        ("hold: 5m", "hold: -5", "gate.hold: a duration is not negative"),
        (
            'ref: "env:OLD_PASSWORD"',
            'reff: "env:OLD_PASSWORD"',
            "secrets.pg_old.reff: unknown key; did you mean 'ref'?",
        ),
        (
            "gate: {require: [api_up], human",
            "gate: {require: , human",
            "phases[3].gate.require: there is no value after the `:`",
        ),
    ],
)
def test_a_mistake_is_told_with_its_path(problems: Problems, example: str, old: str, new: str, expected: str) -> None:
    assert old in example
    found = problems(example.replace(old, new, 1))
    assert any(expected in problem for problem in found), found


def test_every_problem_names_line_and_column(problems: Problems, example: str) -> None:
    (problem,) = problems(example.replace("effect: changes", "effect: change"))
    line, column, _ = problem.split(":", 2)
    assert example.splitlines()[int(line) - 1][int(column) - 1 :].startswith("changes")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(problems: Problems, example: str) -> None:
    text = example.replace("schema: 1", "schema: 1\nsurprise: 1").replace("hold: 5m", "hold: soon")
    text = text.replace("require: [api_up, rows, sums, index]", "require: [api_up, row, sums, index]")
    text = text.replace("kind: disk", "kind: disc").replace("effect: creates, outputs", "outputs")
    found = problems(text)
    assert [p.split(": ")[1] for p in found] == [
        "surprise",
        "checks.disk.kind",
        "phases[1].steps[0]",
        "phases[2].gate.require[1]",
        "phases[2].gate.hold",
    ]


def test_one_mistake_is_told_once_and_drags_no_others_along(problems: Problems, example: str) -> None:
    assert len(problems(example.replace("{id: restore, run:", "{id: 're store', run:"))) == 1
    assert len(problems(example.replace("fail_after: 3", "fail_after: three"))) == 1
    (problem,) = problems(example.replace("  disk: {kind: disk,", "  disk: {kin: disk,"))
    assert "checks.disk.kind: the key 'kind' is missing; is 'kin' meant for it?" in problem
    assert len(problems(example.replace("schema: 1\n", ""))) == 1


def test_a_step_without_a_name_is_judged_all_the_same(problems: Problems, example: str) -> None:
    found = problems(example.replace("{id: restore, run:", "{run:").replace("effect: changes, rollback", "rollback"))
    assert [problem.split(": ", 1)[1].split(";")[0] for problem in found] == [
        "phases[2].steps[0].id: the key 'id' is missing",
        "phases[2].steps[0]: step 'unnamed_2_0' does not say its `effect`: one of read, creates, changes, destroys",
    ]


def test_a_whole_number_in_env_is_text(problems: Problems, example: str) -> None:
    assert problems(example.replace("LEVEL: 9", "LEVEL: 8080")) == []


def test_another_kind_of_yaml_file_is_told_what_a_plan_has(problems: Problems) -> None:
    found = problems("version: '3'\nservices:\n  web:\n    image: nginx\nvolumes: {}\n")
    assert any("the key 'schema' is missing" in p for p in found)
    assert any("services.web" in p and "kind" in p for p in found), found
    assert any("volumes: unknown key" in p for p in found)
