"""YAML text as a tree of nodes with their positions: the strict subset that a plan may use.

Built from the parser's events with a stack, so that neither depth nor aliases can exhaust anything. Scalars follow the
JSON schema of YAML 1.2. `true`, `null`, `42` and `1.5` mean what they say; `yes`, `on`, `007` and dates are text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from switchover.plan.complaints import Complaint, Path
from switchover.plan.field_types import WrittenNumber
from switchover.plan.loader.syntax_errors import explain_syntax_error
from switchover.plan.loader.yaml_events import exact_events, quick_events

__all__ = ["MAX_DEPTH", "MAX_NODES", "Document", "Node", "NodeOrigin", "read_document"]

MAX_DEPTH = 32
MAX_NODES = 150_000

_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")
_NOT_FINITE = frozenset({".nan", ".inf", "+.inf", "-.inf"})
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_TEXT_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})


@dataclass(frozen=True, slots=True)
class NodeOrigin:
    """The file that a value comes from (its path from the plan's folder), and where it is brought in."""

    file: str
    said: str


@dataclass(slots=True)
class Node:
    """A value with its place (from 1), its plain data, and its size when all aliases are written out."""

    line: int
    column: int
    data: Any = None
    weight: int = 1
    blank: bool = False
    items: list[Node] | None = None
    entries: dict[str, tuple[Node, Node]] | None = None  # key text -> (key, value)
    source: NodeOrigin | None = None  # None in the plan's own file

    def child(self, part: str | int) -> Node | None:
        """Return the value under a key or an index."""
        if isinstance(part, str):
            return self.entries[part][1] if self.entries is not None and part in self.entries else None
        return self.items[part] if self.items is not None and part < len(self.items) else None


@dataclass(slots=True)
class Document:
    """A whole file: its root (None when nothing could be read) and what is wrong with it as YAML.

    `former` holds the places of keys that were taken out, because another word has taken their place.
    """

    root: Node | None
    complaints: list[tuple[int, int, Complaint]] = field(default_factory=list)
    former: dict[Path, Node] = field(default_factory=dict)

    def place(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Return line and column of the value at `path`, or of the nearest part of the path that is there."""
        node = self.node(path, at_key=at_key)
        return (node.line, node.column) if node is not None else (0, 0)

    def node(self, path: Path, *, at_key: bool = False) -> Node | None:
        """Return the value at `path`, or the nearest part of the path that is there; with `at_key`, its key."""
        node = self.root
        if node is None or path in self.former:
            return self.former.get(path)
        for number, part in enumerate(path):
            child = node.child(part)
            if child is None:
                break
            last = number == len(path) - 1
            if last and at_key and isinstance(part, str) and node.entries is not None:
                return node.entries[part][0]
            node = child
        return node

    def known_part(self, path: Path) -> Path:
        """Return the longest start of `path` that stands in the file."""
        node = self.root
        for number, part in enumerate(path):
            node = node.child(part) if node is not None else None
            if node is None:
                return path[:number]
        return path


class _StopError(Exception):
    """The file goes beyond a limit; what was read so far is not used."""


@dataclass(slots=True)
class _Frame:
    node: Node
    path: Path
    anchor: str | None
    key: Node | None = None
    merges: list[Node] = field(default_factory=list)


class _Builder:
    def __init__(self) -> None:
        self.document = Document(None)
        self.stack: list[_Frame] = []
        self.anchors: dict[str, Node | None] = {}
        self.count = 0
        self.documents = 0

    def complain(self, place: Node, message: str, path: Path | None = None) -> None:
        where = self._path() if path is None else path
        self.document.complaints.append((place.line, place.column, Complaint(where, message)))

    def _path(self) -> Path:
        if not self.stack:
            return ()
        frame = self.stack[-1]
        if frame.node.items is not None:
            return (*frame.path, len(frame.node.items))
        return (*frame.path, str(frame.key.data)) if frame.key is not None else frame.path

    def feed_all(self, events: Iterator[Any]) -> None:
        """Take in all events. Beyond a limit nothing is left of them but what is said about it."""
        try:
            for event in events:
                self.feed(event)
        except _StopError:
            self.document.root = None

    def feed(self, event: Any) -> None:
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.complain(_place(event), "a second document starts here; a plan is one document, remove the `---`")
                raise _StopError
        elif isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, ScalarEvent):
            self._count(event)
            node = self._scalar(event)
            if event.anchor:
                self.anchors[event.anchor] = node
            self._attach(node)
        elif isinstance(event, SequenceStartEvent | MappingStartEvent):
            self._open(event)
        elif isinstance(event, SequenceEndEvent | MappingEndEvent):
            self._close()

    def _count(self, event: NodeEvent) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            self.complain(_place(event), f"the plan holds more than {MAX_NODES:,} values; no plan needs that", ())
            raise _StopError

    def _open(self, event: SequenceStartEvent | MappingStartEvent) -> None:
        self._count(event)
        node = _place(event)
        if len(self.stack) >= MAX_DEPTH:
            self.complain(node, f"nested deeper than {MAX_DEPTH} levels; no plan needs that", ())
            raise _StopError
        if event.tag is not None:
            self.complain(node, f"tags such as {str(event.tag)[:40]!r} are not used in a plan; remove it")
        frame = _Frame(node, self._path(), event.anchor)
        if isinstance(event, SequenceStartEvent):
            node.items, node.data = [], []
        else:
            node.entries, node.data = {}, {}
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(frame)

    def _close(self) -> None:
        frame = self.stack.pop()
        for source in frame.merges:
            self._merge(frame, source)
        if frame.anchor:
            self.anchors[frame.anchor] = frame.node
        self._attach(frame.node)

    def _alias(self, event: AliasEvent) -> None:
        place = _place(event)
        name = str(event.anchor)
        if name not in self.anchors:
            self.complain(place, f"there is no anchor &{name[:40]} before this *{name[:40]}")
            self._attach(place)
            return
        target = self.anchors[name]
        if target is None:
            self.complain(place, f"*{name[:40]} stands inside the value that it names; it would never end")
            raise _StopError
        self._attach(target)

    def _attach(self, node: Node) -> None:
        if not self.stack:
            self.document.root = node
            return
        frame = self.stack[-1]
        frame.node.weight += node.weight
        if frame.node.weight > MAX_NODES:
            self.complain(frame.node, f"its aliases stand for more than {MAX_NODES:,} values; write less with them")
            raise _StopError
        if frame.node.items is not None:
            frame.node.items.append(node)
            frame.node.data.append(node.data)
        elif frame.key is None:
            frame.key = self._key(node)
        else:
            self._entry(frame, frame.key, node)
            frame.key = None

    def _key(self, node: Node) -> Node:
        if node.items is not None or node.entries is not None:
            # What was said about the inside of such a key follows from the same mistake.
            start = (node.line, node.column)
            self.document.complaints = [c for c in self.document.complaints if c[:2] < start]
            outer = self.stack[-1].node
            if node.entries is not None and (outer.line, outer.column) == (node.line, node.column - 1):
                self.complain(outer, 'a text that starts with {{ needs quotes: "{{ name }}"')
            else:
                self.complain(node, "a key must be plain text, not a list or a mapping")
            return Node(node.line, node.column, f"<key on line {node.line}>", weight=-1)
        return node

    def _entry(self, frame: _Frame, key: Node, value: Node) -> None:
        entries = frame.node.entries
        if entries is None:
            return
        name = str(key.data)
        path = (*frame.path, name)
        if name == "<<" and not key.blank:
            sources = value.items if value.items is not None else [value]
            if any(source.entries is None for source in sources):
                self.complain(value, "<< takes a mapping or a list of mappings", path)
            else:
                frame.merges.extend(sources)
        elif key.blank:
            self.complain(key, "a key is missing before the `:`", frame.path)
        elif name in entries:
            self.complain(
                key, f"{name[:60]!r} is already set on line {entries[name][0].line}; remove one of the two", path
            )
        else:
            if value.blank and frame.path and key.weight > 0:
                self.complain(key, "there is no value after the `:`; write one or remove the key", path)
            entries[name] = (key, value)
            frame.node.data[name] = value.data

    def _merge(self, frame: _Frame, source: Node) -> None:
        if frame.node.entries is None or source.entries is None:
            return
        for name, entry in source.entries.items():
            if name not in frame.node.entries:
                frame.node.entries[name] = entry
                frame.node.data[name] = entry[1].data

    def _scalar(self, event: ScalarEvent) -> Node:
        node = _place(event)
        text = event.value
        node.weight = 1 + len(text) // 64
        is_key = bool(self.stack) and self.stack[-1].node.entries is not None and self.stack[-1].key is None
        plain = bool(event.implicit[0])
        tag = str(event.tag) if event.tag is not None else None
        if tag is not None and tag not in _TEXT_TAGS:
            self.complain(node, f"tags such as {tag[:40]!r} are not used in a plan; remove it")
        if "\0" in text:
            self.complain(node, "a zero byte (\\0) cannot be used in a plan")
            text = text.replace("\0", "")
        if is_key:
            node.data = text
            node.blank = plain and not text
        elif tag in _TEXT_TAGS or not plain:
            node.data = text
        else:
            node.data, node.blank = self._resolve(text, node), not text
        return node

    def _resolve(self, text: str, node: Node) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if math.isfinite(number):
                return WrittenNumber(number, text)
        elif text.lower() not in _NOT_FINITE:
            return text
        self.complain(node, f"{text[:40]} is not a number that can be used here")
        return 0


def _place(event: Event) -> Node:
    return Node(event.start_mark.line + 1, event.start_mark.column + 1)


def read_document(text: str) -> Document:
    """Read YAML text into nodes. Never raises for bad text: all that is wrong stands in the document's complaints."""
    if (events := quick_events(text)) is not None:
        quick = _Builder()
        with suppress(Exception):  # wrong or not understood: the exact parser says what is wrong, and where
            quick.feed_all(events)
            return quick.document
    builder = _Builder()
    try:
        builder.feed_all(exact_events(text))
    except MarkedYAMLError as error:
        line, column, message = explain_syntax_error(error, text)
        builder.document.root = None
        builder.document.complaints.append((line, column, Complaint((), message)))
    except (YAMLError, ValueError, IndexError, AssertionError, AttributeError, TypeError) as error:
        # The parser has corners where it fails with something else than its own errors.
        builder.document.root = None
        builder.document.complaints.append(
            (0, 0, Complaint((), f"this cannot be read as YAML ({type(error).__name__})"))
        )
    return builder.document
