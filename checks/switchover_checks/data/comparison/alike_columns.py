"""Which columns two PostgreSQL servers write as the same bytes when they hold the same values."""

from __future__ import annotations

from collections.abc import Sequence

from switchover_checks.data.comparison.compared_table import ColumnPair, ComparedTable
from switchover_checks.data.comparison.near_values import VECTORS
from switchover_checks.data.comparison.row_keys import BINARY_KEYS, FieldReader
from switchover_checks.data.database import DatabaseColumn
from switchover_checks.data.database.database_api import quoted

__all__ = ["binary_expressions", "binary_key_fields"]

_WHOLE = frozenset({"smallint", "integer", "bigint"})
_TEXT = frozenset({"text", "character varying"})
_MOMENTS = frozenset({"timestamp without time zone", "timestamp with time zone"})
_SAME_BYTES = frozenset({
    *_WHOLE, *_TEXT, *_MOMENTS, "boolean", "numeric", "real", "double precision", "date", "uuid", "bytea", "json",
    "time without time zone", "time with time zone", "interval", "jsonb", "inet", "cidr", "macaddr", "money", "bit",
    "bit varying", "int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange",
})  # fmt: skip
"""Types of the server itself, whose bytes name no object of one database alone."""


def binary_expressions(table: ComparedTable) -> tuple[list[str], list[str]] | None:
    """Write what to copy on each side, the key first; None where a column has another type on each side."""
    pairs = [*table.key, *(c for c in table.columns if c not in table.key)]
    both = [_expressions(pair, as_key=place < len(table.key)) for place, pair in enumerate(pairs)]
    if not all(both):
        return None
    return [b[0] for b in both if b], [b[1] for b in both if b]


def binary_key_fields(key: Sequence[ColumnPair]) -> list[FieldReader]:
    """Return how the key's columns are read; of types that are ordered by their text, as text."""
    return [BINARY_KEYS.get(pair.left.type, BINARY_KEYS["text"]) for pair in key]


def _expressions(pair: ColumnPair, *, as_key: bool) -> tuple[str, str] | None:
    # Vectors may differ a little, and seldom do.
    if pair.cast or (pair.tolerance is not None and pair.left.type not in VECTORS):
        return None
    left, right = pair.left.type, pair.right.type
    if left == right:
        return _written(pair.left, as_key=as_key), _written(pair.right, as_key=as_key)
    if as_key:
        return None
    if {left, right} <= _WHOLE:
        return f"{quoted(pair.left.name)}::bigint", f"{quoted(pair.right.name)}::bigint"
    if {left, right} <= _TEXT:
        return quoted(pair.left.name), quoted(pair.right.name)
    return None


def _written(column: DatabaseColumn, *, as_key: bool) -> str:
    name, kind = quoted(column.name), column.type
    if as_key and kind not in BINARY_KEYS | {"numeric": None}:
        return f"{name}::text"
    if (as_key and kind == "numeric") or kind.removesuffix("[]") not in _SAME_BYTES:
        return f"{name}::text"  # of `character` without the spaces that fill it up
    return name
