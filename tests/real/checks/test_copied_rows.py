"""Tables of two PostgreSQL databases compared as bytes: the same verdict as value by value, whatever was changed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import psycopg
import pytest
from tests.real.conftest import Postgres

from switchover_checks.api import Finding, Result, Status

Run = Callable[..., Awaitable[Result]]
ROWS = 2000
TABLE = """CREATE TABLE t (id bigint PRIMARY KEY, name text, price numeric(12, 2), ok boolean, rate float8, part real,
    made timestamp, seen timestamptz, doc jsonb, data bytea, code char(8), note text)"""
FILL = f"""INSERT INTO t SELECT i, md5(i::text), i / 7.0, i % 3 = 0, i / 3.0, i / 9.0, timestamp '2024-01-01'
    + i * interval '77.7 s', timestamptz '2024-01-01 00:00Z' + i * interval '1 h', jsonb_build_object('a', i),
    decode(md5(i::text), 'hex'), i::text, CASE WHEN i % 2 = 0 THEN 'n' END FROM generate_series(1, {ROWS}) i"""
CHANGES = [
    "UPDATE t SET name = overlay(name placing chr(ascii(name) # 1) from 1 for 1) WHERE id = {key}",
    "UPDATE t SET price = price + 0.01 WHERE id = {key}",
    "UPDATE t SET ok = NOT ok WHERE id = {key}",
    "UPDATE t SET rate = rate * (1 + 2.3e-16) WHERE id = {key}",
    "UPDATE t SET part = part * (1 + 2e-7) WHERE id = {key}",
    "UPDATE t SET made = made + interval '1 us' WHERE id = {key}",
    "UPDATE t SET seen = seen - interval '1 us' WHERE id = {key}",
    "UPDATE t SET doc = jsonb_build_object('a', {key}::text) WHERE id = {key}",
    "UPDATE t SET data = set_bit(data, 3, 1 - get_bit(data, 3)) WHERE id = {key}",
    "UPDATE t SET note = CASE WHEN note IS NULL THEN '' END WHERE id = {key}",
    "DELETE FROM t WHERE id = {key}",
    "UPDATE t SET id = -id WHERE id = {key}",
]


async def make(postgres: Postgres, *statements: str) -> str:
    return await asyncio.to_thread(postgres.create, *statements)


async def compare(run: Run, left: str, right: str, **config: object) -> Result:
    return await run("sql_compare", timeout_s=60, left=left, right=right, mode="checksum", **config)


def of(result: Result, table: str) -> Finding:
    return next(f for f in result.findings if f.what == table)


async def test_one_changed_bit_in_any_column_is_found_with_its_key_and_column(run: Run, postgres: Postgres) -> None:
    left, right = await make(postgres, TABLE, FILL), await make(postgres, TABLE, FILL)
    same = await compare(run, left, right)
    assert (same.status, of(same, "t").observed) == (Status.OK, f"{ROWS} rows, byte for byte")
    columns = ["name", "price", "ok", "rate", "part", "made", "seen", "doc", "data", "note"]
    found = []
    for seed, change in enumerate(CHANGES):
        key = random.Random(seed).randrange(1, ROWS)
        async with await psycopg.AsyncConnection.connect(right, autocommit=True) as connection:
            await connection.execute("BEGIN")
            await connection.execute(change.format(key=key).encode())
            await connection.execute("COMMIT")
        result = await compare(run, left, right)
        observed = of(result, "t").observed
        assert f"id: {key}" in observed or f"-{key}" in observed, observed
        found.append(observed.partition("differing columns: ")[2].partition(" ")[0])
        async with await psycopg.AsyncConnection.connect(right, autocommit=True) as connection:
            await connection.execute("TRUNCATE t")
            await connection.execute(FILL.encode())
    assert found[: len(columns)] == columns


@pytest.mark.parametrize("seed", range(4))
async def test_many_changes_are_counted_as_value_by_value(run: Run, postgres: Postgres, seed: int) -> None:
    rng = random.Random(seed)
    keys = rng.sample(range(1, ROWS), 30)
    changes = [CHANGES[rng.randrange(10)].format(key=key) for key in keys[:20]]
    gone = [f"DELETE FROM t WHERE id BETWEEN {key} AND {key + rng.choice((0, 80))}" for key in keys[20:24]]
    more = [f"INSERT INTO t (id) VALUES ({ROWS + key})" for key in keys[24:]]
    left, right = await make(postgres, TABLE, FILL), await make(postgres, TABLE, FILL, *changes, *gone, *more)
    quick = of(await compare(run, left, right, samples=100), "t")
    # A key that is not declared as one makes it go value by value.
    for url in (left, right):
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("ALTER TABLE t DROP CONSTRAINT t_pkey")
    exact = of(await compare(run, left, right, key="id", samples=100), "t")
    assert "byte for byte" in quick.observed
    assert "sha256" in exact.observed
    assert quick.hint == exact.hint
    assert quick.observed.partition(";")[0] == exact.observed.partition(";")[0]


KEYS = ["uuid", "numeric(20, 3)", "date", "timestamptz", "timestamp", "bytea", "text", "boolean", "float8", "smallint",
        "inet", "varchar(30)"]  # fmt: skip
VALUES = {"uuid": "md5(i::text)::uuid",
          "date": "date '0100-01-01' - i * 100",
          "timestamptz": "to_timestamp(i * 7777777.5)",
          "timestamp": "'infinity'::timestamp - i * interval '1 d'", "bytea": "decode(md5(i::text), 'hex')",
          "text": "chr(i * 37 % 1100 + 33) || i", "boolean": "i % 2 = 0", "inet": "('10.0.0.' || i % 256)::inet",
          "varchar(30)": "chr(i % 60 + 50) || E'\\t\\n\\\\' || i"}  # fmt: skip


@pytest.mark.parametrize("kind", KEYS)
async def test_keys_of_any_type_name_what_differs(run: Run, postgres: Postgres, kind: str) -> None:
    table = f"CREATE TABLE t (a {kind}, b int, v text, PRIMARY KEY (a, b))"
    value = VALUES.get(kind, "i")
    fill = f"INSERT INTO t SELECT {value}, i, 'v' FROM generate_series(1, 300) i"
    left = await make(postgres, table, fill)
    right = await make(postgres, table, fill, "UPDATE t SET v = 'w' WHERE b = 77", "DELETE FROM t WHERE b IN (5, 299)")
    observed = of(await compare(run, left, right), "t").observed
    assert observed.startswith("1 changed, 2 missing in"), observed
    assert ", 77)" in observed
    assert "differing columns: v 1;" in observed


async def test_a_mapped_table_of_another_schema_is_compared_as_bytes_too(run: Run, postgres: Postgres) -> None:
    left = await make(postgres, TABLE, FILL)
    moved = TABLE.replace("TABLE t (id", "TABLE sales.moved (key").replace("name text", "label text")
    right = await make(
        postgres, "CREATE SCHEMA sales", moved, FILL.replace("INTO t", "INTO sales.moved"),
        "UPDATE sales.moved SET price = 0 WHERE key = 18", "DELETE FROM sales.moved WHERE key = 1900",
    )  # fmt: skip
    wish = {"to": "sales.moved", "columns": {"id": "key", "name": "label"}, "ignore": "doc",
            "where": {"left": "name LIKE '%a%'", "right": "label LIKE '%a%'"}}  # fmt: skip
    result = await compare(run, left, right, tables={"t": wish})
    observed = of(result, "t").observed
    assert "byte for byte" in observed
    assert observed.endswith("differing columns: price 1; id: 18; -1900")
    everything = await compare(run, left, right, tables={"t": wish, "*": None})
    assert everything.evidence["schemas"].count("public") == 1
    assert "sales" in everything.evidence["schemas"]
    assert [f.what for f in everything.findings] == ["t"]
