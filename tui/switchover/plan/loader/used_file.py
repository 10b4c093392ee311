"""A file with steps that a plan uses. Its inputs are filled in, its names get that of the step in front."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from switchover.plan.complaints import near_or_all
from switchover.plan.loader.document import Node, NodeOrigin
from switchover.plan.model import Variable
from switchover.plan.templates import has_template
from switchover.plan.variables import check_value

__all__ = ["UsedFile"]

_SECTIONS = ("services", "checks", "metrics", "alerts", "promises", "commands")
_OF_A_USE = ("id", "uses", "with")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_INPUT = re.compile(r"\{\{\s*inputs\.([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}")
_SHELL_KEYS = frozenset({"run", "command", "restore_test", "diagnose"})
# Keys whose text names parts of a plan.
_NAMING = frozenset(
    str.split(
        "ready require verify needs service check checks undone_by newer_than prove when only_if since until value "
        "metric_of steps parallel"
    )
)


class UsedFile:
    """One use of a file: `sections` are the named parts that it brings, `problems` what is wrong, and where."""

    def __init__(self, name: str, root: Node, step: Node, where: str) -> None:
        self.sections: dict[str, dict[str, tuple[Node, Node]]] = {}
        self.steps: list[Node] = []
        self.problems: list[tuple[Node, str]] = []
        id_ = step.data.get("id")
        if not isinstance(id_, str) or not _NAME.fullmatch(id_):
            self._say(step, "a step that uses a file needs an `id`: its names get that in front")
            return
        for key, (at, _) in (step.entries or {}).items():
            if key not in _OF_A_USE:
                self._say(
                    at, f"a step that uses a file takes only {', '.join(_OF_A_USE)}: {key[:40]!r} belongs into {name}"
                )
        for key, (at, _) in (root.entries or {}).items():
            if key not in ("inputs", "steps", *_SECTIONS):
                near = near_or_all(key, ("inputs", "steps", *_SECTIONS))
                said = f"{key[:40]!r} does not belong into a file that is used{near}"
                self._say(_from(at, NodeOrigin(name, f"used at {where}")), said)
        self._source = NodeOrigin(name, f"used as {id_!r} at {where}")
        self._prefix = f"{id_}_"
        self._inputs = self._given(root, step)
        own = {key for section in _SECTIONS for key in _keys(root.child(section))}
        listed = root.child("steps")
        steps = [one for one in (listed.items if listed is not None else None) or () if one.entries is not None]
        if not steps:
            self._say(step.child("uses") or step, f"{name} has no steps")
        nested = {str(one.data.get("id")) for one in steps if "uses" in (one.entries or {})}
        own |= {str(one.data.get("id")) for one in steps} - nested
        choices = [*map(re.escape, sorted(own, key=len, reverse=True)), *(rf"{re.escape(n)}_\w+" for n in nested)]
        self._own = re.compile(rf"(?<![\w.-])(?:{'|'.join(choices) or '(?!)'})(?![\w-])")
        self._output = re.compile(rf"(\bstep\.)({'|'.join(choices) or '(?!)'})(?![\w-])")
        for key in _SECTIONS:
            section = root.child(key)
            for name_, (at, value) in ((section.entries if section is not None else None) or {}).items():
                named = Node(at.line, at.column, self._prefix + name_, source=self._source)
                self.sections.setdefault(key, {})[self._prefix + name_] = (named, self._copy(value, ""))
        self.steps = [self._copy(one, "", is_step=True) for one in steps]

    def _say(self, node: Node, message: str) -> None:
        self.problems.append((node, message))

    def _given(self, root: Node, step: Node) -> Mapping[str, Any]:
        """Return the value of each input. Say which are missing, unknown or of another type."""
        declared, given = root.child("inputs"), step.child("with")
        at = step.child("uses") or step
        inputs: Mapping[str, tuple[Node, Node]] = (declared.entries if declared is not None else None) or {}
        values: dict[str, Any] = {}
        for name, (at_key, node) in ((given.entries if given is not None else None) or {}).items():
            if name in inputs:
                values[name] = node.data
            else:
                self._say(at_key, f"{self._source.file} has no input {name[:40]!r}{near_or_all(name, inputs)}")
        for name, (asked, spec) in inputs.items():
            here = f"{self._source.file}:{asked.line}:{asked.column}"
            try:
                variable = Variable.model_validate(spec.data or {})
            except ValidationError:
                said = "an input is written {type: …, default: …, choices: […]}, its type as that of a variable"
                self._say(_from(spec, self._source), said)
                continue
            if name not in values and variable.default is None:
                self._say(at, f"the input {name!r} is missing: {here} asks for it; give it in `with`")
            value = values.setdefault(name, variable.default)
            if isinstance(value, dict | list):
                self._say(at, f"the input {name!r} takes one value ({here})")
            elif value is not None and not has_template(value):
                try:
                    check_value(name, variable, str(value).lower() if isinstance(value, bool) else str(value))
                except ValueError as error:
                    self._say((given.child(name) if given is not None else None) or at, f"{error} ({here})")
        return values

    def _copy(self, node: Node, key: str, *, is_step: bool = False) -> Node:
        """Return a tree of its own, with inputs filled in and names prefixed. `key` is the one that holds it."""
        copy = Node(node.line, node.column, weight=node.weight, blank=node.blank, source=self._source)
        if node.items is not None:
            copy.items = [self._copy(item, key) for item in node.items]
            copy.data = [item.data for item in copy.items]
        elif node.entries is not None:
            copy.entries, copy.data = {}, {}
            for name, (at, value) in node.entries.items():
                put = self._copy(value, name)
                if is_step and name == "id" and isinstance(put.data, str):
                    put.data = self._prefix + put.data
                named = Node(at.line, at.column, at.data, blank=at.blank, source=self._source)
                copy.entries[name] = (named, put)
                copy.data[name] = put.data
        else:
            copy.data = self._text(node, key) if isinstance(node.data, str) else node.data
        return copy

    def _text(self, node: Node, key: str) -> Any:
        text: str = node.data
        if key in _SHELL_KEYS:
            return text  # a value never gets into shell text, and a template in it is refused
        if key in _NAMING:
            text = self._own.sub(lambda found: self._prefix + found[0], text)
        text = self._output.sub(lambda found: found[1] + self._prefix + found[2], text)
        whole = _INPUT.fullmatch(text)
        if whole is not None and whole[1] in self._inputs:
            return self._inputs[whole[1]]
        return _INPUT.sub(lambda found: self._filled(found, node), text)

    def _filled(self, found: re.Match[str], node: Node) -> str:
        if found[1] not in self._inputs:
            near = near_or_all(found[1], self._inputs)
            self._say(_from(node, self._source), f"there is no input {found[1][:40]!r}{near}")
            return ""
        value = self._inputs[found[1]]
        return str(value).lower() if isinstance(value, bool) else str(value)


def _from(node: Node, source: NodeOrigin) -> Node:
    return Node(node.line, node.column, node.data, source=source)


def _keys(node: Node | None) -> tuple[str, ...]:
    return tuple(node.entries or ()) if node is not None else ()
