"""Puts the files that a plan includes or uses in their places, before anything of it is judged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from switchover.errors import PlanError, PlanProblem
from switchover.plan.complaints import format_path
from switchover.plan.loader.document import Document, Node, NodeOrigin, read_document
from switchover.plan.loader.used_file import UsedFile
from switchover.plan.plan_bytes import decode_plan, read_plan

__all__ = ["Expanded", "expand"]

_NAMED = ("vars", "secrets", "hosts", "sides", "services", "checks", "metrics", "notifiers", "alerts", "rollbacks")
_NAMED_TOO = ("promises", "commands")
_LISTED = ("phases", "troubleshooting", "contacts", "runbooks")
_MOST_FILES = 200
_ONLY_BELOW = "a plan includes only what lies there or below"


@dataclass
class Expanded:
    """What was put together: the texts of the parts by their paths from the plan's folder, and what is wrong."""

    parts: dict[str, str] = field(default_factory=dict)
    problems: list[PlanProblem] = field(default_factory=list)


def expand(document: Document, path: Path, frozen: Mapping[str, str] | None = None) -> Expanded:
    """Put everything that `document` includes or uses into it. `frozen` are the texts of a plan that was started."""
    expander = _Expander(path, frozen)
    root = document.root
    if root is not None and root.entries is not None:
        expander.include(root, root, ())
        expander.use(root, ())
    return expander.expanded


