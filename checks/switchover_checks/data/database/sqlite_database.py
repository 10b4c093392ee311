"""SQLite files, opened for reading."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
    quoted,
)
from switchover_checks.data.database.table_facts import table_facts

__all__ = ["open_sqlite"]

_OTHER_FILES = frozenset({sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_TRANSACTION})
_LINES = 2000
_NO_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "writefile", "edit"})


def _path_of(url: str, base_dir: Path) -> Path:
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
def open_sqlite(source: DatabaseSource, base_dir: Path, deadline: float) -> Iterator[Database]:
    """Open a file. Raise `ProbeError`."""
    path = _path_of(source.url, base_dir)
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
        yield _Sqlite(connection, path)
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


def _lenient(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _selected(expressions: str, selection: Selection) -> tuple[str, list[KeyValue]]:
    key = [f"{quoted(c.name)} COLLATE BINARY" for c in selection.order]
    condition, values = selection.conditions(key, "?")
    sort = f" ORDER BY {', '.join(key)}" if key else ""
    text = f"SELECT {expressions} FROM {quoted(selection.table.name)}{condition}{sort}"  # noqa: S608
    return text, [str(v) if isinstance(v, Decimal) else v for v in values]


class _Sqlite:
    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    def tables(self) -> list[DatabaseTable]:
        rows = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
        )
        return [DatabaseTable("main", str(row[0])) for row in rows]

    def columns(self, table: DatabaseTable) -> list[DatabaseColumn]:
        rows = self._connection.execute("SELECT name, type, pk FROM pragma_table_info(?)", (table.name,))
        return [DatabaseColumn(str(name), str(kind).lower(), int(key)) for name, kind, key in rows]

    def count(self, table: DatabaseTable, where: str = "") -> int:
        selection = Selection(table, (), where=where)
        condition, _ = selection.conditions((), "?")
        return int(self._connection.execute(f"SELECT count(*) FROM {quoted(table.name)}{condition}").fetchone()[0])  # noqa: S608

    def estimate(self, table: DatabaseTable) -> int:
        newest = f"SELECT max(rowid) FROM {quoted(table.name)}"  # noqa: S608
        try:
            return int(self._connection.execute(newest).fetchone()[0] or 0)
        except sqlite3.OperationalError:  # a table without row ids
            return 0

    def rows(self, selection: Selection) -> Rows:
        names = ", ".join(quoted(c.name) for c in selection.columns)
        cursor = self._connection.execute(*_selected(names, selection))
        while batch := cursor.fetchmany(BATCH):
            yield from batch

    def lines(self, expressions: Sequence[str], selection: Selection, *, bare: bool = False) -> Lines:
        assert bare
        text = ", ".join(f"CAST({expression} AS BLOB)" for expression in expressions)
        cursor = self._connection.execute(*_selected(text, selection))
        while batch := cursor.fetchmany(_LINES):
            yield [row[0] for row in batch]

    def prepare(self, functions: Mapping[str, Callable[[str], str]]) -> bool:
        for name, function in functions.items():
            self._connection.create_function(name, 1, function, deterministic=True)
        encoding = self._connection.execute("PRAGMA encoding").fetchone()
        return bool(encoding[0] == "UTF-8")

    def identity(self) -> str:
        facts = self._path.stat()
        return f"sqlite {facts.st_dev} {facts.st_ino}"

    def mark(self) -> str:
        parts = []
        for path in (self._path, self._path.with_name(f"{self._path.name}-wal")):
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue
            parts.append(f"{facts.st_ino} {facts.st_size} {facts.st_mtime_ns}")
        return ", ".join(parts)

    def facts(self, table: DatabaseTable) -> TableFacts:
        return table_facts(self.dialect, self._ask, table)

    def extensions(self) -> list[str]:
        return []

    def _ask(self, text: str, values: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        return self._connection.execute(text, values).fetchall()

    def fills(self, table: DatabaseTable) -> list[Fill]:
        """Return none: what SQLite numbers itself goes by the highest number that is there."""
        del table
        return []

    def query(self, text: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        one_question(text)
        return limited(self._connection.execute(text, tuple(params)).fetchmany(MOST_ROWS + 1))
