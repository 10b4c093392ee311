"""`switchover explain`: each key with its meaning and an example, in 80 plain columns, from the loader's own schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.warm_program import run_switchover

import switchover
from switchover.cli import parser as cli
from switchover.cli.explain.explain_pages import PAGES
from switchover.cli.explain.key_examples import KeyExamples, lines_of_key
from switchover.cli.explain.reference import PLAN, Reference
from switchover.cli.explain.topic_text import list_text, topic_text
from switchover.cli.explain.topics import KeyTopic, KindTopic, Matches, PartTopic, Topic, find_topic
from switchover.errors import UsageError
from switchover.plan.loader.load import load_plan
from switchover.plan.loader.schema_in_words import meaning

ALL = Reference()
EXAMPLES = KeyExamples(ALL.parts)


def topics() -> Iterator[tuple[str, Topic]]:
    """Yield all that there is, as it is asked for."""
    for name, part in ALL.parts.items():
        for key in part.keys:
            also_a_kind = key in ALL.kinds(name)
            yield f"{part.name}.{key}.{key}" if also_a_kind else f"{part.name}.{key}", KeyTopic(name, key)
        for kind_name, kind in ALL.kinds(name).items():
            yield f"{part.name}.{kind_name}", KindTopic(kind)
            for key in kind.keys if name != "Service" else ():
                if key not in part.keys:
                    yield f"{part.name}.{kind_name}.{key}", KeyTopic(name, key, kind)


def explained(asked: str) -> str:
    return topic_text(ALL, find_topic(ALL, asked), EXAMPLES)


def test_every_key_and_kind_is_found_by_its_name_and_has_a_meaning_and_an_example() -> None:
    found = list(topics())
    assert len(found) > 300
    without = []
    for asked, topic in found:
        text = topic_text(ALL, topic, EXAMPLES)
        if "\nexample\n" not in text:
            without.append(asked)
        assert topic_text(ALL, find_topic(ALL, asked), EXAMPLES) == text, asked
    assert without == []


def test_an_example_shows_its_key_and_every_key_has_a_meaning() -> None:
    assert len(ALL.parts) > 20
    for name, part in ALL.parts.items():
        for key, schema in part.keys.items():
            assert f"{key}:" in EXAMPLES.of(name, key), (name, key)
            assert meaning(schema) or key in ("type", "kind"), (name, key)
        for kind_name, kind in ALL.kinds(name).items():
            for key in kind.keys:
                own = lines_of_key(kind.example, key) if kind.example else ""
                assert f"{key}:" in (own or EXAMPLES.of(name, key, kind_name)), (name, kind_name, key)


def test_the_example_plan_is_right() -> None:
    assert load_plan(Path(switchover.__file__).parent / "examples" / "every_key.yaml").plan.id == "shop-move"


def test_the_text_is_80_columns_wide_but_for_lines_of_an_example() -> None:
    texts = [list_text(ALL), *(explained(asked) for asked in (*PAGES, *ALL.names, "check.http", "ranges"))]
    for text in texts:
        said = text.partition("\nexample\n")[0]
        assert max(map(len, said.splitlines())) <= 80, said


@pytest.mark.parametrize(
    ("asked", "begins"),
    [
        ("step.on_unknown", "step.on_unknown  (phases[].steps[].on_unknown)\n"),
        ("phases[0].steps[1].on_unknown", "step.on_unknown  (phases[].steps[].on_unknown)\n"),
        ("on_unknown", "step.on_unknown"),
        ("step.on_unknown.verify", "verify.verify  (phases[].steps[].on_unknown.verify)\n"),
        ("step.rollback.undone_by", "undone_by.undone_by  (phases[].steps[].rollback.undone_by)\n"),
        ("phases[0].steps[1].rollback.timeout", "rollback_action.timeout"),
        ("Step", "step  (phases[].steps[])"),
        ("check.http", "check.http  (checks.NAME, kind: http)"),
        ("checks.http", "check.http  (checks.NAME, kind: http)"),
        ("check.http.bearer", "check.http.bearer  (checks.NAME.bearer, kind: http)"),
        ("checks.api_up.every", "check.every"),
        ("service.docker", "service.docker"),
        ("metric.prometheus.query", "metric.prometheus.query"),
        ("notifier.command", "notifier.command"),
        ("phases", "phases\n"),
        ("plan", "plan\n"),
        ("rollbacks.quick.within", "rollback.within"),
        ("step.confirm.cooldown", "confirm.cooldown"),
        ("`gate:`", "gate  (phases[].gate)"),
        ("expressions", "Expressions\n"),
        ("expressions.ranges", "Ranges\n"),
        ("templates", "Templates\n"),
    ],
)
def test_what_is_meant_is_found_as_a_person_or_an_error_writes_it(asked: str, begins: str) -> None:
    if asked == "expressions":
        begins = "expect: what an observation must be\n"
    assert explained(asked).startswith(begins), explained(asked)


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("step.on_unknwon", "did you mean 'step.on_unknown'?"),
        ("stp", "did you mean 'step'?"),
        ("check.htpp", "did you mean 'check.http'?"),
        ("check.http.expct", "did you mean 'check.http.expect'?"),
        ("on_unknwon", "did you mean 'on_unknown'?"),
        ("expresions", "did you mean 'expressions'?"),
        ("gate.zzzz", "it has require, prove, hold"),
        ("qqqqqq", "`switchover explain` lists all"),
        ("...", "explain what?"),
    ],
)
def test_a_near_miss_is_answered_with_what_is_near(asked: str, near: str) -> None:
    with pytest.raises(UsageError) as found:
        find_topic(ALL, asked)
    assert near in f"{found.value.title}\n{found.value.hint}"


def test_a_name_in_several_places_lists_them() -> None:
    topic = find_topic(ALL, "http")
    assert isinstance(topic, Matches)
    assert topic.names == ("service.http", "check.http")
    for name in topic.names:
        assert isinstance(find_topic(ALL, name), KindTopic)
    assert isinstance(find_topic(ALL, PLAN), PartTopic)


def test_our_own_words_about_passwords_are_not_taken_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "check.http"]) == 0
    said = capsys.readouterr().out
    assert "  bearer  text\n" in said
    assert "(secret)" not in said


def test_the_kinds_of_a_plan_are_explained_without_being_executed(tmp_path: Path) -> None:
    (tmp_path / "queue.py").write_text(
        "raise SystemExit('executed')\nfrom dataclasses import dataclass\n"
        "@dataclass(frozen=True)\nclass QueueConfig:\n    path: str\n    most: int = 100\n"
        "class QueueCheck:\n    kind = 'queue'\n    effect = 'read'\n    config = QueueConfig\n"
        "    async def probe(self, cfg, ctx):\n        pass\n"
    )
    (tmp_path / "p.yaml").write_text("schema: 1\ncheck_modules: [queue.py]\n")
    done = run_switchover("explain", "check.queue", "--plan", tmp_path / "p.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n  most  " in done.stdout
    assert "\x1b" not in done.stdout
