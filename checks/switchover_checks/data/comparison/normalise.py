"""Values of different databases in one form, so that equal data is equal: by what the column is."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable
from datetime import date, datetime
from decimal import Context as DecimalContext
from decimal import Decimal, InvalidOperation
from typing import Any

from switchover_checks.data.database import DatabaseColumn
from switchover_checks.data.database_values import day_of, hour_of, interval_of, moment_of

__all__ = ["CASTS", "Normaliser", "normaliser", "sort_key"]

Normaliser = Callable[[Any], Any]


def normaliser(left: DatabaseColumn, right: DatabaseColumn, untyped: bool, cast: str = "") -> Normaliser:
    """Choose how the values of a column are made comparable: equal values get the same `repr`.

    `untyped`: both sides are SQLite. What cannot be read as its type stays as it is, and differs.
    """
    if cast:
        return CASTS[cast]
    types = (left.type, right.type)
    for names, convert in _BY_TYPE:
        if any(t.split("(")[0].strip() in names for t in types):
            # Two SQLite files hold what was put in; only a typed column of PostgreSQL says what a value means.
            return _plain if untyped and names is not _NUMERIC else convert
    if "character" in types or "bpchar" in types:
        return _padded
    return _plain


def sort_key(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Make keys comparable the way both databases order them: NULL, numbers, text, bytes."""
    return tuple(_ranked(v) for v in values)


def _ranked(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    if isinstance(value, int | float | Decimal):
        return (1, value)
    if isinstance(value, datetime | date):
        return (2, value.isoformat())
    if isinstance(value, str):
        return (2, value)
    if isinstance(value, bytes):
        return (3, value)
    return (2, str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if value.is_integer() and abs(value) < _EXACT:
            return int(value)
    return value


def _padded(value: Any) -> Any:
    return value.rstrip(" ") if isinstance(value, str) else _plain(value)


def _as_text(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else str(_plain(value))


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    known = {"t": True, "true": True, "f": False, "false": False, "1": True, "0": False}
    return known.get(value.lower(), value) if isinstance(value, str) else value


def _float(value: Any) -> Any:
    return _FLOATS.get(value.strip().lower(), value) if isinstance(value, str) else _plain(value)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value))
    except (InvalidOperation, ValueError):
        return _plain(value)
    if not number.is_finite():
        return "NaN" if number.is_nan() else float(number)
    number = number.normalize(_WIDE)
    return int(number) if number == number.to_integral_value() and number.adjusted() < _MOST_DIGITS else number


def _document(value: Any) -> Any:
    """Write a document in one form; one that holds `null` is none that is not there."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=Decimal)
        except (ValueError, RecursionError):
            return value
    return json.dumps(_even(value), sort_keys=True, ensure_ascii=False, default=str)


def _even(value: Any) -> Any:
    """Write each fraction in a document as a unique text. A float would round it."""
    if isinstance(value, dict):
        return {key: _even(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_even(item) for item in value]
    if isinstance(value, float | Decimal) and math.isfinite(value):
        number = _number(value)
        return number if isinstance(number, int) else {"\0number": str(number)}
    return value


def _identity(value: Any) -> Any:
    if isinstance(value, bytes) and len(value) == 16:
        return str(uuid.UUID(bytes=value))
    if isinstance(value, str):
        try:
            return str(uuid.UUID(value))
        except ValueError:
            return value
    return _plain(value)


def _vector(value: Any) -> Any:
    """Return the numbers of a vector, which databases without such a type keep as a JSON array."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value
    if isinstance(value, list | tuple) and all(isinstance(v, int | float) for v in value):
        return tuple(float(v) for v in value)
    return value


def _bytes(value: Any) -> Any:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else _plain(value)


_WIDE = DecimalContext(prec=20_000)
_MOST_DIGITS = 100
_EXACT = 1 << 53
_FLOATS = {"nan": "NaN", **dict.fromkeys(("infinity", "+infinity", "inf"), math.inf),
           **dict.fromkeys(("-infinity", "-inf"), -math.inf)}  # fmt: skip
_NUMERIC = frozenset({"numeric", "decimal", "money"})
_BY_TYPE: tuple[tuple[frozenset[str], Normaliser], ...] = (
    (frozenset({"boolean", "bool"}), _boolean),
    (_NUMERIC, _number),
    (
        frozenset({"timestamp without time zone", "timestamp with time zone", "timestamp", "timestamptz", "datetime"}),
        moment_of,
    ),
    (frozenset({"date"}), day_of),
    (frozenset({"time without time zone", "time with time zone", "time", "timetz"}), hour_of),
    (frozenset({"interval"}), interval_of),
    (frozenset({"double precision", "real", "float", "float4", "float8", "double"}), _float),
    (frozenset({"json", "jsonb"}), _document),
    (frozenset({"uuid"}), _identity),
    (frozenset({"bytea", "blob"}), _bytes),
    (frozenset({"vector", "halfvec"}), _vector),
)
CASTS: dict[str, Normaliser] = {
    "boolean": _boolean,
    "number": _number,
    "float": _float,
    "text": _as_text,
    "timestamp": moment_of,
    "date": day_of,
    "time": hour_of,
    "interval": interval_of,
    "json": _document,
    "uuid": _identity,
    "bytes": _bytes,
    "vector": _vector,
}
"""The types as which a plan may have a column read on both sides."""
