"""Promises of a migration: what is measured before and after, and whether the target is met.

A target is an expression over `before` and `after`: numbers, `+ - * /`, comparisons, `and`, `or`, `not`, `abs min max`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from switchover.migration.api import CheckReading
from switchover.migration.events import Measurement
from switchover.plan.model import Objective

__all__ = ["checks_measured", "judge", "measure", "target_holds"]

_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {"abs": abs, "min": min, "max": max}
_LONGEST = 400


def target_holds(target: str, before: float, after: float) -> bool:
    """Evaluate a target. Raise `ValueError` for what is not such an expression or has no answer."""
    if len(target) > _LONGEST:
        raise ValueError("the target is too long")
    try:
        value = _value(ast.parse(target.strip(), mode="eval").body, {"before": before, "after": after})
    except (SyntaxError, ZeroDivisionError, OverflowError, RecursionError, TypeError) as error:
        raise ValueError(f"{target!r} has no answer: {error}") from error
    if not isinstance(value, bool):
        raise ValueError(f"{target!r} is no comparison")  # noqa: TRY004 - what is wrong is the text
    return value


def _value(node: ast.expr, names: Mapping[str, float]) -> Any:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_number(left, names), _number(right, names))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_number(inner, names)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not _truth(inner, names)
        case ast.BoolOp(op=op, values=values):
            truths = [_truth(value, names) for value in values]
            return all(truths) if isinstance(op, ast.And) else any(truths)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _BINARY for op in ops):
            sides = [_number(side, names) for side in (left, *others)]
            return all(_BINARY[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return float(_FUNCTIONS[name](*(_number(argument, names) for argument in arguments)))
    raise ValueError(
        f"{ast.unparse(node)!r} cannot be used in a target; it may use before, after, numbers and + - * / <"
    )


def _number(node: ast.expr, names: Mapping[str, float]) -> float:
    value = _value(node, names)
    if isinstance(value, bool):
        raise ValueError(f"{ast.unparse(node)!r} is a comparison where a number is needed")  # noqa: TRY004
    return float(value)


def _truth(node: ast.expr, names: Mapping[str, float]) -> bool:
    value = _value(node, names)
    if not isinstance(value, bool):
        raise ValueError(f"{ast.unparse(node)!r} is a number where a comparison is needed")  # noqa: TRY004
    return value


def checks_measured(objectives: Mapping[str, Objective], side: str) -> tuple[str, ...]:
    """Return the checks that give the values of `side` (before or after)."""
    sources = [getattr(objective, side) for objective in objectives.values()]
    return tuple(dict.fromkeys(s.partition(".")[0] for s in sources if isinstance(s, str)))


def measure(source: float | str, readings: Mapping[str, CheckReading]) -> float | None:
    """Return a value: a number as it is, `CHECK.METRIC` from the reading; None where it was not measured."""
    if not isinstance(source, str):
        return float(source)
    check, _, metric = source.partition(".")
    reading = readings.get(check)
    if reading is None:
        return None
    return next((float(m.value) for m in reading.result.metrics if m.name == metric), None)


def judge(name: str, objective: Objective, before: float | None, after: float | None) -> Measurement:
    """Say whether a promise is kept. What was not measured is unknown, never met."""
    state = "unknown"
    if before is not None and after is not None:
        try:
            state = "met" if target_holds(objective.target, before, after) else "missed"
        except ValueError:
            state = "unknown"
    return Measurement(name, before, after, objective.target, state)
