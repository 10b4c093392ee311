from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from switchover.agent.process.lifecycle import ensure_agent, start
from switchover.app import load
from switchover.errors import NotTrustedError, UsageError
from switchover.locations import workspace_for
from switchover.trust import TrustStore, choose_plan, digest_of, find_plan, trusted_digest
from switchover_checks.runtime.local_code import LocalCode


class Person:
    """Answers, and remembers what was asked."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, question: str) -> str:
        self.asked.append(question)
        return self.answer


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "switchover.yaml").write_text("schema: 1\n")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_a_plan_that_is_named_is_trusted_by_being_named(here: Path, root: Path) -> None:
    person = Person("no")
    assert choose_plan(str(here / "switchover.yaml"), root, here, person) == here / "switchover.yaml"
    assert person.asked == []
    assert not root.exists()


def test_a_plan_that_is_found_is_asked_about_once(here: Path, root: Path) -> None:
    person = Person("yes\n")
    assert choose_plan(None, root, here, person) == here / "switchover.yaml"
    assert choose_plan(None, root, here, person) == here / "switchover.yaml"
    assert len(person.asked) == 1
    assert digest_of(here / "switchover.yaml")[:16] in person.asked[0]


def test_a_changed_plan_asks_again_and_says_that_it_changed(here: Path, root: Path) -> None:
    choose_plan(None, root, here, Person("yes"))
    (here / "switchover.yaml").write_text("schema: 1\nid: other\n")
    person = Person("yes")
    choose_plan(None, root, here, person)
    assert "has changed since you trusted it" in person.asked[0]


@pytest.mark.parametrize("answer", ["", "no", "y", "yess"])
def test_anything_but_yes_opens_nothing(here: Path, root: Path, answer: str) -> None:
    with pytest.raises(NotTrustedError, match="nothing of it was run") as caught:
        choose_plan(None, root, here, Person(answer))
    assert caught.value.exit_code == 2
    assert not TrustStore(root).trusts(here / "switchover.yaml")


def test_a_plan_that_changes_while_the_question_stands_is_not_opened(here: Path, root: Path) -> None:
    def answer(question: str) -> str:
        (here / "switchover.yaml").write_text("evil: true\n")
        return "yes"

    with pytest.raises(NotTrustedError, match="changed while you were asked"):
        choose_plan(None, root, here, answer)
    assert not TrustStore(root).trusts(here / "switchover.yaml")


def test_without_a_plan_only_the_host_is_shown(tmp_path: Path, root: Path) -> None:
    assert choose_plan(None, root, tmp_path, Person("yes")) is None


def test_of_several_plans_one_must_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.plan.yaml").write_text("")
    assert find_plan(tmp_path) == tmp_path / "a.plan.yaml"
    (tmp_path / "b.plan.yaml").write_text("")
    with pytest.raises(UsageError, match=r"a\.plan\.yaml, b\.plan\.yaml"):
        find_plan(tmp_path)


def test_trust_is_kept_privately_and_foreign_trust_does_not_count(here: Path, root: Path) -> None:
    plan = here / "switchover.yaml"
    store = TrustStore(root)
    store.trust(plan, digest_of(plan))
    kept = root / "trusted.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert store.trusts(plan)
    kept.chmod(0o666)
    assert not store.trusts(plan)


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', "\x00", json.dumps({"x": {"y": []}})])
def test_a_damaged_store_trusts_nothing_and_can_be_written_again(here: Path, root: Path, content: str) -> None:
    plan = here / "switchover.yaml"
    root.mkdir()
    (root / "trusted.json").write_text(content)
    (root / "trusted.json").chmod(0o600)
    store = TrustStore(root)
    assert not store.trusts(plan)
    store.trust(plan, digest_of(plan))
    assert store.trusts(plan)


def test_the_same_content_elsewhere_is_another_plan(here: Path, root: Path, tmp_path: Path) -> None:
    plan = here / "switchover.yaml"
    TrustStore(root).trust(plan, digest_of(plan))
    other = tmp_path / "switchover.yaml"
    other.write_bytes(plan.read_bytes())
    assert not TrustStore(root).trusts(other)


def test_what_was_trusted_is_the_only_content_that_an_agent_takes(here: Path, root: Path) -> None:
    plan = here / "switchover.yaml"
    text = "schema: 1\nid: p\ntitle: P\nphases: [{id: a, steps: [{id: s, run: 'true', effect: read}]}]\n"
    plan.write_text(text)
    found = choose_plan(None, root, here, Person("yes"))
    digest = trusted_digest(None, found, root)
    assert digest == digest_of(plan)
    assert trusted_digest(str(plan), found, root) == ""
    assert load(plan, digest=digest).digest == digest
    plan.write_text(text.replace("'true'", "'rm -rf x'"))
    with pytest.raises(NotTrustedError, match="has changed since it was trusted"):
        load(plan, digest=digest)
    with pytest.raises(NotTrustedError, match="has changed since it was trusted"):
        ensure_agent(workspace_for(root, plan), plan, digest=digest)
    with pytest.raises(NotTrustedError, match="has changed since it was trusted"):
        start(workspace_for(root, plan), plan, digest=digest, prefix=())


PLAN = """\
schema: 1
id: p
title: P
check_modules: [queue_kind.py]
phases: [{id: a, steps: [{id: s, run: 'true', effect: read}]}]
"""
KIND = """\
import helper

