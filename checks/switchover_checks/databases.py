"""Reading from SQLite and PostgreSQL, never writing: what the checks need to look into both sides of a migration."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from switchover_checks.api import Context, ProbeError, Status
from switchover_checks.masking import mask
from switchover_checks.sql_text import read_query
from switchover_checks.units import format_duration

__all__ = ["Column", "Database", "Rows", "Source", "open_database", "query_rows", "source_of"]

MOST_ROWS = 10_000
_BATCH = 1000
Rows = Generator[tuple[Any, ...], None, None]
_URL_KEYS = ("db", "pg", "postgresql", "sqlite", "database", "url")


@dataclass(frozen=True, slots=True)
class Source:
    """A database to read. `name` is how findings call it; the password is apart from the URL."""

    name: str
    url: str
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` is lower case as the database names it. `key` counts the primary key's columns from 1."""

    name: str
    type: str
    key: int = 0


class Database(Protocol):
    """An open database: one snapshot of it, read-only."""

    dialect: str

    def tables(self) -> list[str]:
        """Return the names of all ordinary tables."""

    def columns(self, table: str) -> list[Column]:
        """Return the columns of a table, in order; none when there is no such table."""

    def count(self, table: str) -> int:
        """Return the number of rows."""

    def rows(self, table: str, columns: Sequence[str], order: Sequence[Column]) -> Rows:
        """Go through the rows, ordered bytewise by `order`, holding a batch at a time."""

    def query(self, text: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a query of the plan and return its rows, at most `MOST_ROWS`."""


async def source_of(side: str, ctx: Context, *, url_key: str | None = None, secret: str | None = None) -> Source:
    """Find the database that `side` means: a URL, or the name of an environment that has one under `url_key`.

    Without `url_key` the first of db, pg, postgresql, sqlite, database, url is taken; `KEY_secret` names its password.
    """
    if "://" in side or side.startswith("sqlite:"):
        return Source(mask(side), side, await _secret(ctx, secret))
    try:
        environment: Mapping[str, Any] = ctx.environment(side)
    except KeyError:
        raise ProbeError(f"the plan has no environment {side!r}, and it is not a URL", status=Status.UNKNOWN) from None
    keys = (url_key,) if url_key else _URL_KEYS
    key = next((k for k in keys if environment.get(k)), None)
    if key is None:
        raise ProbeError(f"environment {side!r} has no database under {' or '.join(keys)}", status=Status.UNKNOWN)
    named = secret or environment.get(f"{key}_secret")
    url = str(environment[key])
    if "://" not in url and not url.startswith("sqlite:"):
        url = f"sqlite:{url}"
    return Source(side, url, await _secret(ctx, str(named) if named else None))


async def _secret(ctx: Context, name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return await ctx.in_thread(lambda: ctx.secret(name))
    except KeyError:
        raise ProbeError(f"the plan has no secret {name!r}", status=Status.UNKNOWN) from None


async def query_rows(ctx: Context, url: str, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one query in a thread. Raise `ProbeError`."""

    def work() -> list[tuple[Any, ...]]:
        with open_database(Source(mask(url), url), ctx.base_dir, ctx.deadline) as database:
            return database.query(query, params)

    return await ctx.in_thread(work)


@contextmanager
def open_database(source: Source, base_dir: Path, deadline: float) -> Iterator[Database]:
    """Open a database read-only, in one snapshot, until the deadline (monotonic). Raise `ProbeError`."""
    scheme = source.url.partition(":")[0]
    if scheme == "sqlite":
        with _sqlite(source, base_dir, deadline) as lite:
            yield lite
    elif scheme in ("postgresql", "postgres"):
        with _postgres(source, deadline) as pg:
            yield pg
    else:
        raise ProbeError(f"{source.name}: {scheme!r} is neither sqlite nor postgresql", status=Status.UNKNOWN)


def _sqlite_path(url: str, base_dir: Path) -> Path:
    """`sqlite:///a/b` is /a/b where that is there, else a/b beside the plan; `sqlite:a/b` is beside the plan."""
    rest = url.removeprefix("sqlite:")
    if not rest.startswith("//"):
        return base_dir / rest
    path = Path("/" + rest[2:].lstrip("/"))
    if path.exists() or rest.startswith("////"):
        return path
    beside = base_dir / rest[2:].lstrip("/")
    return beside if beside.exists() else path


@contextmanager
def _sqlite(source: Source, base_dir: Path, deadline: float) -> Iterator[Database]:
    path = _sqlite_path(source.url, base_dir)
    if not path.is_file():
        raise ProbeError(f"{source.name}: the database {path} is not there", phase="connect")
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=max(0.0, deadline - time.monotonic()),
            isolation_level=None,
        )
    except sqlite3.Error as error:
        raise ProbeError(f"{source.name}: {error}", phase="connect") from None
    try:
        connection.text_factory = _lenient
        connection.set_progress_handler(lambda: int(time.monotonic() > deadline), 10_000)
        connection.execute("PRAGMA query_only=ON")
        connection.execute("BEGIN")
        connection.set_authorizer(_only_this_file)
        yield _Sqlite(connection)
    except sqlite3.Error as error:
        status = Status.UNKNOWN if isinstance(error, sqlite3.OperationalError) else Status.CRIT
        told = "not done before the deadline" if "interrupted" in str(error) else str(error)
        raise ProbeError(f"{source.name}: {told}", status=status) from None
    finally:
        connection.close()


