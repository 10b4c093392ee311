"""Words that a plan no longer takes: each is named with the one that took its place, and said once."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.document import Document, read_document
from switchover.plan.loader.former_words import FORMER_WORDS, FormerWord, refuse_former_words
from switchover.plan.loader.load import load_plan_text
from switchover.plan.named_kinds import COMING, METRIC_SOURCES
from switchover.plan.type_errors import fields_at
from switchover_checks.language.declared import declared

WORDS = {
    "": {"olds": FormerWord("news")},
    "news.*": {
        "type": FormerWord("kind"),
        "retry": FormerWord("within", "it is one duration", same_form=False),
        "env": FormerWord("side", only=lambda holder: isinstance(holder["env"], str)),
    },
}


def refused(text: str) -> tuple[Document, list[str]]:
    document = read_document(text)
    complaints = refuse_former_words(document, WORDS)
    said = []
    for complaint in complaints:
        line, column = document.place(complaint.path, at_key=complaint.at_key)
        said.append(f"{line}:{column} {complaint.path[-1]}: {complaint.message}")
    return document, said


def test_a_former_word_is_refused_at_its_place_with_the_word_of_today() -> None:
    _, said = refused("news:\n  a:\n    type: http\n")

    assert said == ["3:5 type: this key is called 'kind' now"]


def test_what_stands_under_a_former_word_is_judged_on_under_the_word_of_today() -> None:
    document, said = refused("olds:\n  a: {type: http}\n")

    assert said == ["1:1 olds: this key is called 'news' now", "2:7 type: this key is called 'kind' now"]
    assert document.root is not None
    assert document.root.data == {"news": {"a": {"kind": "http"}}}
    assert document.place(("news", "a", "kind")) == (2, 13)


def test_a_value_of_another_form_is_not_judged_on() -> None:
    document, said = refused("news: {a: {retry: {for: 1m}}}\n")

    assert said == ["1:12 retry: this key is called 'within' now: it is one duration"]
    assert document.root is not None
    assert document.root.data == {"news": {"a": {}}}


def test_a_word_that_is_still_right_in_another_form_stays() -> None:
    document, said = refused("news: {a: {env: {A: b}}, b: {env: before}}\n")

    assert said == ["1:30 env: this key is called 'side' now"]
    assert document.root is not None
    assert document.root.data == {"news": {"a": {"env": {"A": "b"}}, "b": {"side": "before"}}}


def test_a_former_word_behind_an_anchor_is_said_once() -> None:
    _, said = refused("news:\n  a: &one {type: http}\n  b: *one\n")

    assert said == ["2:12 type: this key is called 'kind' now"]


KEYS_OF_KINDS = ("env", "side")


def keys_at(place: str) -> list[str]:
    """Return the keys that a place takes; `*` is an index or a name there."""
    choices: list[tuple[str | int, ...]] = [(0, "*") if part == "*" else (part,) for part in place.split(".") if part]
    return next((keys for path in product(*choices) if (keys := fields_at(path))), [])


def test_every_word_of_today_is_a_key_of_its_place() -> None:
    wrong = [
        f"{place}.{key}"
        for place, words in FORMER_WORDS.items()
        for key, word in words.items()
        if word.same_form and word.now not in (*keys_at(place), *KEYS_OF_KINDS)
    ]

    assert wrong == []


def test_ways_back_and_promises_of_the_first_edition_are_told_what_to_write(tmp_path: Path) -> None:
    text = (
        "schema: 1\nid: p\ntitle: P\nphases: [{id: a, steps: [{id: s, run: 'true', effect: creates}]}]\n"
        "rollback_plans: {quick: {title: Q, budget: 5m, data_loss_window: all, steps: [{compensate: [a]}]}}\n"
        "performance: {fast: {title: F, before: 5, after: {value: 4}, target: after < before}}\n"
    )
    with pytest.raises(PlanError) as refused:
        load_plan_text(text, tmp_path / "p.yaml")

    assert [f"{p.line} {p.path}: {p.message}" for p in refused.value.problems] == [
        "5 rollback_plans: this key is called 'rollbacks' now",
        "5 rollbacks.quick.budget: this key is called 'within' now",
        "5 rollbacks.quick.data_loss_window: this key is called 'loses' now",
        "5 rollbacks.quick.steps[0].compensate: this key is called 'rollback' now",
        "6 performance: this key is called 'promises' now",
        "6 promises.fast.before: write {value: 5}",
    ]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("alerts: [{when: a == CRIT}]", "4 alerts: each alert has a name now: write `alerts: {NAME: {when: …}}`"),
    ],
)
def test_what_has_another_form_or_is_not_there_yet_is_told_at_its_line(tmp_path: Path, part: str, said: str) -> None:
    with pytest.raises(PlanError) as refused:
        load_plan_text(f"schema: 1\nid: p\ntitle: P\n{part}\n", tmp_path / "p.yaml")

    assert [f"{p.line} {p.path}: {p.message}" for p in refused.value.problems] == [said]


def test_a_kind_that_comes_later_is_named_so_at_its_place(tmp_path: Path) -> None:
    coming = sorted(COMING[METRIC_SOURCES] - declared(METRIC_SOURCES).keys())
    metrics = ", ".join(f"m{n}: {{kind: {kind}}}" for n, kind in enumerate(coming))
    text = f"schema: 1\nid: a\ntitle: A\nmetrics: {{m: {{kind: nowhere}}, {metrics}}}\n"
    with pytest.raises(PlanError) as wrong:
        load_plan_text(text, tmp_path / "p.yaml")
    said = [f"metrics.m{n}.kind: a metric of kind {kind} is not there yet" for n, kind in enumerate(coming)]
    found = [str(problem) for problem in wrong.value.problems]
    assert [one for one in said if not any(one in problem for problem in found)] == []
    assert "there is no metric of kind 'nowhere'" in found[0]
