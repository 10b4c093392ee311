"""The lines of the shipped example plan in which a key stands: the example of that key."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import switchover
from switchover.cli.explain.reference import PLAN, Part
from switchover.plan.loader.document import Node, read_document
from switchover.plan.loader.schema_in_words import parts_named_in

__all__ = ["KeyExamples", "lines_of_key"]

_MOST_LINES = 12
_ELSEWHERE = {
    (PLAN, "check_modules"): "check_modules: [checks/queue_kind.py]",
    ("CostLineSpec", "question"): "{name: workers, side: after, stated: ~20 EUR/month, question: all three or each?}",
    ("LiveProbe", "file"): "live: {file: /etc/shop/live-side}",
    ("LiveProbe", "symlink"): "live: {symlink: /srv/shop/current}",
    ("LiveProbe", "dns"): "live: {dns: shop.example.org, answers: {before: 192.0.2.1}}",
    ("LiveProbe", "record"): "live: {dns: shop.example.org, record: CNAME}",
    ("LiveProbe", "server"): "live: {dns: shop.example.org, server: 192.0.2.53}",
    ("LiveProbe", "answers"): "answers: {before: 192.0.2.1, after: [192.0.2.2, 192.0.2.3]}",
    ("LiveProbe", "run"): "live: {run: ./scripts/live-side.sh, every: 1m}",
}


class KeyExamples:
    """Finds where the example plan uses a key, alone or in a part of a kind."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        text = (Path(switchover.__file__).parent / "examples" / "every_key.yaml").read_text(encoding="utf-8")
        self._parts = parts
        self._lines = text.splitlines()
        self._found: dict[tuple[str, str, str], tuple[int, int]] = {}
        root = read_document(text).root
        if root is not None:
            for part, kind, key, line, column in self._keys(PLAN, root):
                self._found.setdefault((part, kind, key), (line, column))
                self._found.setdefault((part, "", key), (line, column))

    def of(self, part: str, key: str, kind: str = "") -> str:
        """Return the lines that show a key; empty where there are none."""
        if (part, key) in _ELSEWHERE:
            return _ELSEWHERE[part, key]
        place = self._found.get((part, kind, key))
        return _from(self._lines, place) if place is not None else ""

    def of_kind(self, part: str, kind: str) -> str:
        """Return the lines of a whole part of this kind."""
        key = self._parts[part].kind_key
        place = self._found.get((part, kind, key))
        if place is None:
            return ""
        start = place[0]
        if not self._lines[start - 1].lstrip().startswith(key):
            return _from(self._lines, place)  # all of it stands in one line
        return _from(self._lines, (start - 1, 0))

    def _keys(self, part: str, node: Node) -> Iterator[tuple[str, str, str, int, int]]:
        known = self._parts[part]
        chosen = node.child(known.kind_key) if known.kind_key else None
        kind = str(chosen.data) if chosen is not None else ""
        for name, (key, value) in (node.entries or {}).items():
            yield part, kind, name, key.line, key.column
            parts = parts_named_in(known.keys.get(name))
            if not parts:
                continue
            inside = next((one for one in parts if self._parts[one].keys.keys() & (value.entries or {})), parts[0])
            if value.items is not None:
                held = value.items
            elif "$ref" in str(known.keys[name].get("additionalProperties", known.keys[name].get("patternProperties"))):
                held = [entry for _, entry in (value.entries or {}).values()]
            else:
                held = [value]
            for one in held:
                for member in one.items if one.items is not None else (one,):
                    yield from self._keys(inside, member)


def lines_of_key(text: str, key: str) -> str:
    """Return the lines of one key of a kind's own example; empty where it is not there."""
    root = read_document(text).root
    entry = (root.entries or {}).get(key) if root is not None else None
    return _from(text.splitlines(), (entry[0].line, entry[0].column)) if entry is not None else ""


def _from(lines: list[str], place: tuple[int, int]) -> str:
    """Return the line at a place, and those below that belong to it."""
    first = lines[place[0] - 1]
    column = len(first) - len(first.lstrip("- "))
    shown = [" " * column + first.lstrip("- ")]
    for line in lines[place[0] :]:
        indent = len(line) - len(line.lstrip())
        if line.strip() and not (indent > column or (indent == column and line.lstrip().startswith("- "))):
            break
        shown.append(line)
    if len(shown) > _MOST_LINES:
        shown = [*shown[:_MOST_LINES], " " * (column + 2) + "# …"]
    return textwrap.dedent("\n".join(shown)).rstrip()
