"""PostgreSQL, read in one transaction that cannot write."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from switchover_checks.api import ProbeError, Status
from switchover_checks.data.database.database_api import (
    BATCH,
    MOST_ROWS,
    Database,
    DatabaseColumn,
    DatabaseSource,
    DatabaseTable,
    Fill,
    Lines,
    Rows,
    Selection,
    TableFacts,
    limited,
    one_question,
    quoted,
)
from switchover_checks.data.database.postgres_reading import copied, place, selected
from switchover_checks.data.database.table_facts import table_facts
from switchover_checks.language.units import format_duration
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["open_postgres"]

_AS_TEXT = (
    *("date", "timestamp", "timestamptz", "time", "timetz", "interval", "json", "jsonb", "inet", "cidr"),
    *("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"),
    *("int4multirange", "int8multirange", "nummultirange", "datemultirange", "tsmultirange", "tstzmultirange"),
)
"""Types that are compared as the server writes them: Python has no infinity, no month and no 24:00."""
_SETTINGS = {"row_security": "off", "timezone": "UTC", "datestyle": "ISO, YMD", "intervalstyle": "postgres",
             "bytea_output": "hex", "extra_float_digits": "3", "lc_monetary": "C"}  # fmt: skip
_TRIMS_SCALES = 130_000
"""The version from which on the server takes the zeros off the end of a number."""
_SNAPSHOTS = 130_000
_TABLES = """
SELECT n.nspname, c.relname, pg_table_is_visible(c.oid),
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), c.oid
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND (pg_table_is_visible(c.oid) OR NOT EXISTS (
       SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
 ORDER BY 1, 2"""
_COLUMNS = """
SELECT a.attname, format_type(b.oid, NULL), coalesce(array_position(i.indkey, a.attnum), -1)
  FROM pg_attribute a
  CROSS JOIN LATERAL (
       WITH RECURSIVE d (oid, inner_type) AS (
            SELECT t.oid, t.typbasetype FROM pg_type t WHERE t.oid = a.atttypid
            UNION ALL SELECT t.oid, t.typbasetype FROM pg_type t JOIN d ON t.oid = d.inner_type)
       SELECT d.oid FROM d WHERE d.inner_type = 0) b
  LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
 WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_FILLS = """
SELECT a.attname, n.nspname, s.relname, q.seqincrement, q.seqmin, q.seqmax, q.seqcycle,
       has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(s.oid, 'SELECT')
  FROM (SELECT d.objid, d.refobjid AS relid, d.refobjsubid AS attnum FROM pg_depend d
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        UNION
        SELECT d.refobjid, f.adrelid, f.adnum FROM pg_attrdef f JOIN pg_depend d
            ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass) used
  JOIN pg_class s ON s.oid = used.objid AND s.relkind = 'S'
  JOIN pg_sequence q ON q.seqrelid = s.oid
  JOIN pg_namespace n ON n.oid = s.relnamespace
  JOIN pg_attribute a ON a.attrelid = used.relid AND a.attnum = used.attnum
 WHERE used.relid = %s AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
 ORDER BY a.attnum"""


@contextmanager
def open_postgres(source: DatabaseSource, deadline: float, *, whole: bool) -> Iterator[Database]:
    """Connect, and begin the transaction. Raise `ProbeError`."""
    import psycopg

    left = deadline - time.monotonic()
    try:
        # `options` of the address (a search path, a role) stay as they are: what the check needs is set afterwards.
        connection = psycopg.connect(
            source.url,
            connect_timeout=max(2, int(left)),
            application_name="switchover",
            password=source.password,
        )
    except (psycopg.Error, ValueError) as error:
        raise ProbeError(f"{source.name}: {redact_unknown(_first(error))}", phase="connect") from None
    try:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        settings = {"statement_timeout": str(max(1, int(left * 1000))), **(_SETTINGS if whole else {})}
        if whole and connection.info.parameter_status("server_encoding") != "SQL_ASCII":
            settings["client_encoding"] = "UTF8"
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", (name, value))
        yield _Postgres(connection)
    except psycopg.errors.QueryCanceled:
        raise ProbeError(
            f"{source.name}: not done within {format_duration(left)}", phase="first_byte", status=Status.UNKNOWN
        ) from None
    except psycopg.Error as error:
        status = Status.CRIT if isinstance(error, psycopg.OperationalError) else Status.UNKNOWN
        raise ProbeError(f"{source.name}: {redact_unknown(_first(error))}", status=status) from None
    finally:
        connection.close()


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


class _Postgres:
    dialect = "postgresql"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def tables(self) -> list[DatabaseTable]:
        rows = self._connection.execute(_TABLES)
        return [
            DatabaseTable(str(schema), str(name), near, readable, oid) for schema, name, near, readable, oid in rows
        ]

    def columns(self, table: DatabaseTable) -> list[DatabaseColumn]:
        rows = self._connection.execute(_COLUMNS, (table.number,))
        return [DatabaseColumn(str(name), str(kind).lower(), int(place) + 1) for name, kind, place in rows]

    def count(self, table: DatabaseTable, where: str = "") -> int:
        condition, _ = Selection(table, (), where=where).conditions((), "%s")
        return int(self._connection.execute(f"SELECT count(*) FROM {place(table)}{condition}").fetchone()[0])  # noqa: S608

    def estimate(self, table: DatabaseTable) -> int:
        query = """SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint FROM pg_class c
            WHERE c.oid = %s OR c.oid IN (SELECT relid FROM pg_partition_tree(%s) WHERE isleaf)"""
        return int(self._connection.execute(query, (table.number, table.number)).fetchone()[0])

    def rows(self, selection: Selection) -> Rows:
        from psycopg.types.string import TextLoader

        names = ", ".join(quoted(c.name) for c in selection.columns)
        with self._connection.cursor(name="switchover_rows") as cursor:
            for kind in _AS_TEXT:
                if cursor.adapters.types.get(kind) is not None:
                    cursor.adapters.register_loader(kind, TextLoader)
            cursor.itersize = BATCH
            cursor.execute(*selected(names, selection))
            yield from cursor

    def lines(self, expressions: Sequence[str], selection: Selection, *, bare: bool = False) -> Lines:
        yield from copied(self._connection, expressions, selection, bare=bare)

    def prepare(self, functions: Mapping[str, Callable[[str], str]]) -> bool:
        del functions
        return bool(self._connection.info.server_version >= _TRIMS_SCALES)

    def identity(self) -> str:
        query = "SELECT pg_postmaster_start_time()::text, oid FROM pg_database WHERE datname = current_database()"
        return "postgresql {} {}".format(*self._connection.execute(query).fetchone())

    def mark(self) -> str:
        if self._connection.info.server_version < _SNAPSHOTS:
            return ""
        query = "SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() s"
        low, high = self._connection.execute(query).fetchone()
        # Where none is under way, the next one to write gets this number.
        return str(high) if low == high else ""

    def facts(self, table: DatabaseTable) -> TableFacts:
        return table_facts(self.dialect, self._ask, table)

    def extensions(self) -> list[str]:
        return [str(name) for (name,) in self._connection.execute("SELECT extname FROM pg_extension ORDER BY 1")]

    def _ask(self, text: str, values: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        rows: Sequence[tuple[Any, ...]] = self._connection.execute(text, values).fetchall()
        return rows

    def fills(self, table: DatabaseTable) -> list[Fill]:
        return [self._fill(table, *row) for row in self._connection.execute(_FILLS, (table.number,)).fetchall()]

    def _fill(
        self,
        table: DatabaseTable,
        column: str,
        schema: str,
        name: str,
        step: int,
        least: int,
        most: int,
        cycle: bool,
        may: bool,
    ) -> Fill:
        sequence = DatabaseTable(schema, name)
        if not may:
            return Fill(column, sequence.full, step, None, None, None, "may not be read")
        value, called = self._connection.execute(f"SELECT last_value, is_called FROM {place(sequence)}").fetchone()  # noqa: S608
        ends = f"SELECT min({quoted(column)}), max({quoted(column)}) FROM {place(table)}"  # noqa: S608
        lowest, highest = self._connection.execute(ends).fetchone()
        following = value + step if called else value
        if not least <= following <= most:
            if not cycle:
                return Fill(column, sequence.full, step, None, lowest, highest, "has no number left")
            following = least if step > 0 else most
        return Fill(column, sequence.full, step, following, lowest, highest)

    def query(self, text: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        one_question(text)
        for name, loader in _lenient_loaders().items():
            self._connection.adapters.register_loader(name, loader)
        with self._connection.pipeline():  # in which the server itself takes one statement and no more
            cursor = self._connection.execute(text, tuple(params) or None)
        if cursor.description is None:
            raise ProbeError("the query returns no rows at all", status=Status.UNKNOWN)
        return limited(cursor.fetchmany(MOST_ROWS + 1))


@functools.cache
def _lenient_loaders() -> dict[str, Any]:
    """Return loaders that give the text of a value for which Python has none: infinity, 24:00, a month."""
    from psycopg import DataError
    from psycopg.types import datetime as usual
    from psycopg.types.string import TextLoader

    def lenient(base: Any) -> Any:
        class Lenient(base):  # type: ignore[misc]
            def load(self, data: Any) -> Any:
                try:
                    return super().load(data)
                except DataError:
                    return bytes(data).decode()

        return Lenient

    return {
        "date": lenient(usual.DateLoader),
        "timestamp": lenient(usual.TimestampLoader),
        "timestamptz": lenient(usual.TimestamptzLoader),
        "time": lenient(usual.TimeLoader),
        "timetz": lenient(usual.TimetzLoader),
        "interval": TextLoader,
    }