def _only_this_file(action: int, name: str | None, *_: str | None) -> int:
    """Keep a statement to the file that was opened for reading: ATTACH and VACUUM INTO would make another one."""
    denied = action in _OTHER_FILES or (action == sqlite3.SQLITE_FUNCTION and name in _NO_FUNCTIONS)
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK


_OTHER_FILES = frozenset({sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_TRANSACTION})
_NO_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "writefile", "edit"})


def _lenient(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _Sqlite:
    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
        )
        return [str(row[0]) for row in rows]

    def columns(self, table: str) -> list[Column]:
        rows = self._connection.execute("SELECT name, type, pk FROM pragma_table_info(?)", (table,))
        return [Column(str(name), str(kind).lower(), int(key)) for name, kind, key in rows]

    def count(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0])  # noqa: S608

    def rows(self, table: str, columns: Sequence[str], order: Sequence[Column]) -> Rows:
        names = ", ".join(_quoted(c) for c in columns)
        sort = ", ".join(f"{_quoted(c.name)} COLLATE BINARY" for c in order)
        cursor = self._connection.execute(
            f"SELECT {names} FROM {_quoted(table)}" + (f" ORDER BY {sort}" if sort else "")  # noqa: S608
        )
        while batch := cursor.fetchmany(_BATCH):
            yield from batch

    def query(self, text: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        _one_question(text)
        return _limited(self._connection.execute(text, tuple(params)).fetchmany(MOST_ROWS + 1))


@contextmanager
def _postgres(source: Source, deadline: float) -> Iterator[Database]:
    import psycopg

    left = deadline - time.monotonic()
    options = f"-c default_transaction_read_only=on -c statement_timeout={max(1, int(left * 1000))}"
    try:
        connection = psycopg.connect(
            source.url,
            connect_timeout=max(2, int(left)),
            options=options,
            application_name="switchover",
            password=source.password,
        )
    except (psycopg.Error, ValueError) as error:
        raise ProbeError(f"{source.name}: {mask(_first(error))}", phase="connect") from None
    try:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield _Postgres(connection)
    except psycopg.errors.QueryCanceled:
        raise ProbeError(
            f"{source.name}: not done within {format_duration(left)}", phase="first_byte", status=Status.UNKNOWN
        ) from None
    except psycopg.Error as error:
        status = Status.CRIT if isinstance(error, psycopg.OperationalError) else Status.UNKNOWN
        raise ProbeError(f"{source.name}: {mask(_first(error))}", status=status) from None
    finally:
        connection.close()


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


class _Postgres:
    dialect = "postgresql"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def tables(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) ORDER BY 1"
        )
        return [str(row[0]) for row in rows]

    def columns(self, table: str) -> list[Column]:
        rows = self._connection.execute(
            "SELECT a.attname, format_type(a.atttypid, NULL), coalesce(array_position(i.indkey, a.attnum), -1)"
            " FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary"
            " WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            (_quoted(table),),
        )
        return [Column(str(name), str(kind).lower(), int(place) + 1) for name, kind, place in rows]

    def count(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0])  # noqa: S608

    def rows(self, table: str, columns: Sequence[str], order: Sequence[Column]) -> Rows:
        names = ", ".join(_quoted(c) for c in columns)
        sort = ", ".join(_sort_key(c) for c in order)
        text = f"SELECT {names} FROM {_quoted(table)}" + (f" ORDER BY {sort}" if sort else "")  # noqa: S608
        with self._connection.cursor(name="switchover_rows") as cursor:
            cursor.itersize = _BATCH
            cursor.execute(text)
            yield from cursor

    def query(self, text: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        _one_question(text)
        with self._connection.pipeline():  # in which the server itself takes one statement and no more
            cursor = self._connection.execute(text, tuple(params) or None)
        if cursor.description is None:
            raise ProbeError("the query returns no rows at all", status=Status.UNKNOWN)
        return _limited(cursor.fetchmany(MOST_ROWS + 1))


_COLLATED = ("text", "character varying", "character", "name")


def _sort_key(column: Column) -> str:
    collate = ' COLLATE "C"' if column.type in _COLLATED else ""
    return f"{_quoted(column.name)}{collate} NULLS FIRST"


def _one_question(text: str) -> None:
    if wrong := read_query(text).wrong:
        raise ProbeError(f"the query: {wrong}", status=Status.UNKNOWN)


def _limited(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    if len(rows) > MOST_ROWS:
        raise ProbeError(
            f"the query returns more than {MOST_ROWS} rows; let it count or select less", status=Status.UNKNOWN
        )
    return rows
