"""The language of a promise's `target`: a comparison over `before` and `after`, such as `after <= before / 5`.

There are numbers (`100`, `1s`, `20MiB`, `5%`), `+ - * /`, comparisons, `and`, `or`, `not`, `abs`, `min` and `max`.
Nothing of it is run as Python.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from switchover.plan.promises.promise_units import without_units

__all__ = ["PromiseTarget", "parse_target"]

_LONGEST = 400
_COMPARE: Mapping[type[ast.AST], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {"abs": abs, "min": min, "max": max}
_NAMES = frozenset({"before", "after"})


@dataclass(frozen=True, slots=True)
class PromiseTarget:
    """A target that was read and found whole."""

    text: str
    tree: ast.expr
    measures: str = ""  # time, size or share, where it has such units

    def holds(self, before: float, after: float) -> bool:
        """Say whether the promise is kept. Raise `ValueError` where that has no answer, as in a division by zero."""
        if not (math.isfinite(before) and math.isfinite(after)):
            raise ValueError(f"{self.text!r} has no answer for before={before:g}, after={after:g}")
        try:
            return bool(_value(self.tree, {"before": before, "after": after}))
        except (ZeroDivisionError, OverflowError) as error:
            raise ValueError(f"{self.text!r} has no answer for before={before:g}, after={after:g}: {error}") from None


def parse_target(text: str, unit: str = "") -> PromiseTarget:
    """Read a target for values in `unit`. Without one they are in seconds, bytes or a share of one.

    Raise `ValueError` that says how one is written.
    """
    shown = repr(text if len(text) <= 60 else text[:57] + "…")
    if len(text) > _LONGEST:
        raise ValueError(f"{shown} is longer than {_LONGEST} characters")
    plain, measures = without_units(text, unit)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's remarks on odd literals are not for the plan's author
            tree = ast.parse(plain.strip(), mode="eval").body
        _all([tree], "truth", "truth")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(
            f"{shown} is not a target; compare `after` with a number or with `before`: after <= before / 5"
        ) from None
    if not any(isinstance(node, ast.Name) and node.id == "after" for node in ast.walk(tree)):
        raise ValueError(f"{shown} does not look at `after`, so it proves nothing")
    return PromiseTarget(text, tree, measures)


def _kind(node: ast.expr) -> Literal["number", "truth"]:
    """Return what an expression gives. Raise `ValueError` for what is not part of the language."""
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number) if math.isfinite(number):
            return "number"
        case ast.Name(id=name) if name in _NAMES:
            return "number"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _all([left, right], "number", "number")
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _all([inner], "number", "number")
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _all([inner], "truth", "truth")
        case ast.BoolOp(values=values):
            return _all(values, "truth", "truth")
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARE for op in ops):
            return _all([left, *others], "number", "truth")
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as arguments, keywords=[]) if name in _FUNCTIONS:
            if (name == "abs") == (len(arguments) == 1):
                return _all(arguments, "number", "number")
    raise ValueError("not part of a target")


def _all(
    nodes: list[ast.expr], wanted: Literal["number", "truth"], gives: Literal["number", "truth"]
) -> Literal["number", "truth"]:
    if any(_kind(node) != wanted for node in nodes):
        raise ValueError("not part of a target")
    return gives


def _value(node: ast.expr, names: Mapping[str, float]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return names[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, names), _value(right, names))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner, names)
        case ast.UnaryOp(operand=inner):
            return not _value(inner, names)
        case ast.BoolOp(op=op, values=values):
            truths = [_value(value, names) for value in values]
            return all(truths) if isinstance(op, ast.And) else any(truths)
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [_value(side, names) for side in (left, *others)]
            return all(_COMPARE[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return float(_FUNCTIONS[name](*(_value(argument, names) for argument in arguments)))
    raise ValueError("not part of a target")
