"""How the rows of a table are written as the same text on both sides, where that can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from switchover_checks.data.comparison.canonical.postgres_text import postgres_form, postgres_text
from switchover_checks.data.comparison.canonical.sqlite_text import sqlite_text
from switchover_checks.data.comparison.canonical.text_forms import BREAK, FLOATS, CanonicalKeys, TextForm, key_form
from switchover_checks.data.comparison.compared_table import ColumnPair, ComparedTable
from switchover_checks.data.database import DatabaseColumn

__all__ = ["CanonicalRows", "canonical_rows"]

CanonicalRows = tuple[str, str, CanonicalKeys, str]
"""The expressions of the left and the right side, how their keys are read, and what is not compared exactly."""
Writer = Callable[[DatabaseColumn, TextForm], str]
_WRITERS: Mapping[str, Writer] = {"postgresql": postgres_text, "sqlite": sqlite_text}
_FORMS: Mapping[str, Callable[[DatabaseColumn], TextForm | None]] = {"postgresql": postgres_form}


def canonical_rows(table: ComparedTable, dialects: tuple[str, str]) -> CanonicalRows | None:
    """Write both sides' expressions, or return None where a column has no such text."""
    if not any(dialect in _FORMS for dialect in dialects) or not set(dialects) <= _WRITERS.keys():
        return None
    left: list[str] = []
    right: list[str] = []
    forms: list[TextForm] = []
    for pair in (*table.key, *(c for c in table.columns if c not in table.key)):
        form = _form(pair, dialects)
        if len(forms) < len(table.key):
            form = key_form(form)
        if form is None:
            return None
        forms.append(form)
        left.append(_WRITERS[dialects[0]](pair.left, form))
        right.append(_WRITERS[dialects[1]](pair.right, form))
    words = FLOATS if TextForm.FLOAT in forms else ""
    between = f" || '{BREAK}' || "
    return between.join(left), between.join(right), CanonicalKeys(forms[: len(table.key)]), words


def _form(pair: ColumnPair, dialects: tuple[str, str]) -> TextForm | None:
    """Return the form that every side with types of its own asks for, if they ask for the same."""
    if pair.cast or pair.tolerance is not None:
        return None
    sides = zip(dialects, (pair.left, pair.right), strict=True)
    forms = {_FORMS[dialect](column) for dialect, column in sides if dialect in _FORMS}
    return forms.pop() if len(forms) == 1 else None
