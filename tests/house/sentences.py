"""The sentences of docstrings: how many are too long to be understood at first reading."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Sequence

from tests.house.reading import Module

__all__ = ["long_sentences", "sentences"]

_END = re.compile(r"(?<=[.!?])[\"')]*\s+")
_PARAGRAPH = re.compile(r"\n\s*\n")


def sentences(docstring: str) -> list[str]:
    """Return the sentences of a docstring, without its examples and tables (what is indented or set in columns)."""
    found = []
    for paragraph in _PARAGRAPH.split(inspect.cleandoc(docstring)):
        lines = [line for line in paragraph.splitlines() if not line.startswith(("  ", "\t")) and "   " not in line]
        found += [one for one in _END.split(" ".join(lines)) if one.strip()]
    return found


def long_sentences(module: Module, most: int) -> Iterator[str]:
    """Yield each sentence of more than `most` words, as `path:line: sentence`."""
    for line, docstring in _docstrings(module.tree):
        for sentence in sentences(docstring):
            if len(sentence.split()) > most:
                yield f"{module.path}:{line}: {sentence}"


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every docstring with its line: of modules, classes and functions, and those that follow an assignment."""
    for node in ast.walk(tree):
        body: Sequence[ast.stmt] = getattr(node, "body", ())
        if not isinstance(body, list):
            continue
        for statement in body:
            match statement:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield statement.lineno, text
