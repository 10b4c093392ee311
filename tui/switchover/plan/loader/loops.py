"""Writes loops out before anything is judged: a part with `each` becomes one part for each member, `NAME[member]`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from switchover.plan.complaints import Complaint, Path, did_you_mean
from switchover.plan.loader.document import MAX_NODES, Document, Node
from switchover.plan.loader.loop_values import LoopError, LoopMember, members_of
from switchover.plan.loader.looped_names import LoopedNames, Turn

__all__ = ["LOOPED_SECTIONS", "unfold_loops"]

LOOPED_SECTIONS = ("services", "checks", "metrics", "alerts", "promises")
_SHELL_KEYS = frozenset({"run", "command", "restore_test"})
_SLOT = re.compile(r"\{\{\s*each\.([A-Za-z_][\w-]*)((?:\.[A-Za-z_][\w-]*)*)\s*(\|\s*q\s*)?\}\}")


def unfold_loops(document: Document, *, looped: bool) -> list[Complaint]:
    """Write all loops of a plan out, in `document` itself. `looped` says that its text may hold any.

    Return what is wrong with them.
    """
    root = document.root
    if root is None or root.entries is None:
        return []
    unfolding = _Unfolding(document, root)
    unfolding.refuse_written_members()
    if looped and not unfolding.complaints:
        unfolding.run()
    return unfolding.complaints


@dataclass
class _Unfolding:
    document: Document
    root: Node
    complaints: list[Complaint] = field(default_factory=list)
    names: LoopedNames = field(default_factory=LoopedNames)
    written: int = 0

    def refuse_written_members(self) -> None:
        """Complain about names that only a loop gives."""
        for path, key in self._names():
            if "[" in key and re.fullmatch(r"[A-Za-z_][\w-]*\[[^\[\]]*\]", key):
                base = key.partition("[")[0]
                self.complaints.append(Complaint(path, f"only a loop makes {key[:60]!r}: write {base}: {{each: …}}"))

    def _names(self) -> Iterator[tuple[Path, str]]:
        for section in LOOPED_SECTIONS:
            part = self.root.child(section)
            yield from (((section, key), key) for key in (part.entries or {}) if part is not None) if part else ()
        for p, phase in enumerate(_items(self.root.child("phases"))):
            yield ("phases", p, "id"), _id(phase)
            yield from (
                (("phases", p, "steps", s, "id"), _id(step)) for s, step in enumerate(_items(phase.child("steps")))
            )

    def run(self) -> None:
        """Find all loops, then write them out."""
        for section in LOOPED_SECTIONS:
            part = self.root.child(section)
            for name, (_, node) in (part.entries or {}).items() if part is not None else ():
                self._note(self.names.parts, name, node, (section, name))
        for p, phase in enumerate(_items(self.root.child("phases"))):
            self._note(self.names.phases, _id(phase), phase, ("phases", p))
            for s, step in enumerate(_items(phase.child("steps"))):
                self._note(self.names.steps, _id(step), step, ("phases", p, "steps", s))
        if self.complaints or not self.names:
            return
        try:
            self._write_out()
        except LoopError as error:
            self._complain(error, ())

    def _note(self, found: dict[str, Any], name: str, node: Node, path: Path) -> None:
        each = node.child("each")
        if each is None:
            return
        try:
            found[name] = members_of(each, self.root)
        except LoopError as error:
            self._complain(error, (*path, "each"))

    def _complain(self, error: LoopError, path: Path) -> None:
        place = (*path, *(() if path else ("each",)))
        self.document.former[place] = error.node
        self.complaints.append(Complaint(place, str(error)))

    def _write_out(self) -> None:
        assert self.root.entries is not None
        phases = self.root.child("phases")
        self.names.home = {_id(s): _id(p) for p in _items(phases) for s in _items(p.child("steps"))}
        for key, (at, node) in list(self.root.entries.items()):
            if key in LOOPED_SECTIONS and node.entries is not None:
                made = Node(node.line, node.column, {}, entries={}, source=node.source)
                for name, (name_at, part) in node.entries.items():
                    for member_name, copy in self._members(name, part, self.names.parts, ()):
                        _put(made, member_name, name_at, copy)
            elif key == "phases" and node.items is not None:
                made = _list(node, [copy for phase in node.items for copy in self._phase(phase)])
            else:
                made = self._copy(node, (), key)
            self.root.entries[key] = (at, made)
            self.root.data[key] = made.data

    def _phase(self, phase: Node) -> Iterator[Node]:
        for name, copy in self._members(_id(phase), phase, self.names.phases, ()):
            yield _named(copy, name)

    def _members(
        self, name: str, part: Node, loops: Mapping[str, tuple[str, list[LoopMember]]], turns: tuple[Turn, ...]
    ) -> Iterator[tuple[str, Node]]:
        """Yield the name and the content of each member; of a part without a loop the part itself."""
        loop = loops.get(name) if part.child("each") is not None else None
        if loop is None:
            yield self.names.member(name, turns), self._copy(part, turns, name)
            return
        variable, members = loop
        for member in members:
            inner = (*turns, Turn(variable, member.key, member.value))
            yield self.names.member(name, inner), self._copy(part, inner, name, without="each")

    def _copy(self, node: Node, turns: tuple[Turn, ...], key: str, *, without: str = "") -> Node:
        """Return a value as it is in these turns. What holds nothing of a loop is the value itself."""
        self.written += 1
        if self.written > MAX_NODES:
            raise LoopError(node, f"its loops stand for more than {MAX_NODES:,} values; write less with them")
        if node.entries is not None:
            made = Node(node.line, node.column, {}, entries={}, source=node.source)
            for name, (at, value) in node.entries.items():
                if name == without:
                    continue
                if name == "steps" and key in self.names.home.values() and value.items is not None:
                    copy = _list(value, [one for step in value.items for one in self._steps(step, turns)])
                else:
                    copy = self._copy(value, turns, name)
                _put(made, name, at, self.names.referring(name, copy, turns))
            return made
        if node.items is not None:
            copies = [self._copy(item, turns, "" if key in _SHELL_KEYS else key) for item in node.items]
            return _list(node, copies)
        if isinstance(node.data, str) and "{{" in node.data:
            return self._filled(node, turns, key)
        return node

    def _steps(self, step: Node, turns: tuple[Turn, ...]) -> Iterator[Node]:
        for name, copy in self._members(_id(step), step, self.names.steps, turns):
            yield _named(copy, name)

    def _filled(self, node: Node, turns: tuple[Turn, ...], key: str) -> Node:
        text = self.names.outputs_in(node.data, turns)
        if not turns or key in _SHELL_KEYS or "each." not in text:
            return node if text == node.data else _scalar(node, text)
        whole = _SLOT.fullmatch(text.strip())
        if whole is not None and whole[3] is None:
            return _node_of(self._value(node, whole, turns), node)
        return _scalar(node, _SLOT.sub(lambda slot: self._text(node, slot, turns), text))

    def _text(self, node: Node, slot: re.Match[str], turns: tuple[Turn, ...]) -> str:
        value = self._value(node, slot, turns)
        if isinstance(value, dict | list):
            raise LoopError(node, f"{slot[0]} is no single value; name one of its keys")
        text = ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)
        return shlex.quote(text) if slot[3] is not None else text

    def _value(self, node: Node, slot: re.Match[str], turns: tuple[Turn, ...]) -> Any:
        turn = next((one for one in reversed(turns) if one.variable == slot[1]), None)
        if turn is None:
            known = [one.variable for one in turns]
            raise LoopError(node, f"{slot[0]} names no loop that this stands in{did_you_mean(slot[1], known)}")
        value = turn.value
        for part in slot[2].split(".")[1:]:
            if not isinstance(value, dict) or part not in value:
                hint = did_you_mean(part, value) if isinstance(value, dict) else ""
                raise LoopError(node, f"{slot[0]}: the member {turn.key!r} has no {part!r}{hint}")
            value = value[part]
        return value


def _items(node: Node | None) -> list[Node]:
    return (node.items or []) if node is not None else []


def _id(node: Node) -> str:
    name = node.child("id")
    return str(name.data) if name is not None else ""


def _named(node: Node, name: str) -> Node:
    """Give a phase or step the name of its member."""
    if node.entries is not None and "id" in node.entries and node.data["id"] != name:
        at, old = node.entries["id"]
        _put(node, "id", at, _scalar(old, name))
    return node


def _put(node: Node, key: str, at: Node, value: Node) -> None:
    assert node.entries is not None
    node.entries[key] = (at, value)
    node.data[key] = value.data


def _scalar(like: Node, data: Any) -> Node:
    return Node(like.line, like.column, data, like.weight, source=like.source)


def _list(like: Node, items: list[Node]) -> Node:
    return Node(like.line, like.column, [item.data for item in items], items=items, source=like.source)


def _node_of(value: Any, like: Node) -> Node:
    """Make the node of a plain value; all of it stands at the same place."""
    if isinstance(value, dict):
        made = Node(like.line, like.column, {}, entries={}, source=like.source)
        for key, item in value.items():
            _put(made, str(key), like, _node_of(item, like))
        return made
    return _list(like, [_node_of(item, like) for item in value]) if isinstance(value, list) else _scalar(like, value)
