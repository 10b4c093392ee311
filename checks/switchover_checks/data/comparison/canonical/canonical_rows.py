"""How the rows of a table are written as the same text on both sides, where that can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from switchover_checks.data.comparison.canonical.mysql_text import mysql_form, mysql_text
from switchover_checks.data.comparison.canonical.postgres_text import postgres_form, postgres_text
from switchover_checks.data.comparison.canonical.sqlite_text import sqlite_text
from switchover_checks.data.comparison.canonical.text_forms import BREAK, FLOATS, CanonicalKeys, TextForm, key_form
from switchover_checks.data.comparison.compared_table import ColumnPair, ComparedTable
from switchover_checks.data.database import DatabaseColumn

__all__ = ["CanonicalRows", "canonical_rows"]

CanonicalRows = tuple[str, str, CanonicalKeys, str]
"""The expressions of the left and the right side, how their keys are read, and what is not compared exactly."""
Writer = Callable[[DatabaseColumn, TextForm], str]
_WRITERS: Mapping[str, Writer] = {"postgresql": postgres_text, "sqlite": sqlite_text, "mysql": mysql_text}


def canonical_rows(table: ComparedTable, dialects: tuple[str, str]) -> CanonicalRows | None:
    """Write both sides' expressions, or return None where a column has no such text."""
    sides: tuple[list[str], list[str]] = ([], [])
    forms: list[TextForm] = []
    for pair in (*table.key, *(c for c in table.columns if c not in table.key)):
        form = _form(pair, dialects)
        if len(forms) < len(table.key):
            form = key_form(form)
        if form is None:
            return None
        forms.append(form)
        for written, dialect, column in zip(sides, dialects, (pair.left, pair.right), strict=True):
            written.append(_WRITERS[dialect](column, form))
    left, right = (_joined(written, dialect) for written, dialect in zip(sides, dialects, strict=True))
    return left, right, CanonicalKeys(forms[: len(table.key)]), FLOATS if TextForm.FLOAT in forms else ""


def _joined(columns: list[str], dialect: str) -> str:
    return f"CONCAT_WS('{BREAK}', {', '.join(columns)})" if dialect == "mysql" else f" || '{BREAK}' || ".join(columns)


def _form(pair: ColumnPair, dialects: tuple[str, str]) -> TextForm | None:
    """Return the form that both sides can write: what PostgreSQL says of a column counts before what MySQL says."""
    if pair.cast or pair.tolerance is not None:
        return None
    columns = dict(zip(dialects, (pair.left, pair.right), strict=True))
    form: TextForm | None = None
    if "postgresql" in columns:
        form = postgres_form(columns["postgresql"])
        if form is None:
            return None
    if "mysql" in columns:
        own = [mysql_form(c, form) for d, c in zip(dialects, (pair.left, pair.right), strict=True) if d == "mysql"]
        return own[0] if len(set(own)) == 1 else None
    return form
