"""The frozen tree of an expectation, and its evaluation to a finding that explains itself.

Three-valued: a comparison holds, does not hold, or cannot be made (a missing field, text against a number). What cannot
be made never passes, not even behind `not`.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from switchover_checks.api import Finding, Status
from switchover_checks.language.patterns import Pattern
from switchover_checks.language.units import exact_number, format_bytes, format_duration

__all__ = [
    "Call",
    "Comparison",
    "Constant",
    "Logic",
    "Node",
    "Path",
    "Unavailable",
    "Unit",
    "Verdict",
    "find",
    "number_at",
    "show",
]

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)

Unit = Literal["", "duration", "size", "percent"]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Stands in the facts for what could not be had, such as a body that was cut off."""

    reason: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the expectation, or a list of them. `text` is how it was written."""

    value: Any
    text: str
    unit: Unit = ""


@dataclass(frozen=True, slots=True)
class Path:
    """A name with fields and indexes: `body.items[0].name`. `unit` says how the named number is shown."""

    name: str
    parts: tuple[str | int, ...]
    text: str
    unit: Unit = ""


@dataclass(frozen=True, slots=True)
class Call:
    """`len(x)`, `lower(x)`, `number(x)` or `exists(x)`."""

    function: str
    argument: Node
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides and an operator; `pattern` is the compiled right side of `matches`."""

    operator: str
    left: Node
    right: Node
    text: str
    pattern: Pattern | None = None


@dataclass(frozen=True, slots=True)
class Logic:
    """`and`, `or`, `not`."""

    operator: str
    parts: tuple[Node, ...]
    text: str


Node = Constant | Path | Call | Comparison | Logic


class _CannotTell(Exception):  # noqa: N818 - a third truth value, not an error
    def __init__(self, why: str, status: Status = Status.CRIT) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


@dataclass(frozen=True, slots=True)
class Verdict:
    """True, False, or None with the reason why it cannot be judged."""

    holds: bool | None
    why: str = ""
    status: Status = Status.OK


def find(node: Node, facts: Mapping[str, Any]) -> Finding:
    """Evaluate the expectation. The finding names it and what was observed; it never raises."""
    verdict = _judge(node, facts)
    what, expected = _wording(node)
    status = Status.OK if verdict.holds else Status.CRIT if verdict.holds is False else verdict.status
    observed = verdict.why or _observed(node, facts)
    return Finding(what, expected, observed, status)


def number_at(node: Node, facts: Mapping[str, Any]) -> float | Finding:
    """Return the number that a value is, or the finding that says why there is none."""
    try:
        value = _value(node, facts)
    except _CannotTell as reason:
        return Finding(node.text, "a number", reason.why, Status.UNKNOWN)
    if _is_number(value):
        with contextlib.suppress(OverflowError):
            if math.isfinite(number := float(value)):
                return number
    return Finding(node.text, "a number", show(value), Status.UNKNOWN)


def show(value: Any, unit: Unit = "") -> str:
    """Write a value shortly, as an expectation would."""
    if isinstance(value, Unavailable):
        return value.reason
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if unit == "duration":
            return format_duration(value)
        if unit == "size":
            return format_bytes(value)
        return f"{value:.6g} %" if unit == "percent" else (str(value) if isinstance(value, int) else f"{value:.10g}")
    if isinstance(value, Decimal):
        return str(value)[:60]
    if isinstance(value, str):
        return repr(value) if len(value) <= 100 else f"{value[:97]!r}..."
    if isinstance(value, Mapping):
        return f"an object with {_keys(value)}"
    if isinstance(value, list | tuple):
        if len(value) > 5:
            return f"a list of {len(value)}"
        return "[" + ", ".join(show(v) if not isinstance(v, Mapping | list) else "…" for v in value) + "]"
    return repr(value)[:100]


def _wording(node: Node) -> tuple[str, str]:
    if isinstance(node, Comparison):
        return node.left.text, node.text[len(node.left.text) :].strip()
    return node.text, "true"


def _observed(node: Node, facts: Mapping[str, Any]) -> str:
    if isinstance(node, Comparison):
        return _side(node.left, facts) if not isinstance(node.left, Constant) else _side(node.right, facts)
    if isinstance(node, Logic):
        leaves = dict.fromkeys(_leaves(node))
        return ", ".join(f"{leaf.text} = {_side(leaf, facts)}" for leaf in list(leaves)[:8])
    return _side(node, facts)


def _side(node: Node, facts: Mapping[str, Any]) -> str:
    try:
        value = _value(node, facts)
    except _CannotTell as reason:
        return reason.why
    shown = show(value, _unit(node))
    if isinstance(node, Path) and isinstance(value, str | list | tuple) and len(value) > 100:
        shown += f" (length {len(value)})"
    return shown


def _leaves(node: Node) -> list[Node]:
    if isinstance(node, Logic):
        return [leaf for part in node.parts for leaf in _leaves(part)]
    if isinstance(node, Comparison):
        return [side for side in (node.left, node.right) if not isinstance(side, Constant)]
    return [] if isinstance(node, Constant) else [node]


def _judge(node: Node, facts: Mapping[str, Any]) -> Verdict:
    if isinstance(node, Logic):
        return _judge_logic(node, facts)
    try:
        if isinstance(node, Comparison):
            return Verdict(_compare(node, facts))
        value = _value(node, facts)
    except _CannotTell as reason:
        return Verdict(None, reason.why, reason.status)
    if isinstance(value, bool):
        return Verdict(value)
    return Verdict(None, f"{show(value)}, which is neither true nor false", Status.UNKNOWN)


