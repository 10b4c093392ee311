"""The small faults: each changes one place of a module's tree. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Mutant", "count_places", "mutant_at"]

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_LONGEST = 200  # characters of a line that are shown
_Scope = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Mutant(NamedTuple):
    """A module with one fault: the scope that it lies in, and its changed lines before and after."""

    path: str
    line: int
    place: str
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """What it is called, whatever lines come and go around it."""
        return f"{self.path}::{self.place}: {self.before} => {self.after}"


def count_places(text: str) -> int:
    """Return how many places of a module can be changed."""
    return len(list(_places(ast.parse(text))))


def mutant_at(path: str, text: str, number: int) -> Mutant:
    """Return a module with its place of this number changed."""
    tree = ast.parse(text)
    clean = ast.unparse(tree).splitlines()
    line, scope, change = list(_places(tree))[number]
    change()
    source = ast.unparse(ast.fix_missing_locations(tree))
    return Mutant(path, line, scope, *_difference(clean, source.splitlines()), source)


def _difference(clean: list[str], changed: list[str]) -> tuple[str, str]:
    pairs = [pair for pair in zip(clean, changed, strict=True) if pair[0] != pair[1]]
    return tuple(" ".join(line.strip() for line in lines)[:_LONGEST] for lines in zip(*pairs, strict=True))  # type: ignore[return-value]


class _Change(NamedTuple):
    node: ast.AST
    field: str
    value: object
    in_list: bool = False

    def __call__(self) -> None:
        if self.in_list:
            getattr(self.node, self.field)[0] = self.value
        else:
            setattr(self.node, self.field, self.value)


def _places(tree: ast.AST, scope: str = "module", line: int = 0) -> Iterator[tuple[int, str, _Change]]:
    for node in ast.iter_child_nodes(tree):
        inner = f"{scope}.{node.name}".removeprefix("module.") if isinstance(node, _Scope) else scope
        if _is_of_no_account(node):
            continue
        for change in _changes(node):
            yield getattr(node, "lineno", line), inner, change
        yield from _places(node, inner, getattr(node, "lineno", line))


def _is_of_no_account(node: ast.AST) -> bool:
    """Tell what no test looks at: annotations, docstrings, imports, and what is raised in words."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("dataclass", "field"):
        return True
    return isinstance(node, ast.arg | ast.Import | ast.ImportFrom | ast.JoinedStr)


def _changes(node: ast.AST) -> Iterator[_Change]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            yield _Change(node, "ops", _COMPARISONS[type(op)](), in_list=True)
        case ast.BoolOp(op=op):
            yield _Change(node, "op", ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC and not isinstance(node.left, ast.Constant):
            yield _Change(node, "op", _ARITHMETIC[type(op)]())
        case ast.UnaryOp(op=ast.Not()):
            yield _Change(node, "operand", _negated(node.operand))
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield _Change(node, "test", _negated(test))
        case ast.Constant(value=bool() as value):
            yield _Change(node, "value", not value)
        case ast.Constant(value=int() | float() as value):
            yield _Change(node, "value", value + 1)
        case ast.Expr(value=ast.Call() | ast.Await()):
            yield _Change(node, "value", ast.Constant(None))
        case ast.comprehension(ifs=[test, *_]):
            yield _Change(node, "ifs", _negated(test), in_list=True)


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)
