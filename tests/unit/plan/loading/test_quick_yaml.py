"""YAML is read by libyaml where that gives the same; wherever it could not, the exact parser reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchover.plan.loader import document
from switchover.plan.loader.document import Node, read_document
from switchover.plan.loader.yaml_events import exact_events, quick_events

WHOLE = (Path(__file__).parent.parent / "fixtures" / "worked_example.yaml").read_text(encoding="utf-8")
PARTS = (
    *WHOLE.splitlines(keepends=True),
    "a: 1\n", "b: [x, 'y', \"z\"]\n", "  c: |\n", "    text\n", "\n", "  - &one {a: b}\n", "  - *one\n", "# note\n",
    "\t", ": ", "- ", "? ", "! ", "'", '"', "{", "}", "[", "]", ",", "#", "---\n", "...\n", "%", "\x85", "é", "\ufeff",
    "*a :", "&a1: ", "> #\n", "|-\n",
)  # fmt: skip


def flat(node: Node | None) -> Any:
    if node is None:
        return None
    own = (node.line, node.column, repr(node.data), node.weight, node.blank)
    items = [flat(item) for item in node.items] if node.items is not None else None
    entries = [(flat(key), flat(value)) for key, value in node.entries.values()] if node.entries is not None else None
    return own, items, entries


def no_quick_events(_: str) -> Iterator[Any] | None:
    return None


def both(text: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    seen = []
    for quick in (quick_events, no_quick_events):
        with monkeypatch.context() as patch:
            patch.setattr(document, "quick_events", quick)
            found = read_document(text)
        seen.append((flat(found.root), found.complaints))
    return seen


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_any_text_means_the_same_to_both(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        quick, exact = both(text, patch)
    assert quick == exact


def test_a_whole_plan_is_read_quickly_and_means_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("_ruamel_yaml")
    events = quick_events(WHOLE)
    assert events is not None
    assert sum(1 for _ in events) == sum(1 for _ in exact_events(WHOLE))
    quick, exact = both(WHOLE, monkeypatch)
    assert quick == exact


@pytest.mark.parametrize(
    "text",
    ["a:\tb", "a: b\x85c: d", "? a", "a: !x b", "%YAML 1.1\n", "a: &b: c", "*a : b", "a: |#", "a: |\n\n b", "a: [? b]"],
)
def test_what_the_two_could_see_otherwise_is_left_to_the_exact_one(text: str) -> None:
    assert quick_events(text) is None
