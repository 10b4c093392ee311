"""The keys of a file that is read in, with their lines. Each ends up carried, or not carried for a reason."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from switchover.errors import UsageError

__all__ = ["Key", "KeyTally", "Source", "as_text", "read_source"]

_MOST_BYTES = 4 << 20
_MOST_KEYS = 50_000
_DEEPEST = 60
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_TEMPLATE_LINE = re.compile(r"^\s*(?:\{\{.*?\}\}\s*)+$")
_MARK = "\ue000"
_PLACE = tuple[str, tuple[str | int, ...]]
_RULES = re.compile(r"^groups:", re.MULTILINE)  # rules of a Prometheus: what their texts name, ours can name too
_LABEL = re.compile(r"\{\{-?\s*\$labels((?:\.\w+)?)\s*-?\}\}")
_VALUE = re.compile(r"\{\{-?\s*(?:printf\s+\\?[\"'`][^\"'`\n]{0,20}[\"'`]\s+)?\$value(?:\s*\|\s*\w+)*\s*-?\}\}")
NO_PLACE = "nothing in a plan stands for it"


@dataclass(slots=True)
class Key:
    """A value of a file. `item` is what carries it in the plan; without one, `why` says why nothing does."""

    file: str
    line: int
    path: str
    item: tuple[str, str] | None = None
    why: str = NO_PLACE


class KeyTally:
    """All keys of all files."""

    def __init__(self) -> None:
        self.keys: dict[_PLACE, Key] = {}
        self.notes: list[Key] = []

    @property
    def carried(self) -> list[Key]:
        """The keys that are in the plan."""
        return [key for key in self.keys.values() if key.item is not None]

    @property
    def lost(self) -> list[Key]:
        """The keys that are not, in the order of the files."""
        lost = [key for key in self.keys.values() if key.item is None]
        return sorted(lost, key=lambda key: (key.file, key.line, key.path))

    def give_up(self, item: tuple[str, str], why: str) -> None:
        """Note that an item is not in the plan after all."""
        for key in self.keys.values():
            if key.item == item:
                key.item, key.why = None, why


@dataclass(frozen=True, slots=True)
class Source:
    """A part of a file: a value, where it stands, and the tally that holds its keys."""

    tally: KeyTally
    file: Path
    path: tuple[str | int, ...]
    value: Any
    line: int

    def get(self, *names: str) -> Source | None:
        """Return what stands under the first of these names that is there."""
        return next((child for name in names for child in self.children() if child.path[-1] == name), None)

    def children(self) -> Iterator[Source]:
        """Yield what stands below, mapping or list."""
        if isinstance(self.value, Mapping):
            for name, value in self.value.items():
                yield self._child(_key_text(name), name, value)
        elif isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield self._child(index, index, value)

    def text(self, *names: str) -> str:
        """Return the text under one of these names; numbers as they are written, nothing else."""
        found = self.get(*names) if names else self
        return as_text(found.value) if found is not None else ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return str(self.path[-1]) if self.path else ""

    @property
    def templated(self) -> bool:
        """Whether a template of another language stands in it."""
        if any(_MARK in str(part) for part in self.path):
            return True
        return any(_MARK in as_text(leaf.value) or _MARK in leaf.name for leaf in self.leaves())

    def leaves(self) -> Iterator[Source]:
        """Yield the values below that hold no others; an empty mapping or list is one."""
        below = list(self.children())
        if not below:
            yield self
        for child in below:
            yield from child.leaves()

    def carry(self, item: tuple[str, str]) -> None:
        """Note that an item of the plan carries all of this."""
        for leaf in self.leaves():
            self.tally.keys[str(self.file), leaf.path].item = item

    def leave(self, why: str) -> None:
        """Note why nothing of this is carried, where nothing carries it yet."""
        for leaf in self.leaves():
            key = self.tally.keys[str(self.file), leaf.path]
            if key.item is None:
                key.why = why

    def note(self, why: str) -> None:
        """List something that a key means beyond what is carried of it."""
        self.tally.notes.append(Key(str(self.file), self.line, _shown(self.path), None, why))

    def _child(self, part: str | int, key: Any, value: Any) -> Source:
        return Source(self.tally, self.file, (*self.path, part), value, _line_of(self.value, key, self.line))


def read_source(file: Path, tally: KeyTally) -> Source:
    """Read a YAML or JSON file. Raise `UsageError` that names file and line where it cannot be read."""
    try:
        data = file.read_bytes()[: _MOST_BYTES + 1]
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{file} is larger than 4 MiB, which no such file is")
    text = data.decode("utf-8", "replace").replace(_MARK, "")
    if _RULES.search(text):
        text = _VALUE.sub("$value", _LABEL.sub(r"$labels\1", text))
    found: list[int] = []
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _TEMPLATE_LINE.match(line):
            found.append(number)
            lines[number] = ""
        elif "{{" in line:
            lines[number] = _TEMPLATE.sub(_MARK, line)
    value = _parse("\n".join(lines), file)
    root = Source(tally, file, (), value, 1)
    if not isinstance(value, Mapping):
        raise UsageError(f"{file}:1: it holds no mapping of keys", "goss, Gatus and Compose files do")
    _enter(root, tally)
    for number in found:
        why = "a line of a template (Go): write out what it makes"
        tally.keys[str(file), ("template", number)] = Key(str(file), number + 1, "{{ … }}", None, why)
    for key in list(root.leaves()):
        if key.templated:
            key.leave("a template (Go): write out what it makes")
    return root


def as_text(value: object) -> str:
    """Return a scalar as it would be written; nothing for what is none."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _parse(text: str, file: Path) -> Any:
    yaml = YAML(typ="rt", pure=True)
    yaml.allow_duplicate_keys = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor that is given twice
            return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise UsageError(f"{file}:{line}: {error.problem or error.context or 'is not valid YAML'}") from None
    except RecursionError:
        raise UsageError(f"{file}:1: it is nested too deeply") from None
    except Exception as error:  # the parser raises much on what is no YAML; none of it is a defect of ours
        said = str(error).splitlines()
        raise UsageError(f"{file}:1: is not valid YAML: {said[0] if said else type(error).__name__}") from None


def _enter(root: Source, tally: KeyTally) -> None:
    """Write all keys into the tally, each as not carried. Raise where they are more than a file by hand has."""
    waiting = [root]
    while waiting:
        source = waiting.pop()
        below = list(source.children())
        if not below:
            tally.keys[str(source.file), source.path] = Key(str(source.file), source.line, _shown(source.path))
        if len(source.path) > _DEEPEST or len(tally.keys) + len(waiting) > _MOST_KEYS:
            why = f"it is nested too deeply, or has more than {_MOST_KEYS:,} keys"
            raise UsageError(f"{source.file}:{source.line}: {why}")
        waiting += reversed(below)


def _line_of(value: Any, key: Any, usual: int) -> int:
    """Return the line of a key. What a merge or an alias brought has that of what it stands in."""
    if isinstance(value, CommentedMap | CommentedSeq):
        try:
            return int((value.lc.key(key) if isinstance(value, CommentedMap) else value.lc.item(key))[0]) + 1
        except (KeyError, TypeError, AttributeError, IndexError):
            return usual
    return usual


def _key_text(name: object) -> str:
    return as_text(name) or str(name)


def _shown(path: tuple[str | int, ...]) -> str:
    """Write a path as `a.b[0]`. A key that is long or odd is quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w-]+", part):
            text += f".{part}" if text else part
        else:
            text += f'["{part.replace(_MARK, "{{ … }}")}"]'
    return text or "(all of it)"
