"""Which table of one database belongs to which of the other: by schema and name, however a plan writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from switchover_checks.api import Finding, Status
from switchover_checks.data.database import DatabaseTable

__all__ = ["Pair", "find_table", "pair_tables"]

NOWHERE_ELSE: Mapping[str, str] = {}
_PART = re.compile(r'"(?:[^"]|"")*"|[^."]+')


@dataclass(frozen=True, slots=True)
class Pair:
    """A table as it is called, and where it is on each side."""

    name: str
    left: DatabaseTable
    right: DatabaseTable


def pair_tables(
    wanted: Sequence[str],
    ignored: Sequence[str],
    sides: tuple[list[DatabaseTable], list[DatabaseTable]],
    names: tuple[str, str],
    targets: Mapping[str, str] = NOWHERE_ELSE,
) -> tuple[list[Pair], list[Finding]]:
    """Pair the `wanted` tables (`"*"`: all of either side). Report those that are missing or may not be read.

    A name without a schema means what its side finds under it: in the first schema of its search path. `targets` says
    which are called otherwise on the right side.
    """
    rows = _named([entry for entry in wanted if entry != "*"], sides, targets)
    named = len(rows)
    if "*" in wanted:
        rows += _all(_without(sides, rows))
    pairs, findings = [], []
    for place, (name, left, right) in enumerate(rows):
        if any(table is not None and _means(entry, table) for entry in ignored for table in (left, right)):
            continue
        if left is not None and right is not None:
            pair = Pair(name, left, right)
            if finding := _unreadable(pair, names):
                findings.append(finding)
            else:
                pairs.append(pair)
            continue
        absent = [side for side, table in zip(names, (left, right), strict=True) if table is None]
        # A new stack may bring a table of its own; one that got lost on the way may not be overlooked.
        status = Status.WARN if place >= named and left is None else Status.CRIT
        findings.append(Finding(name, "a table on both sides", f"not in {' nor '.join(absent)}", status))
    return pairs, findings


Row = tuple[str, DatabaseTable | None, DatabaseTable | None]


def _all(sides: tuple[list[DatabaseTable], list[DatabaseTable]]) -> list[Row]:
    left, right = ({str(table): table for table in side} for side in sides)
    rows: list[Row] = [(name, left.pop(name), right.pop(name)) for name in sorted(left.keys() & right.keys())]
    others = {table.full: table for table in right.values()}
    for name, table in left.items():
        other = others.pop(table.full, None)
        rows.append((table.full if other is not None else name, table, other))
    rows += [(str(table), None, table) for table in others.values()]
    return sorted(rows, key=_name)


def _name(row: Row) -> str:
    return row[0]


def _without(
    sides: tuple[list[DatabaseTable], list[DatabaseTable]], rows: Sequence[Row]
) -> tuple[list[DatabaseTable], list[DatabaseTable]]:
    used = [{row[1] for row in rows}, {row[2] for row in rows}]
    return [t for t in sides[0] if t not in used[0]], [t for t in sides[1] if t not in used[1]]


def _named(
    wanted: Sequence[str], sides: tuple[list[DatabaseTable], list[DatabaseTable]], targets: Mapping[str, str]
) -> list[Row]:
    rows: dict[str, Row] = {}
    for entry in wanted:
        if entry.endswith(".*"):
            members = tuple([t for t in side if _means(entry, t)] for side in sides)
            found = _all((members[0], members[1])) or [(entry, None, None)]
        else:
            found = [(entry, find_table(entry, sides[0]), find_table(targets.get(entry, entry), sides[1]))]
        rows.update((row[0], row) for row in found)
    return list(rows.values())


def find_table(entry: str, tables: Iterable[DatabaseTable]) -> DatabaseTable | None:
    """Return the table that an entry of a plan means."""
    matching = [table for table in tables if _means(entry, table)]
    return next((t for t in matching if t.near), matching[0] if matching else None)


def _means(entry: str, table: DatabaseTable) -> bool:
    """Tell whether an entry of a plan means a table; `public.x` also means the x of a database without schemas."""
    if entry in (str(table), table.full) or (table.near and entry == table.name):
        return True
    parts = [p[1:-1].replace('""', '"') if p[0] == '"' else p for p in _PART.findall(entry)]
    if len(parts) == 1:
        return table.near and parts[0] == table.name
    if len(parts) != 2:
        return False
    schemas = (table.schema, "public") if table.schema == "main" else (table.schema,)
    return parts[0] in schemas and parts[1] in (table.name, "*")


def _unreadable(pair: Pair, names: tuple[str, str]) -> Finding | None:
    closed = [n for n, table in zip(names, (pair.left, pair.right), strict=True) if not table.readable]
    if not closed:
        return None
    return Finding(pair.name, "readable on both sides", f"may not be read in {' nor '.join(closed)}", Status.UNKNOWN)
