"""Which columns of a table are compared with which of the other side, and by which key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from switchover_checks.api import Finding, Status
from switchover_checks.data.comparison.compared_table import ColumnPair, ComparedTable
from switchover_checks.data.comparison.near_values import takes_tolerance
from switchover_checks.data.comparison.table_pairs import Pair
from switchover_checks.data.comparison.table_wish import TableWish
from switchover_checks.data.database import DatabaseColumn

__all__ = ["TableColumns", "compared_table"]


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns of a table on both sides, and the names of the sides."""

    pair: Pair
    left: Sequence[DatabaseColumn]
    right: Sequence[DatabaseColumn]
    sides: tuple[str, str]


def compared_table(
    table: TableColumns, wish: TableWish, usual_key: Sequence[str], ignored: Sequence[str]
) -> tuple[ComparedTable | None, list[Finding]]:
    """Pair the columns. Without a table, what was found says why it cannot be compared."""
    pairs, findings = _pairs(table, wish, {*ignored, *wish.ignore})
    name = table.pair.name
    by_name = {c.name: c for c in pairs}
    key = list(wish.key or usual_key) or [c.name for c in sorted(table.left, key=_key_place) if c.key]
    if unknown := [k for k in key if k not in by_name]:
        text = f"no column {', '.join(unknown)} on both sides"
        return None, [*findings, Finding(name, f"the key {', '.join(key)}", text, Status.UNKNOWN)]
    if unknown := sorted(wish.named() - {c.name for c in table.left}):
        text = f"no column {', '.join(unknown)} in {table.sides[0]}"
        return None, [*findings, Finding(name, "the columns that the plan names", text, Status.UNKNOWN)]
    if not pairs:
        return None, [*findings, Finding(name, "columns in common", "none", Status.UNKNOWN)]
    if not key and any(pair.tolerance is not None for pair in pairs):
        text = "it has no key, and rows without one are only alike or not"
        return None, [*findings, Finding(name, "a key for values within a tolerance", text, Status.UNKNOWN)]
    chosen = tuple(by_name[k] for k in key)
    primary = [{c.name for c in side if c.key} for side in (table.left, table.right)]
    unique = bool(key) and primary == [{c.left.name for c in chosen}, {c.right.name for c in chosen}]
    pair = table.pair
    return ComparedTable(name, pair.left, pair.right, tuple(pairs), chosen, wish.conditions, unique), findings


def _pairs(table: TableColumns, wish: TableWish, ignored: set[str]) -> tuple[list[ColumnPair], list[Finding]]:
    right = {c.name: c for c in table.right if c.name not in ignored}
    pairs, lost = [], []
    for column in table.left:
        other = right.pop(wish.columns.get(column.name, column.name), None)
        if column.name in ignored:
            continue
        if other is None:
            lost.append(column.name)
            continue
        cast = wish.casts.get(column.name, "")
        pairs.append(ColumnPair(column, other, cast, takes_tolerance(column, other, cast, wish)))
    findings = []
    for names, side, status in ((sorted(lost), 1, Status.CRIT), (sorted(right), 0, Status.WARN)):
        if names:
            text = f"{', '.join(names[:10])} not in {table.sides[side]}"
            findings.append(Finding(f"{table.pair.name} columns", "the same on both sides", text, status))
    return pairs, findings


def _key_place(column: DatabaseColumn) -> int:
    return column.key
