"""Values that need not be equal to the last digit: numbers, times and vectors within a tolerance."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from switchover_checks.data.comparison.compared_table import ColumnPair
from switchover_checks.data.comparison.table_wish import TableWish
from switchover_checks.data.database import DatabaseColumn

__all__ = ["VECTORS", "are_near", "takes_tolerance", "tolerance_words"]

VECTORS = frozenset({"vector", "halfvec"})
_OF_VECTORS = 1e-6
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double", "float", "decimal", "int", "number", "money")
_TIMES = ("timestamp", "datetime", "date")


def takes_tolerance(left: DatabaseColumn, right: DatabaseColumn, cast: str, wish: TableWish) -> float | None:
    """Return the tolerance of a column. One for all columns is for those that hold numbers or times."""
    named = isinstance(wish.tolerance, dict)
    wanted = wish.tolerance_of(left.name)
    kinds = (cast,) if cast else (left.type, right.type)
    if VECTORS.intersection(kinds):
        return _OF_VECTORS if wanted is None else wanted
    if named or wanted is None:
        return wanted
    return wanted if any(kind.startswith((*_NUMBERS, *_TIMES)) for kind in kinds) else None


def are_near(left: Any, right: Any, tolerance: float | None) -> bool:
    """Tell whether two values are the same, or lie no further apart than they may."""
    if repr(left) == repr(right):
        return True
    if tolerance is None:
        return False
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(are_near(a, b, tolerance) for a, b in zip(left, right, strict=True))
    distance = _distance(left, right)
    return distance is not None and distance <= Fraction(repr(tolerance))


def _distance(left: Any, right: Any) -> Fraction | None:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return Fraction(abs(left - right) // timedelta(microseconds=1), 1_000_000)
    if isinstance(left, date) and isinstance(right, date) and not isinstance(left, datetime):
        return Fraction(abs((left - right).days) * 86_400)
    if not all(isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in (left, right)):
        return None
    try:
        return abs(Fraction(left) - Fraction(right))
    except (OverflowError, ValueError):  # infinite
        return None


def tolerance_words(pairs: tuple[ColumnPair, ...]) -> str:
    """Say which columns were compared within which tolerance."""
    listed = [f"{pair.name} within {pair.tolerance:g}" for pair in pairs if pair.tolerance is not None]
    return ", ".join(listed)
