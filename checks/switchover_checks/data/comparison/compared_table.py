"""One table on two sides: which columns belong together, and which of them are the key."""

from __future__ import annotations

from dataclasses import dataclass, replace

from switchover_checks.data.database import DatabaseColumn, DatabaseTable, Selection
from switchover_checks.data.database.database_api import KeyValue

__all__ = ["ColumnPair", "ComparedTable", "KeyRange"]


@dataclass(frozen=True, slots=True)
class ColumnPair:
    """A column on both sides. `cast` names the type as which both are read; `tolerance` is how far numbers may lie."""

    left: DatabaseColumn
    right: DatabaseColumn
    cast: str = ""
    tolerance: float | None = None

    @property
    def name(self) -> str:
        """How findings call it."""
        return self.left.name


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The rows whose key is above `after` and not above `upto`; None is no bound."""

    after: tuple[KeyValue, ...] | None = None
    upto: tuple[KeyValue, ...] | None = None


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """A table to compare. Without `key` its rows have no names. `where` chooses rows on the left and on the right."""

    name: str
    left: DatabaseTable
    right: DatabaseTable
    columns: tuple[ColumnPair, ...]
    key: tuple[ColumnPair, ...] = ()
    where: tuple[str, str] = ("", "")
    unique: bool = False
    """Whether the key is the whole primary key of both sides."""

    def selections(self, span: KeyRange | None = None) -> tuple[Selection, Selection]:
        """Return what is read of each side: all, or the rows of a range."""
        span = span or KeyRange()
        left = Selection(
            self.left,
            tuple(c.left for c in self.columns),
            tuple(c.left for c in self.key),
            self.where[0],
            span.after,
            span.upto,
        )
        columns, order = tuple(c.right for c in self.columns), tuple(c.right for c in self.key)
        return left, replace(left, table=self.right, columns=columns, order=order, where=self.where[1])