class QueueCheck:
    kind = "queue"
    effect = "read"
    config = None

    async def probe(self, cfg, ctx):
        return None
"""


@pytest.fixture
def loading(here: Path) -> Path:
    """A plan that loads a module, which imports another."""
    (here / "queue_kind.py").write_text(KIND)
    (here / "helper.py").write_text("VALUE = 1\n")
    (here / "switchover.yaml").write_text(PLAN)
    return here / "switchover.yaml"


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("queue_kind.py", f"{KIND}\nprint()"),
        ("helper.py", "VALUE = 2\n"),
        ("switchover.yaml", PLAN.replace("title: P", "title: Q")),
    ],
)
def test_trust_covers_what_a_plan_loads_and_says_what_changed_since_when(
    loading: Path, root: Path, name: str, edit: str
) -> None:
    first = Person("yes")
    choose_plan(None, root, loading.parent, first)
    assert "It loads helper.py, queue_kind.py." in first.asked[0]
    plan, code = digest_of(loading).split("+")
    assert f"sha256 {plan[:16]}…+{code[:16]}…" in first.asked[0]
    assert choose_plan(None, root, loading.parent, Person("no")) == loading
    digest = trusted_digest(None, loading, root)
    (loading.parent / name).write_text(edit)
    with pytest.raises(NotTrustedError, match="has changed since it was trusted"):
        load(loading, digest=digest)
    person = Person("no")
    with pytest.raises(NotTrustedError, match="nothing of it was run"):
        choose_plan(None, root, loading.parent, person)
    at = json.loads((root / "trusted.json").read_text())[str(loading.resolve())]["at"]
    assert f"has changed since you trusted it on {at}: {name}.\n" in person.asked[0]


def test_what_is_loaded_newly_or_no_more_is_named_too(loading: Path, root: Path) -> None:
    choose_plan(None, root, loading.parent, Person("yes"))
    (loading.parent / "other.py").write_text("")
    (loading.parent / "queue_kind.py").write_text(KIND.replace("helper", "other"))
    person = Person("yes")
    choose_plan(None, root, loading.parent, person)
    assert ": other.py, queue_kind.py, helper.py (no longer loaded).\n" in person.asked[0]
    assert TrustStore(root).trusts(loading)


def test_a_module_named_through_an_escape_is_found_too(loading: Path, root: Path) -> None:
    loading.write_text(PLAN.replace("check_modules", '"check\\u005fmodules"'))
    assert load(loading).code.files
    assert "+" in digest_of(loading)


def test_a_module_that_changes_while_the_question_stands_is_not_trusted(loading: Path, root: Path) -> None:
    def answer(question: str) -> str:
        (loading.parent / "helper.py").write_text("evil = True\n")
        return "yes"

    with pytest.raises(NotTrustedError, match="changed while you were asked"):
        choose_plan(None, root, loading.parent, answer)
    assert not TrustStore(root).trusts(loading)


def test_a_plan_without_modules_is_known_by_its_own_digest(here: Path) -> None:
    content = (here / "switchover.yaml").read_bytes()
    assert digest_of(here / "switchover.yaml") == hashlib.sha256(content).hexdigest()


def test_a_link_in_the_place_of_the_store_is_neither_believed_nor_followed(here: Path, root: Path) -> None:
    plan, elsewhere = here / "switchover.yaml", here / "elsewhere.json"
    store = TrustStore(root)
    store.trust(plan, digest_of(plan))
    (root / "trusted.json").rename(elsewhere)
    (root / "trusted.json").symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    assert not store.trusts(plan)
    store.trust(plan, "other")
    assert elsewhere.read_bytes() == before
    assert not (root / "trusted.json").is_symlink()


def test_a_plan_and_what_it_loads_stay_what_they_were_when_it_was_opened(loading: Path) -> None:
    opened = load(loading)
    (loading.parent / "helper.py").write_text("VALUE = 2\n")
    edited = load(loading)
    assert edited.code.as_before(opened.code).files == opened.code.files
    assert not edited.code.as_before(LocalCode(closed=True)).files