class _Expander:
    def __init__(self, path: Path, frozen: Mapping[str, str] | None) -> None:
        self.expanded = Expanded()
        self._path = path
        self._folder = path.resolve().parent
        self._frozen = frozen
        self._documents: dict[str, Document] = {}
        self._included: set[str] = set()

    def include(self, root: Node, holder: Node, chain: tuple[str, ...]) -> None:
        """Put the parts of each file that `holder` includes into `root`."""
        if holder.entries is None or "include" not in holder.entries:
            return
        _, named = holder.entries.pop("include")
        holder.data.pop("include", None)
        for at in named.items if named.items is not None else [named]:
            name = self._named(at, chain)
            if not name or name in self._included:
                continue
            self._included.add(name)
            document = self._read(name, at)
            if document is None or document.root is None:
                continue
            _mark(document.root, NodeOrigin(name, f"included at {self._where(at)}"))
            self.include(root, document.root, (*chain, name))
            self._merge(root, document.root)

    def _merge(self, root: Node, part: Node) -> None:
        for key, (at, value) in (part.entries or {}).items():
            if key not in (*_NAMED, *_NAMED_TOO, *_LISTED):
                self._complain(at, f"{key[:40]!r} belongs into the plan itself: what is included brings parts of it")
            elif value.data is None:
                continue
            elif root.entries is not None and (root.data.get(key) is None or key not in root.entries):
                root.entries[key] = (at, value)
                root.data[key] = value.data
            else:
                self._join(root.entries[key][1] if root.entries is not None else part, value, key)

    def _join(self, into: Node, value: Node, key: str) -> None:
        if into.items is not None and value.items is not None:
            into.items.extend(value.items)
            into.data.extend(value.data)
        elif into.entries is not None and value.entries is not None:
            for name, entry in value.entries.items():
                self.add(into, name, entry, key)
        else:
            self._complain(value, f"`{key}` is not of the same form here as at {self._where(into)}")

    def add(self, into: Node, name: str, entry: tuple[Node, Node], key: str) -> None:
        """Put one named part into its section."""
        if into.entries is None:
            return
        if name in into.entries:
            other = self._where(into.entries[name][0])
            self._complain(entry[0], f"{key} has {name[:60]!r} already, at {other}; give one of the two another name")
            return
        into.entries[name] = entry
        into.data[name] = entry[1].data

    def use(self, root: Node, chain: tuple[str, ...]) -> None:
        """Put the steps of each used file in the place of the step that names it."""
        phases = root.child("phases")
        for phase in (phases.items if phases is not None else None) or ():
            steps = phase.child("steps")
            if steps is not None and steps.items is not None and any(_uses(step) for step in steps.items):
                found = [one for step in steps.items for one in self._steps(step, root, chain)]
                steps.items[:] = found
                steps.data[:] = [step.data for step in found]

    def _steps(self, step: Node, root: Node, chain: tuple[str, ...]) -> list[Node]:
        if not _uses(step):
            return [step]
        at = step.child("uses") or step
        name = self._named(at, chain)
        document = self._read(name, at) if name else None
        if document is None or document.root is None:
            return []
        used = UsedFile(name, document.root, step, self._where(step))
        for key, entries in used.sections.items():
            if root.entries is not None and root.data.get(key) is None:
                root.entries[key] = (at, Node(at.line, at.column, {}, entries={}, source=at.source))
                root.data[key] = root.entries[key][1].data
            for id_, entry in entries.items():
                if (section := root.child(key)) is not None:
                    self.add(section, id_, entry, key)
        for node, text in used.problems:
            self._complain(node, text)
        return [one for inner in used.steps for one in self._steps(inner, root, (*chain, name))]

    def _named(self, at: Node, chain: tuple[str, ...]) -> str:
        """Return the path from the plan's folder that a node names; empty where it may not be read."""
        if not isinstance(at.data, str) or not at.data or "\n" in at.data:
            self._complain(at, "expected the path of a file in the plan's folder, such as common/postgres.yaml")
            return ""
        base = Path(at.source.file).parent if at.source is not None else Path()
        name = os.path.normpath(base / at.data)
        if Path(name).is_absolute() or Path(name).parts[:1] == ("..",):
            self._complain(at, f"{at.data!r} is not in the plan's folder: {_ONLY_BELOW}")
        elif name in chain or name == self._path.name:
            turn = [*chain[chain.index(name) :], name] if name in chain else [name, *chain, name]
            self._complain(at, f"this never ends: {' → '.join(turn)}")
        elif len(self._documents) >= _MOST_FILES and name not in self._documents:
            self._complain(at, f"a plan is made of at most {_MOST_FILES} files")
        else:
            return name
        return ""

    def _read(self, name: str, at: Node) -> Document | None:
        if name not in self._documents:
            text = self._text(name, at)
            if text is None:
                return None
            self.expanded.parts[name] = text
            document = self._documents[name] = read_document(text.removeprefix("\ufeff"))
            for line, column, complaint in document.complaints:
                problem = PlanProblem(self._file(name), line, column, format_path(complaint.path), complaint.message)
                self.expanded.problems.append(problem)
            if not document.complaints and (document.root is None or document.root.entries is None):
                self._complain(at, f"{name} is no mapping of keys")
        return self._documents[name]

    def _text(self, name: str, at: Node) -> str | None:
        if self._frozen is not None:
            if name not in self._frozen:
                self._complain(at, f"{name} is not in the plan that was started")
            return self._frozen.get(name)
        path = self._folder / name
        if not path.resolve().is_relative_to(self._folder):
            self._complain(at, f"{name} leads out of the plan's folder: {_ONLY_BELOW}")
            return None
        try:
            return decode_plan(read_plan(path), Path(self._file(name)))
        except PlanError as error:
            problem = error.problems[0]
            self._complain(at, f"{name}: {problem.message}" + (f" (line {problem.line})" if problem.line else ""))
            return None

    def _file(self, name: str) -> str:
        return str(self._path.parent / name)

    def _where(self, node: Node) -> str:
        file = node.source.file if node.source is not None else self._path.name
        return f"{file}:{node.line}:{node.column}"

    def _complain(self, node: Node, message: str) -> None:
        source = node.source
        file = self._file(source.file) if source is not None else str(self._path)
        said = f"{message} ({source.said})" if source is not None else message
        self.expanded.problems.append(PlanProblem(file, node.line, node.column, "", said))


def _uses(step: Node) -> bool:
    return step.entries is not None and "uses" in step.entries


def _mark(node: Node, source: NodeOrigin) -> None:
    """Note of a whole tree where it comes from."""
    stack = [node]
    while stack:
        one = stack.pop()
        if one.source is not None:
            continue
        one.source = source
        stack += one.items or ()
        for key, value in (one.entries or {}).values():
            stack += (key, value)
