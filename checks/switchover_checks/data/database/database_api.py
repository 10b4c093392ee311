"""What a database is to a check: its tables, columns and rows, in one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from switchover_checks.api import ProbeError, Status
from switchover_checks.language.sql_text import read_query

__all__ = [
    "BATCH",
    "MOST_ROWS",
    "Database",
    "DatabaseColumn",
    "DatabaseConstraint",
    "DatabaseIndex",
    "DatabaseSource",
    "DatabaseTable",
    "Fill",
    "KeyValue",
    "Lines",
    "Rows",
    "Selection",
    "TableFacts",
    "limited",
    "one_question",
    "quoted",
]

MOST_ROWS = 10_000
BATCH = 1000
Rows = Generator[tuple[Any, ...], None, None]
Lines = Generator[list[bytes], None, None]
"""Rows as bytes, many at a time."""
KeyValue = int | str | bytes | Decimal
"""What a query takes as the value of a key."""


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """A database to read. `name` is how findings call it; the password is apart from the URL."""

    name: str
    url: str
    password: str | None = None


@dataclass(frozen=True, slots=True)
class DatabaseTable:
    """A table. `near`: it is found by its name alone, because its schema is on the search path."""

    schema: str
    name: str
    near: bool = True
    readable: bool = True
    number: int = 0

    @property
    def full(self) -> str:
        """The name with its schema, in quotes where a dot or a quote is part of it."""
        return f"{_written(self.schema)}.{_written(self.name)}" if self.schema else _written(self.name)

    def __str__(self) -> str:
        return _written(self.name) if self.near else self.full


@dataclass(frozen=True, slots=True)
class DatabaseColumn:
    """A column; `type` is lower case as the database names it. `key` counts the primary key's columns from 1."""

    name: str
    type: str
    key: int = 0
    collation: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows to read in the order of a key: those above `after` and not above `upto`. `where` is SQL of the plan."""

    table: DatabaseTable
    columns: tuple[DatabaseColumn, ...]
    order: tuple[DatabaseColumn, ...] = ()
    where: str = ""
    after: tuple[KeyValue, ...] | None = None
    upto: tuple[KeyValue, ...] | None = None

    def conditions(self, key: Sequence[str], mark: str) -> tuple[str, list[KeyValue]]:
        """Write the WHERE clause for the key's expressions, and its values; `mark` stands for a value."""
        parts = [f"({self.where}\n)"] if self.where else []
        values: list[KeyValue] = []
        for sign, bound in ((">", self.after), ("<=", self.upto)):
            if bound is not None:
                parts.append(f"({', '.join(key)}) {sign} ({', '.join([mark] * len(bound))})")
                values += bound
        return (" WHERE " + " AND ".join(parts) if parts else ""), values


@dataclass(frozen=True, slots=True)
class Fill:
    """A column that a sequence fills: the next number that it gives, and what stands in the column already.

    `next` is None where the sequence may not be read, or has no number left.
    """

    column: str
    sequence: str
    step: int
    next: int | None
    lowest: int | None
    highest: int | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseIndex:
    """An index. `columns` are names, or the text of expressions. `valid`: the server uses it."""

    name: str
    columns: tuple[str, ...]
    method: str = ""
    unique: bool = False
    valid: bool = True


@dataclass(frozen=True, slots=True)
class DatabaseConstraint:
    """A constraint by its name and its text. `valid`: all rows were checked."""

    name: str
    text: str
    valid: bool = True


@dataclass(frozen=True, slots=True)
class TableFacts:
    """The full types of a table's columns, those that are never NULL, its indexes and constraints."""

    types: Mapping[str, str]
    required: frozenset[str]
    indexes: tuple[DatabaseIndex, ...]
    constraints: tuple[DatabaseConstraint, ...]


class Database(Protocol):
    """An open database: one snapshot of it, read-only."""

    dialect: str

    def tables(self) -> list[DatabaseTable]:
        """Return all ordinary tables of all schemas, but those of the database itself."""

    def columns(self, table: DatabaseTable) -> list[DatabaseColumn]:
        """Return the columns of a table, in order; none when there is no such table."""

    def count(self, table: DatabaseTable, where: str = "") -> int:
        """Return the number of rows."""

    def estimate(self, table: DatabaseTable) -> int:
        """Return about how many rows a table has, at no cost; 0 where that is not known."""

    def rows(self, selection: Selection) -> Rows:
        """Go through the rows, ordered bytewise by the selection's key, holding a batch at a time."""

    def lines(self, expressions: Sequence[str], selection: Selection, *, bare: bool = False) -> Lines:
        """Go through the rows as the bytes of SQL `expressions`. With `bare`: the text of a single one alone."""

    def prepare(self, functions: Mapping[str, Callable[[str], str]]) -> bool:
        """Make functions known that texts are written with. Return whether its rows can be written as texts."""

    def identity(self) -> str:
        """Return what tells this database from every other, by whatever address it is reached."""

    def mark(self) -> str:
        """Return what changes with the content; empty where nothing proves that it did not change."""

    def facts(self, table: DatabaseTable) -> TableFacts:
        """Return full types, indexes and constraints of a table."""

    def extensions(self) -> list[str]:
        """Return the names of the extensions that are installed."""

    def fills(self, table: DatabaseTable) -> list[Fill]:
        """Return the columns of a table that a sequence fills."""

    def query(self, text: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a query of the plan and return its rows, at most `MOST_ROWS`."""


def quoted(name: str) -> str:
    """Write a name so that the database takes it as it is."""
    return '"' + name.replace('"', '""') + '"'


def one_question(text: str) -> None:
    """Raise `ProbeError` for a text that no database would refuse and that is no question."""
    if wrong := read_query(text).wrong:
        raise ProbeError(f"the query: {wrong}", status=Status.UNKNOWN)


def limited(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows unless they are too many. Raise `ProbeError`."""
    if len(rows) > MOST_ROWS:
        raise ProbeError(
            f"the query returns more than {MOST_ROWS} rows; let it count or select less", status=Status.UNKNOWN
        )
    return rows


def _written(name: str) -> str:
    return quoted(name) if "." in name or '"' in name or not name else name