def _judge_logic(node: Logic, facts: Mapping[str, Any]) -> Verdict:
    verdicts = [_judge(part, facts) for part in node.parts]
    if node.operator == "not":
        only = verdicts[0]
        return only if only.holds is None else Verdict(not only.holds)
    decisive = node.operator == "or"
    if any(v.holds is decisive for v in verdicts):
        return Verdict(decisive)
    unclear = [v for v in verdicts if v.holds is None]
    return unclear[0] if unclear else Verdict(not decisive)


def _value(node: Node, facts: Mapping[str, Any]) -> Any:
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Path):
        return _walk(node, facts)
    if isinstance(node, Call):
        return _call(node, facts)
    verdict = _judge(node, facts)
    if verdict.holds is None:
        raise _CannotTell(verdict.why, verdict.status)
    return verdict.holds


def _walk(path: Path, facts: Mapping[str, Any]) -> Any:
    if path.name not in facts:
        raise _CannotTell(f"{path.name} was not observed", Status.UNKNOWN)
    value, seen = facts[path.name], path.name
    for part in path.parts:
        if isinstance(value, Unavailable):
            break
        if isinstance(part, int):
            if not isinstance(value, list | tuple):
                raise _CannotTell(f"{seen} is {_kind(value)}, not a list")
            if not -len(value) <= part < len(value):
                raise _CannotTell(f"{seen} has only {len(value)} items")
            value, seen = value[part], f"{seen}[{part}]"
        else:
            if not isinstance(value, Mapping):
                raise _CannotTell(f"{seen} is {_kind(value)}, so it has no {part}")
            if part not in value:
                raise _CannotTell(f"not there ({seen} has {_keys(value)})")
            value, seen = value[part], f"{seen}.{part}"
    if isinstance(value, Unavailable):
        raise _CannotTell(value.reason, Status.UNKNOWN)
    return value


def _call(node: Call, facts: Mapping[str, Any]) -> Any:
    if node.function == "exists":
        try:
            _value(node.argument, facts)
        except _CannotTell as reason:
            if reason.status is Status.UNKNOWN:
                raise
            return False
        return True
    value = _value(node.argument, facts)
    if node.function == "len" and isinstance(value, str | list | tuple | Mapping):
        return len(value)
    if node.function == "lower" and isinstance(value, str):
        return value.lower()
    if node.function == "number":
        if _is_number(value):
            return value
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            return exact_number(value.strip())
    raise _CannotTell(f"{node.argument.text} is {_kind(value)}, which {node.function}() cannot take", Status.UNKNOWN)


def _compare(node: Comparison, facts: Mapping[str, Any]) -> bool:
    left, right = _value(node.left, facts), _value(node.right, facts)
    operator = node.operator
    if operator in ("==", "!="):
        return _equal(left, right, node) is (operator == "==")
    if operator == "matches":
        if not isinstance(left, str) or node.pattern is None:
            raise _CannotTell(f"{show(left)}, which is {_kind(left)}, not text", Status.UNKNOWN)
        found = node.pattern.search(left)
        if found is None:
            raise _CannotTell("not in the part that was searched, and there is more", Status.UNKNOWN)
        return found
    if operator in ("contains", "in"):
        return _holds(left, right) if operator == "contains" else _holds(right, left)
    if (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
        return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator])
    raise _mismatch(left, right)


def _equal(left: Any, right: Any, node: Comparison) -> bool:
    if left is None or right is None:
        asked = any(isinstance(side, Constant) and side.value is None for side in (node.left, node.right))
        if left is right or asked or node.operator == "==":
            return left is right
        raise _CannotTell("null")
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    if type(left) is type(right) or (isinstance(left, list | tuple) and isinstance(right, list | tuple)):
        return bool(list(left) == list(right)) if isinstance(left, list | tuple) else bool(left == right)
    raise _mismatch(left, right)


def _holds(container: Any, item: Any) -> bool:
    if isinstance(container, str) and isinstance(item, str):
        return item in container
    if isinstance(container, Mapping) and isinstance(item, str):
        return item in container
    if isinstance(container, list | tuple):
        if item is not None and container and not any(_comparable(item, other) for other in container):
            raise _mismatch(item, container[0])
        return any(_comparable(item, other) and item == other for other in container)
    raise _CannotTell(
        f"{show(container)}, which is {_kind(container)}, and cannot contain {_kind(item)}", Status.UNKNOWN
    )


def _comparable(left: Any, right: Any) -> bool:
    return (_is_number(left) and _is_number(right)) or type(left) is type(right)


def _mismatch(left: Any, right: Any) -> _CannotTell:
    return _CannotTell(f"{show(left)}, which is {_kind(left)} and is compared with {_kind(right)}", Status.UNKNOWN)


def _is_number(value: Any) -> bool:
    if isinstance(value, float | Decimal):
        return not math.isnan(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _unit(node: Node) -> Unit:
    return node.unit if isinstance(node, Path | Constant) else ""


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float | Decimal):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "an object" if isinstance(value, Mapping) else "a list" if isinstance(value, Sequence) else "something else"


def _keys(value: Mapping[str, Any]) -> str:
    names = [str(k) for k in value]
    if not names:
        return "nothing"
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
