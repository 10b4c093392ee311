"""What a database says of a table beside its columns: indexes and constraints; and which extensions it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from switchover_checks.data.database.database_api import (
    DatabaseConstraint,
    DatabaseIndex,
    DatabaseTable,
    TableFacts,
)

__all__ = ["table_facts"]

Ask = Callable[[str, Sequence[Any]], Sequence[tuple[Any, ...]]]


_POSTGRES_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
 WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped"""
_POSTGRES_INDEXES = """
SELECT i.relname, m.amname, x.indisunique, x.indisvalid,
       ARRAY(SELECT pg_get_indexdef(x.indexrelid, k, true) FROM generate_series(1, x.indnkeyatts) k)
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
 WHERE x.indrelid = %s ORDER BY 1"""
_POSTGRES_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE conrelid = %s ORDER BY 1"""
_MYSQL_COLUMNS = """
SELECT column_name, column_type, is_nullable = 'NO' FROM information_schema.columns
 WHERE table_schema = %s AND table_name = %s"""
_MYSQL_INDEXES = """
SELECT index_name, lower(index_type), non_unique = 0, column_name FROM information_schema.statistics
 WHERE table_schema = %s AND table_name = %s ORDER BY index_name, seq_in_index"""
_MYSQL_CONSTRAINTS = """
SELECT constraint_name, constraint_type FROM information_schema.table_constraints
 WHERE table_schema = %s AND table_name = %s ORDER BY 1"""


def table_facts(dialect: str, ask: Ask, table: DatabaseTable) -> TableFacts:
    """Read the facts of a table."""
    if dialect == "postgresql":
        return _of_postgres(ask, table)
    return _of_mysql(ask, table) if dialect == "mysql" else _of_sqlite(ask, table)


def _of_postgres(ask: Ask, table: DatabaseTable) -> TableFacts:
    columns = ask(_POSTGRES_COLUMNS, (table.number,))
    indexes = ask(_POSTGRES_INDEXES, (table.number,))
    constraints = ask(_POSTGRES_CONSTRAINTS, (table.number,))
    return TableFacts(
        {name: kind for name, kind, _ in columns},
        frozenset(name for name, _, required in columns if required),
        tuple(DatabaseIndex(name, tuple(keys), method, unique, ok) for name, method, unique, ok, keys in indexes),
        tuple(DatabaseConstraint(*row) for row in constraints),
    )


def _of_mysql(ask: Ask, table: DatabaseTable) -> TableFacts:
    place = (table.schema, table.name)
    columns, constraints = ask(_MYSQL_COLUMNS, place), ask(_MYSQL_CONSTRAINTS, place)
    indexes: dict[str, DatabaseIndex] = {}
    for name, method, unique, column in ask(_MYSQL_INDEXES, place):
        before = indexes[name].columns if name in indexes else ()
        indexes[name] = DatabaseIndex(name, (*before, str(column)), method, bool(unique))
    return TableFacts(
        {name: kind for name, kind, _ in columns},
        frozenset(name for name, _, required in columns if required),
        tuple(indexes.values()),
        tuple(DatabaseConstraint(name, kind) for name, kind in constraints),
    )


def _of_sqlite(ask: Ask, table: DatabaseTable) -> TableFacts:
    columns = ask('SELECT name, lower(type), "notnull" OR pk > 0 FROM pragma_table_info(?)', (table.name,))
    indexes = []
    for name, unique in ask('SELECT name, "unique" FROM pragma_index_list(?) ORDER BY name', (table.name,)):
        keys = ask("SELECT coalesce(name, 'expression') FROM pragma_index_info(?) ORDER BY seqno", (name,))
        indexes.append(DatabaseIndex(name, tuple(key for (key,) in keys), "btree", bool(unique)))
    foreign: dict[int, list[tuple[str, str, str]]] = {}
    query = """SELECT id, "from", "table", coalesce("to", '') FROM pragma_foreign_key_list(?) ORDER BY id, seq"""
    for number, here, other, there in ask(query, (table.name,)):
        foreign.setdefault(number, []).append((here, other, there))
    return TableFacts(
        {name: kind for name, kind, _ in columns},
        frozenset(name for name, _, required in columns if required),
        tuple(indexes),
        tuple(DatabaseConstraint("", _foreign_key(keys)) for keys in foreign.values()),
    )


def _foreign_key(keys: list[tuple[str, str, str]]) -> str:
    here, there = ", ".join(k[0] for k in keys), ", ".join(k[2] for k in keys)
    return f"FOREIGN KEY ({here}) REFERENCES {keys[0][1]}({there})"
