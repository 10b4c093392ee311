"""MySQL and MariaDB, read in one transaction that cannot write."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from switchover_checks.api import ProbeError, Status
from switchover_checks.data.database.database_api import (
    BATCH,
    MOST_ROWS,
    Database,
    DatabaseColumn,
    DatabaseSource,
    DatabaseTable,
    Fill,
    KeyValue,
    Lines,
    Rows,
    Selection,
    TableFacts,
    limited,
    one_question,
)
from switchover_checks.data.database.table_facts import table_facts
from switchover_checks.language.units import format_duration
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["open_mysql"]

_PORT = 3306
_LINES = 2000
_NUMBERS = frozenset(
    str.split("tinyint smallint mediumint int bigint decimal float double year date datetime timestamp time bit")
)
"""Types that are ordered by their values; all others by their bytes."""
_TOO_LATE = frozenset({1317, 1969, 2013, 3024})
_OWN = "('information_schema', 'mysql', 'performance_schema', 'sys')"
_TABLES = f"""
SELECT table_schema, table_name, table_schema <=> DATABASE() FROM information_schema.tables
 WHERE table_type = 'BASE TABLE' AND table_schema NOT IN {_OWN} AND table_schema = coalesce(DATABASE(), table_schema)
 ORDER BY 1, 2"""  # noqa: S608
_COLUMNS = """
SELECT c.column_name, CASE WHEN c.column_type LIKE 'tinyint(1)%%' THEN 'boolean' ELSE c.data_type END,
       coalesce(s.seq_in_index, 0), coalesce(c.collation_name, '')
  FROM information_schema.columns c
  LEFT JOIN information_schema.statistics s ON s.table_schema = c.table_schema AND s.table_name = c.table_name
       AND s.column_name = c.column_name AND s.index_name = 'PRIMARY'
 WHERE c.table_schema = %s AND c.table_name = %s ORDER BY c.ordinal_position"""


@contextmanager
def open_mysql(source: DatabaseSource, deadline: float, *, whole: bool) -> Iterator[Database]:
    """Connect, and begin the transaction. Raise `ProbeError`."""
    import pymysql
    from pymysql.cursors import SSCursor

    left = deadline - time.monotonic()
    try:
        connection: Any = pymysql.connect(**_address(source, left), charset="utf8mb4", cursorclass=SSCursor)
    except (pymysql.Error, OSError, ValueError, RuntimeError) as error:
        raise ProbeError(f"{source.name}: {redact_unknown(_first(error))}", phase="connect") from None
    try:
        _begin(connection, left, whole=whole)
        yield _Mysql(connection)
    except (pymysql.Error, OSError) as error:
        code = error.args[0] if error.args else 0
        if code in _TOO_LATE:
            told = f"not done within {format_duration(left)}"
            raise ProbeError(f"{source.name}: {told}", phase="first_byte", status=Status.UNKNOWN) from None
        gone = isinstance(error, OSError | pymysql.err.OperationalError) and not isinstance(code, int | str)
        status = Status.CRIT if gone or code in (2006, 2014) else Status.UNKNOWN
        raise ProbeError(f"{source.name}: {redact_unknown(_first(error))}", status=status) from None
    finally:
        with contextlib.suppress(pymysql.Error, OSError):
            connection._force_close()  # noqa: SLF001 - an orderly close would read what is left of a result


def _address(source: DatabaseSource, left: float) -> dict[str, Any]:
    url = urlsplit(source.url)
    options = dict(parse_qsl(url.query))
    given: dict[str, Any] = {
        "host": url.hostname or "localhost",
        "port": url.port or _PORT,
        "user": unquote(url.username) if url.username else None,
        "password": source.password or unquote(url.password or ""),
        "database": unquote(url.path.lstrip("/")) or None,
        "connect_timeout": max(1, int(left)),
        "read_timeout": max(1, int(left) + 1),
    }
    if "unix_socket" in options:
        given["unix_socket"] = options.pop("unix_socket")
    if "ssl_ca" in options:
        given |= {"ssl_ca": options.pop("ssl_ca"), "ssl_verify_cert": True, "ssl_verify_identity": True}
    if options:
        raise ValueError(f"the address has {', '.join(sorted(options))}; it may have unix_socket and ssl_ca")
    return given


def _begin(connection: Any, left: float, *, whole: bool) -> None:
    with connection.cursor() as cursor:
        if "mariadb" in str(connection.server_version).lower():
            cursor.execute("SET max_statement_time = %s", (max(0.001, left),))
        else:
            cursor.execute("SET max_execution_time = %s", (max(1, int(left * 1000)),))
        if whole:
            cursor.execute("SET time_zone = '+00:00', sql_mode = 'ANSI_QUOTES', group_concat_max_len = 4294967295")
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


def _first(error: Exception) -> str:
    told = error.args[1] if len(error.args) > 1 else error
    return str(told).strip().partition("\n")[0] or type(error).__name__


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _place(table: DatabaseTable) -> str:
    return f"{_name(table.schema)}.{_name(table.name)}"


def _key(column: DatabaseColumn) -> str:
    name = _name(column.name)
    return name if column.type in _NUMBERS else f"CAST(CONVERT({name} USING utf8mb4) AS BINARY)"


def _selected(expressions: str, selection: Selection) -> tuple[str, list[KeyValue] | None]:
    key = [_key(c) for c in selection.order]
    condition, values = selection.conditions(key, "%s")
    if values and selection.where:
        condition = condition.replace(selection.where, selection.where.replace("%", "%%"), 1)
    sort = f" ORDER BY {', '.join(key)}" if key else ""
    return f"SELECT {expressions} FROM {_place(selection.table)}{condition}{sort}", values or None  # noqa: S608


class _Mysql:
    dialect = "mysql"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def _all(self, text: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(text, values)
            return list(cursor.fetchall())

    def tables(self) -> list[DatabaseTable]:
        return [DatabaseTable(str(schema), str(name), bool(near)) for schema, name, near in self._all(_TABLES)]

    def columns(self, table: DatabaseTable) -> list[DatabaseColumn]:
        rows = self._all(_COLUMNS, (table.schema, table.name))
        return [DatabaseColumn(str(n), str(kind).lower(), int(key), str(sort)) for n, kind, key, sort in rows]

    def count(self, table: DatabaseTable, where: str = "") -> int:
        condition, _ = Selection(table, (), where=where).conditions((), "%s")
        return int(self._all(f"SELECT count(*) FROM {_place(table)}{condition}")[0][0])  # noqa: S608

    def estimate(self, table: DatabaseTable) -> int:
        query = "SELECT table_rows FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"
        return int(self._all(query, (table.schema, table.name))[0][0] or 0)

    def rows(self, selection: Selection) -> Rows:
        yield from self._batches(", ".join(_name(c.name) for c in selection.columns), selection, BATCH)

    def lines(self, expressions: Sequence[str], selection: Selection, *, bare: bool = False) -> Lines:
        assert bare
        rows = self._batches(f"CAST({expressions[0]} AS BINARY)", selection, _LINES)
        try:
            batch: list[bytes] = []
            for row in rows:
                batch.append(row[0])
                if len(batch) == _LINES:
                    yield batch
                    batch = []
            if batch:
                yield batch
        finally:
            rows.close()

    def _batches(self, expressions: str, selection: Selection, most: int) -> Rows:
        with self._connection.cursor() as cursor:
            cursor.execute(*_selected(expressions, selection))
            while batch := cursor.fetchmany(most):
                yield from batch

    def prepare(self, functions: Mapping[str, Callable[[str], str]]) -> bool:
        del functions
        return True

    def identity(self) -> str:
        return "mysql {} {} {} {}".format(*self._all("SELECT @@hostname, @@port, @@datadir, DATABASE()")[0])

    def mark(self) -> str:
        """Return nothing: the server keeps no number that every change moves."""
        return ""

    def facts(self, table: DatabaseTable) -> TableFacts:
        return table_facts(self.dialect, self._all, table)

    def extensions(self) -> list[str]:
        return []

    def fills(self, table: DatabaseTable) -> list[Fill]:
        """Return none: a counter of MySQL goes on behind the highest number by itself."""
        del table
        return []

    def query(self, text: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        one_question(text)
        with self._connection.cursor() as cursor:
            cursor.execute(text, tuple(params) or None)
            if cursor.description is None:
                raise ProbeError("the query returns no rows at all", status=Status.UNKNOWN)
            return limited(list(cursor.fetchmany(MOST_ROWS + 1)))
