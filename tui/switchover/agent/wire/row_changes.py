"""Many rows on the wire: only those that changed, which ones have gone, and the order where it is another.

A client that misses Snapshots gets the difference to the one that it has, whatever was in between. Each row is encoded
once however many clients watch, and so is each difference that several of them need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec

from switchover.agent.wire.encoding import encode
from switchover.snapshot import CheckRow, MetricRow, PhaseView, ServiceRow

__all__ = ["TABLES", "RowChanges", "RowEncoder", "apply_rows"]

Row: TypeAlias = "ServiceRow | CheckRow | MetricRow | PhaseView"
_Rows: TypeAlias = "Sequence[Row]"


def _id(row: Any) -> str:
    return str(row.id)


def _name(row: Any) -> str:
    return str(row.name)


TABLES: Mapping[str, tuple[type[Row], Callable[[Row], str]]] = MappingProxyType(
    {
        "services": (ServiceRow, _id),
        "found": (ServiceRow, _id),
        "checks": (CheckRow, _name),
        "metrics": (MetricRow, _name),
        "migration.phases": (PhaseView, _id),
    }
)
"""What is sent by rows: the type of a row, and what it is known by."""
_KEPT = 4  # differences that are kept for the next client


class RowChanges(msgspec.Struct, frozen=True, omit_defaults=True):
    """What makes new rows of old ones. Without an `order` the rows stay where they are, and new ones stand last."""

    changed: tuple[msgspec.Raw, ...] = ()
    gone: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


class RowEncoder:
    """Encodes the rows of one table."""

    def __init__(self, table: str) -> None:
        self._key = TABLES[table][1]
        self._rows: dict[str, tuple[Row, msgspec.Raw]] = {}
        self._differences: list[tuple[_Rows, _Rows, msgspec.Raw | None]] = []

    def whole(self, rows: _Rows) -> msgspec.Raw:
        """Return all rows."""
        return msgspec.Raw(encode([self._raw(row) for row in rows]))

    def difference(self, before: _Rows, now: _Rows) -> msgspec.Raw | None:
        """Return what makes `now` of `before`; None where the rows have no names of their own."""
        for old, new, raw in self._differences:
            if old is before and new is now:
                return raw
        raw = self._difference(before, now)
        self._differences = [(before, now, raw), *self._differences[: _KEPT - 1]]
        return raw

    def _difference(self, before: _Rows, now: _Rows) -> msgspec.Raw | None:
        key = self._key
        old = {key(row): row for row in before}
        new = {key(row): row for row in now}
        if len(old) != len(before) or len(new) != len(now) or "" in new or "" in old:
            return None
        changed = [row for name, row in new.items() if (was := old.get(name)) is not row and was != row]
        gone = [name for name in old if name not in new]
        line: dict[str, object] = {"changed": [self._raw(row) for row in changed]}
        if gone:
            line["gone"] = gone
        as_they_come = [name for name in old if name in new] + [key(row) for row in changed if key(row) not in old]
        if as_they_come != list(new):
            line["order"] = list(new)
        if len(self._rows) > 2 * len(new) + 100:
            self._rows = {name: self._rows[name] for name in new if name in self._rows}
        return msgspec.Raw(encode(line))

    def _raw(self, row: Row) -> msgspec.Raw:
        name = self._key(row)
        cached = self._rows.get(name)
        if cached is not None and cached[0] is row:
            return cached[1]
        raw = msgspec.Raw(encode(row))
        self._rows[name] = (row, raw)
        return raw


def apply_rows(table: str, before: _Rows, changes: RowChanges) -> tuple[Row, ...]:
    """Return the rows after `changes`. Raise `KeyError` where those are not for these rows."""
    kind, key = TABLES[table]
    rows = {key(row): row for row in before}
    for name in changes.gone:
        del rows[name]
    for raw in changes.changed:
        row = msgspec.json.decode(raw, type=kind, strict=False)
        rows[key(row)] = row
    if changes.order:
        return tuple(rows[name] for name in changes.order)
    return tuple(rows.values())
