"""Reads what the rules look at: files, classes, functions, parameters. Pure but for the reading."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SOURCES = ("tui", "checks")
ROOTS = (*SOURCES, "tests")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """A file of Python. `path` is relative to the checkout, with slashes."""

    path: str
    lines: int
    tree: ast.Module

    @property
    def root(self) -> str:
        """The source root that it lies in."""
        return self.path.partition("/")[0]

    @property
    def folder(self) -> str:
        """The folder that it lies in."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.rpartition("/")[2]


def read_modules(root: Path) -> list[Module]:
    """Read every Python file below the source roots and the tests."""
    return [
        Module(path.relative_to(root).as_posix(), text.count("\n"), ast.parse(text))
        for folder in ROOTS
        for path in sorted((root / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
        for text in [path.read_text(encoding="utf-8")]
    ]


def public_classes(module: Module) -> Iterator[str]:
    """Yield the public classes at the top of a module."""
    yield from (node.name for node in module.tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")


def functions(module: Module) -> Iterator[Function]:
    """Yield all functions and methods, nested ones too."""
    yield from (node for node in ast.walk(module.tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Return how many lines a function has, without its decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def callbacks(module: Module) -> Iterator[str]:
    """Yield the parameters of constructors that take something to be called, as `Class.parameter`."""
    for kind in (node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)):
        for function in (one for one in kind.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"):
            for parameter in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
                if parameter.annotation is not None and "Callable[" in ast.unparse(parameter.annotation):
                    yield f"{kind.name}.{parameter.arg}"
