"""The rows of a PostgreSQL table in the order of a key, as values or as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from switchover_checks.data.database.database_api import (
    DatabaseColumn,
    DatabaseTable,
    KeyValue,
    Lines,
    Selection,
    quoted,
)

__all__ = ["copied", "place", "selected"]

_COLLATED = ("text", "character varying", "character", "name")
_ORDERED = ("smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "uuid", "bytea", "date",
            "timestamp without time zone", "timestamp with time zone", "time without time zone", "oid")  # fmt: skip
"""Types that both databases order alike; others are ordered by their text."""
_BATCH = 2000
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEAD = len(_SIGNATURE) + 8
_END = b"\xff\xff"
_BARE = 6
"""What stands before the only field of a binary row: the number of fields and the field's length."""


def place(table: DatabaseTable) -> str:
    """Write where a table is."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def selected(expressions: str, selection: Selection) -> tuple[str, list[KeyValue] | None]:
    """Write the query for a selection, and its values; None where it takes none."""
    key = [_key_expression(c) for c in selection.order]
    condition, values = selection.conditions(key, "%s")
    if values and selection.where:
        condition = condition.replace(selection.where, selection.where.replace("%", "%%"), 1)
    sort = f" ORDER BY {', '.join(f'{k} NULLS FIRST' for k in key)}" if key else ""
    return f"SELECT {expressions} FROM {place(selection.table)}{condition}{sort}", values or None  # noqa: S608


def _key_expression(column: DatabaseColumn) -> str:
    name = quoted(column.name)
    if column.type in _ORDERED:
        return name
    return f'{name} COLLATE "C"' if column.type in _COLLATED else f'{name}::text COLLATE "C"'


def copied(connection: Any, expressions: Sequence[str], selection: Selection, *, bare: bool) -> Lines:
    """Yield rows as binary COPY sends them. The transaction goes on when the reader stops in the middle."""
    query, values = selected(", ".join(expressions), selection)
    connection.execute("SAVEPOINT copying")
    try:
        with connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT binary)", values) as copy:
            rows = iter(copy)
            while batch := [bytes(row) for row in islice(rows, _BATCH)]:
                if batch[0].startswith(_SIGNATURE):
                    batch[0] = batch[0][_HEAD:]
                if batch[-1] == _END:
                    del batch[-1]
                if batch:
                    yield [row[_BARE:] for row in batch] if bare else batch
    finally:  # also where the reader stops in the middle: then the copy was cancelled
        if not connection.closed:
            connection.execute("ROLLBACK TO SAVEPOINT copying")
