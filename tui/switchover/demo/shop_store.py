"""The two stores: tables, rows, the index that the old one lacks, copies, backups and the quota."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from switchover.demo.layout import Demo, Side

__all__ = [
    "MISSING_INDEX",
    "TABLES",
    "back_up",
    "compact",
    "connect",
    "copy",
    "counts",
    "create_empty",
    "fill",
    "make_index",
    "open_file",
    "remove",
    "restore_test",
    "sidecar",
]

TABLES: Final = ("customers", "products", "orders", "order_lines")
MISSING_INDEX: Final = "lines_by_order"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL,
                                      city TEXT NOT NULL, since TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price_cents INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, placed TEXT NOT NULL,
                                   status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS order_lines (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, product_id INTEGER NOT NULL,
                                        quantity INTEGER NOT NULL, price_cents INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer_id);
"""
_ROWS: Final = {"customers": 2_000, "products": 200, "orders": 12_000, "order_lines": 30_000}
_FIRST: Final = (
    "Ada",
    "Björn",
    "Chiara",
    "Dmitri",
    "Esra",
    "Fatou",
    "Grace",
    "Hiroshi",
    "Inès",
    "João",
    "Kofi",
    "Łucja",
)
_LAST: Final = (
    "Adeyemi",
    "Brandt",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Jansen",
)
_CITY: Final = ("Antananarivo", "Bergen", "Cádiz", "Dakar", "Essen", "Fès", "Gdańsk", "Helsinki", "Izmir", "Jaén")
_GOODS: Final = ("lamp", "kettle", "chair", "notebook", "teapot", "blanket", "shelf", "clock", "basket", "mirror")


@contextmanager
def open_file(path: Path, *, max_pages: int = 0) -> Iterator[sqlite3.Connection]:
    """Open a store that is there; commit at a good end, roll back at a bad one. Raise `sqlite3.Error`."""
    uri = f"file:{_quoted(path)}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=10.0, isolation_level=None)
    try:
        connection.execute("PRAGMA automatic_index = OFF")
        if max_pages:
            connection.execute(f"PRAGMA max_page_count = {max_pages}")
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()


@contextmanager
def connect(demo: Demo, side: Side) -> Iterator[sqlite3.Connection]:
    """Open the store of a side under its quota."""
    try:
        quota = int(demo.quota(side).read_text(encoding="ascii"))
    except (OSError, ValueError):
        quota = 0
    with open_file(demo.store(side), max_pages=quota) as connection:
        yield connection


def compact(path: Path) -> int:
    """Give a store's unused pages back and return how many it has left."""
    connection = sqlite3.connect(f"file:{_quoted(path)}?mode=rw", uri=True, timeout=10.0, isolation_level=None)
    try:
        connection.execute("VACUUM")
        return int(connection.execute("PRAGMA page_count").fetchone()[0])
    finally:
        connection.close()


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def create_empty(path: Path) -> None:
    """Make a store with its tables and nothing in them; one that is there stays as it is."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.making")
    remove(temporary)
    connection = sqlite3.connect(temporary)
    try:
        connection.executescript(_SCHEMA)
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    temporary.replace(path)


def fill(path: Path) -> None:
    """Write the old stack's rows, the same ones each time. Nothing is written where there are some already."""
    chance = random.Random(20260105)  # noqa: S311  # data for a demo
    with open_file(path) as store:
        if store.execute("SELECT count(*) FROM order_lines").fetchone()[0]:
            return
        customers = [
            (number, f"{(first := chance.choice(_FIRST))} {(last := chance.choice(_LAST))}",
             f"{first}.{last}.{number}@example.org".lower(), chance.choice(_CITY), _day(chance))
            for number in range(1, _ROWS["customers"] + 1)
        ]  # fmt: skip
        products = [
            (number, f"{chance.choice(_GOODS)} no. {number}", chance.randrange(250, 25_000))
            for number in range(1, _ROWS["products"] + 1)
        ]
        orders = [
            (number, chance.randrange(1, _ROWS["customers"] + 1), _day(chance), "open" if number % 48 == 0 else "paid")
            for number in range(1, _ROWS["orders"] + 1)
        ]
        lines = [
            (number, chance.randrange(1, _ROWS["orders"] + 1), (product := chance.choice(products))[0],
             chance.randrange(1, 10), product[2])
            for number in range(1, _ROWS["order_lines"] + 1)
        ]  # fmt: skip
        store.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?)", customers)
        store.executemany("INSERT INTO products VALUES (?, ?, ?)", products)
        store.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", orders)
        store.executemany("INSERT INTO order_lines VALUES (?, ?, ?, ?, ?)", lines)


