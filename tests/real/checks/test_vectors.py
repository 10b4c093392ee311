"""`sql_compare` of vectors on a real PostgreSQL with pgvector: near ones are equal, others are named."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.support.servers.pgvector import pgvector_server

from switchover_checks.api import Finding, Result, Status

Run = Callable[..., Awaitable[Result]]

ROWS = [(number, [number / 7, -0.5, 3e-5]) for number in range(1, 31)]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="switchover-vectors-") as folder, pgvector_server(Path(folder)) as address:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE DATABASE a")
            connection.execute("CREATE DATABASE b")
        yield address


def fill(server: str, database: str, kind: str, rows: list[tuple[int, list[float]]]) -> str:
    address = server.replace("/postgres?", f"/{database}?")
    with psycopg.connect(address) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        connection.execute("DROP TABLE IF EXISTS t")
        connection.execute(f"CREATE TABLE t (id bigint PRIMARY KEY, name text, v {kind}(3))")
        for number, vector in rows:
            connection.execute("INSERT INTO t VALUES (%s, 'x', %s)", (number, json.dumps(vector)))
    return address


def moved(by: float) -> list[tuple[int, list[float]]]:
    """Return the rows with one number of one vector moved."""
    return [(n, [v[0], v[1] + by, v[2]] if n == 17 else v) for n, v in ROWS]


def of_table(result: Result) -> Finding:
    return next(f for f in result.findings if f.what == "t")


@pytest.mark.parametrize("kind", ["vector", "halfvec"])
@pytest.mark.parametrize(("by", "status"), [(0.0, Status.OK), (0.01, Status.CRIT)])
async def test_a_vector_that_moved_is_named_with_its_key_and_column(
    run: Run, server: str, kind: str, by: float, status: Status
) -> None:
    left = await asyncio.to_thread(fill, server, "a", kind, ROWS)
    right = await asyncio.to_thread(fill, server, "b", kind, moved(by))
    result = await run("sql_compare", timeout_s=60, left=left, right=right, tables=["t"], mode="checksum")
    assert result.status is status, result
    if status is Status.CRIT:
        assert "17" in of_table(result).observed
        assert "v" in of_table(result).observed


@pytest.mark.parametrize(("by", "status"), [(1e-8, Status.OK), (1e-3, Status.CRIT)])
async def test_vectors_are_near_within_their_tolerance_and_no_further(
    run: Run, server: str, by: float, status: Status
) -> None:
    left = await asyncio.to_thread(fill, server, "a", "vector", ROWS)
    right = await asyncio.to_thread(fill, server, "b", "vector", moved(by))
    assert (
        await run("sql_compare", timeout_s=60, left=left, right=right, tables=["t"], mode="checksum")
    ).status is status


@pytest.mark.parametrize(("by", "status"), [(0.0, Status.OK), (0.01, Status.CRIT)])
async def test_vectors_that_sqlite_kept_as_json_are_compared_number_by_number(
    run: Run, server: str, tmp_path: Path, by: float, status: Status
) -> None:
    right = await asyncio.to_thread(fill, server, "b", "vector", ROWS)
    with sqlite3.connect(tmp_path / "lite.db") as lite:
        lite.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, v TEXT)")
        lite.executemany("INSERT INTO t VALUES (?, 'x', ?)", [(n, json.dumps(v)) for n, v in moved(by)])
    lite.close()
    left = f"sqlite:///{tmp_path}/lite.db"
    result = await run("sql_compare", timeout_s=60, left=left, right=right, tables=["t"], mode="checksum")
    assert result.status is status, result
