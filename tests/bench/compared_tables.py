"""`sql_compare` of whole tables beside plain reads of both sides in the same run; ROWS=1000000 is the full size."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from tests.bench.support.table import print_table
from tests.real.conftest import run_postgres

from switchover_checks.api import Result, Status
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import ProbeSpec, Runner

_ROWS = int(os.environ.get("ROWS", "200000"))
_ROUNDS = 2
_SEEDS = 10
_TABLE = """CREATE TABLE t (id bigint PRIMARY KEY, name text, price numeric(12, 2), ok boolean, rate float8,
    made timestamp, doc jsonb, data bytea, note text)"""
_FILL = f"""INSERT INTO t SELECT i, 'name ' || md5(i::text), (i % 100000) / 100.0, i % 3 = 0, random() * i,
    timestamp '2024-01-01' + i * interval '1.25 s', jsonb_build_object('a', i, 'bb', md5(i::text), 'c', 1.5),
    decode(md5(i::text), 'hex'), CASE WHEN i % 2 = 0 THEN 'note ' || i END FROM generate_series(1, {_ROWS}) i"""
_READ = "SELECT id, name, price::text, ok::int, rate, made::text, doc::text, data, note FROM t ORDER BY id"
_CHANGES = ("name = 'N' || substr(name, 2)", "price = price + 0.01", "ok = NOT ok", "rate = rate * (1 + 3e-16)",
            "made = made + interval '1 us'", "data = set_bit(data, 3, 1 - get_bit(data, 3))")  # fmt: skip


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _read_postgres(url: str) -> None:
    with psycopg.connect(url) as connection, connection.cursor(name="plain") as cursor:
        cursor.itersize = 1000
        cursor.execute("SELECT * FROM t ORDER BY id")
        for _ in cursor:
            pass


def _read_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    for _ in connection.execute("SELECT * FROM t ORDER BY id"):
        pass
    connection.close()


def _copy_to_sqlite(url: str, path: Path) -> None:
    lite = sqlite3.connect(path)
    lite.execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, price NUMERIC, ok BOOLEAN, rate REAL, made TEXT,"
        " doc TEXT, data BLOB, note TEXT)"
    )
    with psycopg.connect(url) as connection:
        lite.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", connection.execute(_READ))
    lite.commit()
    lite.close()


async def _compared(left: str, right: str, delays: list[float], **config: object) -> Result:
    resources = Resources()
    runner = Runner(Registry(), lambda deadline: LocalContext(deadline, Path(), resources=resources))
    runner.on_close(resources.aclose)
    keys = {"left": left, "right": right, "mode": "checksum", **config}
    look = asyncio.ensure_future(runner.run(ProbeSpec("c", "sql_compare", keys)))
    loop = asyncio.get_running_loop()
    while not look.done():
        due = loop.time() + 0.005
        await asyncio.sleep(0.005)
        delays.append(loop.time() - due)
    await runner.aclose()
    return look.result().result


def _found(left: str, right: str) -> int:
    """Change one bit at a time, and count how often its key is named."""
    found = 0
    for seed in range(_SEEDS):
        key = 1 + (seed * 7_919_993) % _ROWS
        change = _CHANGES[seed % len(_CHANGES)]
        with psycopg.connect(right, autocommit=True) as connection:
            kept = connection.execute("SELECT t FROM t WHERE id = %s", (key,)).fetchone()
            assert kept is not None
            connection.execute(f"UPDATE t SET {change} WHERE id = {key}".encode())
            observed = asyncio.run(_compared(left, right, [])).findings[0].observed
            column = change.partition(" ")[0]
            found += observed.endswith(f"differing columns: {column} 1; id: {key}")
            connection.execute("DELETE FROM t WHERE id = %s", (key,))
            connection.execute("INSERT INTO t SELECT (%s::t).*", (kept[0],))
    return found


def run() -> None:
    """Measure and print."""
    rows = []
    with run_postgres() as server, tempfile.TemporaryDirectory() as folder:
        lite = Path(folder) / "old.db"
        left, right = server.create(_TABLE), server.create(_TABLE)
        with psycopg.connect(left, autocommit=True) as connection:
            connection.execute(_FILL.encode())
        with (
            psycopg.connect(left) as source,
            psycopg.connect(right) as target,
            source.cursor().copy("COPY t TO STDOUT") as out,
            target.cursor().copy("COPY t FROM STDIN") as into,
        ):
            for data in out:
                into.write(data)
        for url in (left, right):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE t")
        _copy_to_sqlite(left, lite)
        for _ in range(_ROUNDS):
            plain = _timed(lambda: _read_postgres(left)), _timed(lambda: _read_postgres(right))
            small = _timed(lambda: _read_sqlite(lite))
            for name, one, base, more in (
                ("PostgreSQL, PostgreSQL", left, sum(plain), {}),
                ("SQLite, PostgreSQL", f"sqlite:///{lite}", small + plain[1], {}),
                ("the same without JSON", f"sqlite:///{lite}", small + plain[1], {"ignore_columns": ["doc"]}),
            ):
                delays: list[float] = []
                start = time.perf_counter()
                result = asyncio.run(_compared(one, right, delays, **more))
                took = time.perf_counter() - start
                assert result.status is Status.OK, result
                lag = sorted(delays)[int(len(delays) * 0.99)] * 1000
                rows.append((name, f"{base:.1f} s", f"{took:.1f} s", f"{took / base:.2f}", f"{lag:.0f} ms"))
        found = _found(left, right)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print_table(
        f"{_ROWS} rows of 9 columns compared",
        ("sides", "two plain reads", "sql_compare", "ratio", "loop lag p99"),
        rows,
        f"{found} of {_SEEDS} single changes named with key and column; the process that compares takes {most} MB."
        " Aims: 0.5, 1.5 with JSON, 1.0 without; 20 ms.",
    )
