"""The small notations inside a plan's texts, each parsed once: captured outputs, moments, targets of objectives."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from switchover_checks.units import parse_duration

__all__ = ["Capture", "Moment", "Target", "parse_capture", "parse_moment", "parse_target"]

_CAPTURE = re.compile(r"stdout:/(?P<pattern>.*)/", re.DOTALL)
_MOMENT = re.compile(r"\s*phase\.(?P<phase>[A-Za-z_][\w-]*)\s*(?:\+\s*(?P<delay>\S+))?\s*")
_COMPARE: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True, slots=True)
class Capture:
    """What is taken from a step's standard output: the one group of a regular expression, searched line by line."""

    pattern: re.Pattern[str]

    def find(self, stdout: str) -> str | None:
        """Return the last value in `stdout`, or None where there is none."""
        found = None
        for match in self.pattern.finditer(stdout):
            found = match[1]
        return found


def parse_capture(text: str) -> Capture:
    r"""Read `stdout:/^IP=(\S+)$/`. Raise `ValueError` that says how one is written."""
    match = _CAPTURE.fullmatch(text)
    if match is None:
        raise ValueError(r"write stdout:/REGEX/ with one group, such as stdout:/^IP=(\S+)$/")
    if len(match["pattern"]) > 500:
        raise ValueError("this regular expression is longer than 500 characters")
    try:
        pattern = re.compile(match["pattern"], re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"this regular expression cannot be read: {error}") from None
    if pattern.groups != 1:
        count = "no group" if not pattern.groups else f"{pattern.groups} groups"
        raise ValueError(
            f"this regular expression has {count} and needs exactly one, round the value; (?: ) does not count"
        )
    return Capture(pattern)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time counted from the end of a phase."""

    phase: str
    delay_s: float


def parse_moment(text: str) -> Moment:
    """Read `phase.validate + 24h`. Raise `ValueError` that says how one is written."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a moment; write phase.NAME + 24h")
    return Moment(match["phase"], parse_duration(match["delay"]) if match["delay"] else 0.0)


@dataclass(frozen=True, slots=True)
class Target:
    """A comparison over `before` and `after`, such as `after <= before / 5`."""

    text: str
    tree: ast.Compare

    def holds(self, before: float, after: float) -> bool:
        """Say whether the promise is kept. Raise `ValueError` where it cannot be computed (a division by zero)."""
        names = {"before": before, "after": after}
        try:
            left = _compute(self.tree.left, names)
            for comparison, node in zip(self.tree.ops, self.tree.comparators, strict=True):
                right = _compute(node, names)
                if not (math.isfinite(left) and math.isfinite(right)):
                    raise ValueError(f"{self.text!r} has no finite value for before={before:g}, after={after:g}")
                if not _COMPARE[type(comparison)](left, right):
                    return False
                left = right
        except (ZeroDivisionError, OverflowError):
            raise ValueError(f"{self.text!r} cannot be computed for before={before:g}, after={after:g}") from None
        return True

    @property
    def needs_before(self) -> bool:
        """Say whether the value from before the migration takes part."""
        return any(isinstance(node, ast.Name) and node.id == "before" for node in ast.walk(self.tree))


def parse_target(text: str) -> Target:
    """Read a target. Raise `ValueError` that says how one is written."""
    how = f"{text[:60]!r} is not a target; compare `after` with a number or with `before`, such as after <= before / 5"
    if len(text) > 200:
        raise ValueError(how)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(how) from None
    if not isinstance(tree, ast.Compare) or not all(type(op) in _COMPARE for op in tree.ops):
        raise ValueError(how)
    nodes = [tree.left, *tree.comparators]
    if not all(_allowed(node) for node in nodes):
        raise ValueError(how)
    if not any(isinstance(node, ast.Name) and node.id == "after" for node in ast.walk(tree)):
        raise ValueError(f"{text[:60]!r} does not look at `after`, so it proves nothing")
    return Target(text, tree)


def _allowed(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    if isinstance(node, ast.Name):
        return node.id in ("before", "after")
    if isinstance(node, ast.BinOp):
        return type(node.op) in _ARITHMETIC and _allowed(node.left) and _allowed(node.right)
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and _allowed(node.operand)


def _compute(node: ast.expr, names: Mapping[str, float]) -> float:
    if isinstance(node, ast.Constant):
        return float(node.value) if isinstance(node.value, int | float) else math.nan
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp):
        return -_compute(node.operand, names)
    if isinstance(node, ast.BinOp):
        return _ARITHMETIC[type(node.op)](_compute(node.left, names), _compute(node.right, names))
    return math.nan