def _day(chance: random.Random) -> str:
    return f"{chance.randrange(2021, 2026)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"


def make_index(store: sqlite3.Connection) -> None:
    """Make the index that turns the slow report into a fast one."""
    store.execute(f"CREATE INDEX IF NOT EXISTS {MISSING_INDEX} ON order_lines (order_id)")


def counts(store: sqlite3.Connection) -> dict[str, int]:
    """Count the rows of each table."""
    return {table: int(store.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in TABLES}  # noqa: S608


def copy(demo: Demo, say: Callable[[str], None], *, batch: int = 2_000, pause_s: float = 0.04) -> int:
    """Copy all rows from old to new, in batches with pauses. The old stack goes on serving meanwhile.

    Rows that are there already are written again: to repeat a copy that was broken off does no harm.
    """
    copied = 0
    with connect(demo, "old") as source:
        for table in TABLES:
            columns = len(source.execute(f"PRAGMA table_info({table})").fetchall())
            total = int(source.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
            with connect(demo, "new") as target:
                target.execute(f"DELETE FROM {table}")  # noqa: S608
            done, last = 0, 0
            while rows := source.execute(
                f"SELECT * FROM {table} WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608
                (last, batch),
            ).fetchall():
                with connect(demo, "new") as target:
                    target.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)  # noqa: S608
                done, last = done + len(rows), rows[-1][0]
                say(f"{table}: {done} of {total} rows")
                time.sleep(pause_s)
            copied += done
    return copied


def sidecar(backup: Path) -> Path:
    """Return the file with the sha256 of a backup, as `sha256sum` writes it."""
    return backup.with_name(backup.name + ".sha256")


def back_up(demo: Demo, target: Path) -> int:
    """Write a consistent copy of the old store and its sha256 beside it; return its size in bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.making")
    temporary.unlink(missing_ok=True)
    with connect(demo, "old") as source:
        copied = sqlite3.connect(temporary)
        try:
            source.backup(copied)
            copied.execute("PRAGMA journal_mode = DELETE")
        finally:
            copied.close()
    with temporary.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    sidecar(target).unlink(missing_ok=True)
    temporary.replace(target)
    sidecar(target).write_text(f"{digest}  {target.name}\n", encoding="utf-8")
    return target.stat().st_size


def restore_test(backup: Path, scratch: Path) -> dict[str, int]:
    """Restore a backup into `scratch`, look it through and return its row counts. Raise `sqlite3.Error`."""
    backup.stat()
    source = sqlite3.connect(f"file:{_quoted(backup)}?mode=ro&immutable=1", uri=True)
    target = sqlite3.connect(scratch)
    try:
        source.backup(target)
        verdict = target.execute("PRAGMA integrity_check(3)").fetchall()
        if verdict != [("ok",)]:
            raise sqlite3.DatabaseError("; ".join(str(row[0]) for row in verdict))
        return counts(target)
    finally:
        source.close()
        target.close()


def remove(path: Path) -> None:
    """Remove a store with the files that SQLite keeps beside it."""
    for name in (path.name, path.name + "-wal", path.name + "-shm", path.name + "-journal"):
        path.with_name(name).unlink(missing_ok=True)
