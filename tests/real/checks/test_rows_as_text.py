"""SQLite and PostgreSQL compared as text made on both sides: never equal where values differ."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.real.checks.edge_values import EDGES
from tests.real.conftest import Postgres

from switchover_checks.api import Finding, Result, Status

Run = Callable[..., Awaitable[Result]]


def of(result: Result, table: str) -> Finding:
    return next(f for f in result.findings if f.what == table)


async def both(postgres: Postgres, path: Path, lite: list[str], *server: str) -> tuple[str, str]:
    connection = sqlite3.connect(path)
    for statement in lite:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}", await asyncio.to_thread(postgres.create, *server)


async def test_of_every_type_only_the_same_values_are_the_same(run: Run, postgres: Postgres, tmp_path: Path) -> None:
    names = {kind: f"t{place}" for place, kind in enumerate(EDGES)}
    connection = sqlite3.connect(tmp_path / "old.db")
    statements = []
    for kind, edges in EDGES.items():
        connection.execute(f"CREATE TABLE {names[kind]} (id INTEGER PRIMARY KEY, v)")
        values = [(place, value) for place, (value, _, _) in enumerate(edges)]
        connection.executemany(f"INSERT INTO {names[kind]} VALUES (?, ?)", values)
        statements.append(f"CREATE TABLE {names[kind]} (id int PRIMARY KEY, v {kind})")
        listed = ", ".join(f"({place}, {literal})" for place, (_, literal, _) in enumerate(edges))
        statements.append(f"INSERT INTO {names[kind]} VALUES {listed}")
    connection.commit()
    connection.close()
    right = await asyncio.to_thread(postgres.create, *statements)
    result = await run(
        "sql_compare", timeout_s=60, left=f"sqlite:///{tmp_path}/old.db", right=right, mode="checksum", samples=100
    )
    observed = {kind: of(result, name).hint.partition(": ")[2] for kind, name in names.items()}
    differing = {kind: [int(key) for key in text.split("; ")] if text else [] for kind, text in observed.items()}
    wanted = {kind: [i for i, (_, _, same) in enumerate(edges) if not same] for kind, edges in EDGES.items()}
    assert differing == wanted
    ways = {kind: "as text" in of(result, name).observed for kind, name in names.items()}
    assert [kind for kind, quick in ways.items() if not quick] == ["interval", "inet"]


LITE = """CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, price NUMERIC, ok BOOLEAN, rate REAL, made TEXT, doc TEXT,
    data BLOB, note TEXT)"""
SERVER = """CREATE TABLE t (id bigint PRIMARY KEY, name varchar(50), price numeric(12, 2), ok boolean, rate float8,
    made timestamptz, doc jsonb, data bytea, note text)"""
ROWS = 1500
FILL = f"""INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
    SELECT i, 'n' || i, i / 100.0, i % 2, i / 3.0, strftime('%Y-%m-%dT%H:%M:%SZ', i * 1000, 'unixepoch'),
    '{{"b":' || i || ',"a":"x"}}', CAST(i AS BLOB), NULL FROM n"""
FILLED = f"""INSERT INTO t SELECT i, 'n' || i, i / 100.0, i % 2 = 1, i / 3::float8, to_timestamp(i * 1000),
    jsonb_build_object('a', 'x', 'b', i), i::text::bytea, NULL FROM generate_series(1, {ROWS}) i"""
CHANGES = ["name = 'N' || substr(name, 2)", "price = price + 0.01", "ok = NOT ok", "rate = rate * (1 + 1e-13)",
           "made = made + interval '1 us'", "doc = doc || '{\"a\": \"y\"}'",
           "data = data || '\\x00'", "note = ''"]  # fmt: skip


@pytest.mark.parametrize("seed", range(len(CHANGES)))
async def test_one_change_among_many_rows_is_found_with_its_key_and_column(
    run: Run, postgres: Postgres, tmp_path: Path, seed: int
) -> None:
    key = random.Random(seed).randrange(1, ROWS)
    change = f"UPDATE t SET {CHANGES[seed]} WHERE id = {key}"
    left, right = await both(postgres, tmp_path / "old.db", [LITE, FILL], SERVER, FILLED, change)
    for sides in ({"left": left, "right": right}, {"left": right, "right": left}):
        observed = of(await run("sql_compare", **sides, mode="checksum", timeout_s=60), "t").observed
        assert observed.startswith(f"1 changed; {ROWS} rows, as text, floats to 14 digits"), observed
        assert observed.endswith(f"differing columns: {CHANGES[seed].partition(' ')[0]} 1; id: {key}"), observed


@pytest.mark.parametrize(
    ("kind", "lite"), [("text", "TEXT"), ("uuid", "TEXT"), ("bigint", "INTEGER"), ("date", "TEXT")]
)
async def test_keys_of_text_and_numbers_name_what_differs(
    run: Run, postgres: Postgres, tmp_path: Path, kind: str, lite: str
) -> None:
    rng = random.Random(kind)
    values: dict[str, Callable[[int], object]] = {
        "text": lambda i: "".join(rng.choice("aAbBzé漢𝄞|:~ \\") for _ in range(5)) + str(i),
        "uuid": lambda _: "".join(f"{rng.randrange(16):x}" for _ in range(32)),
        "bigint": lambda i: i - 100,
        "date": lambda i: f"20{i % 90 + 10}-0{i % 9 + 1}-{i % 19 + 10}",
    }
    keys = [values[kind](i) for i in range(200)]
    if kind == "uuid":
        keys = [f"{k[:8]}-{k[8:12]}-{k[12:16]}-{k[16:20]}-{k[20:]}" for k in map(str, keys)]
    table = f"CREATE TABLE t (a {lite}, b INTEGER, v TEXT, PRIMARY KEY (a, b))"
    written = [str(k).replace("'", "''") for k in keys]
    fill = "INSERT INTO t VALUES " + ", ".join(f"('{k}', {i}, 'v')" for i, k in enumerate(written))
    left, right = await both(
        postgres, tmp_path / "old.db", [table, fill], table.replace(f"a {lite}", f"a {kind}"), fill,
        "UPDATE t SET v = 'w' WHERE b = 7", "DELETE FROM t WHERE b IN (0, 150)",
    )  # fmt: skip
    observed = of(await run("sql_compare", left=left, right=right, mode="checksum"), "t").observed
    assert observed.startswith("1 changed, 2 missing in"), observed
    assert {f"({keys[7]}, 7)", f"-({keys[0]}, 0)", f"-({keys[150]}, 150)"} == set(
        observed.partition("a, b: ")[2].split("; ")
    )


async def test_what_differs_in_most_rows_is_left_to_the_values_and_still_exact(
    run: Run, postgres: Postgres, tmp_path: Path
) -> None:
    made = """INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
        SELECT i, strftime('%Y-%m-%d %H:%M', i * 60, 'unixepoch') FROM n"""
    lite = ["CREATE TABLE t (id INTEGER PRIMARY KEY, made TEXT)", made]
    server = "CREATE TABLE t (id int PRIMARY KEY, made timestamp)"
    fill = "INSERT INTO t SELECT i, to_timestamp(i * 60) AT TIME ZONE 'UTC' FROM generate_series(1, 6000) i"
    left, right = await both(postgres, tmp_path / "old.db", lite, server, fill)
    result = await run("sql_compare", left=left, right=right, mode="checksum", timeout_s=60)
    assert result.status is Status.OK, result
    assert of(result, "t").observed.startswith("6000 rows")
