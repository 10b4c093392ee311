"""`sql` and `sql_compare` against a real MariaDB, also from SQLite and to PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.real.conftest import Postgres
from tests.support.servers.mariadb import MariadbServer, mariadb_server

from switchover_checks.api import Finding, Result, Status

Run = Callable[..., Awaitable[Result]]

TABLE = """CREATE TABLE t (id bigint PRIMARY KEY, name varchar(50), ok boolean, price decimal(12, 4), rate double,
    made datetime(6), seen timestamp(3) NULL, day date, data blob, doc json, token char(36), opens time, mood
    enum('awe', 'zest'), code char(6))"""
ROWS = """INSERT INTO t VALUES
    (1, 'Zoë 漢字 𝄞', true, 12.5000, 0.1, '2024-02-29 12:00:00', '2024-02-29 12:00:00.250', '2024-02-29', x'00ff',
     '{"a": null, "b": [1, 2]}', '6F1C2E9A-7D55-4A0E-9A39-0A8C0F9D7B11', '08:30', 'awe', 'ab'),
    (2, NULL, false, 100, 1e300, NULL, NULL, NULL, '', '[]', NULL, NULL, 'zest', NULL),
    (-3, '', NULL, 0.1, 0, '1999-12-31 23:59:59.999999', NULL, '1970-01-01', NULL, NULL, NULL, '00:00', NULL, '')"""
SERVER = """CREATE TABLE t (id bigint PRIMARY KEY, name text, ok boolean, price numeric, rate double precision, made
    timestamp, seen timestamptz, day date, data bytea, doc jsonb, token uuid, opens time, mood text, code char(6))"""
SERVER_ROWS = ROWS.replace("x'00ff'", "'\\x00ff'").replace(".250'", ".250Z'")
PLAIN = "CREATE TABLE p (a varchar(20), b int, v text, PRIMARY KEY (a, b))"
WORDS = ["a", "A", "ä", "B", "_", "z z", "漢", "𝄞", "10", "9", "~", "a "]
FILL = "INSERT INTO p VALUES " + ", ".join(f"('{word}', {i}, 'v')" for i, word in enumerate(WORDS))


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariadbServer]:
    with mariadb_server(tmp_path_factory.getbasetemp().parent) as server:
        yield server


def of(result: Result, table: str) -> Finding:
    return next(f for f in result.findings if f.what == table)


def lite(path: Path, *statements: str) -> str:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


async def make(server: MariadbServer | Postgres, *statements: str) -> str:
    return await asyncio.to_thread(server.create, *statements)


async def test_mariadb_agrees_with_itself_postgres_and_sqlite_and_each_change_is_named(
    run: Run, mariadb: MariadbServer, postgres: Postgres, tmp_path: Path
) -> None:
    exact = PLAIN.replace("varchar(20)", "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")
    change = ("UPDATE p SET v = 'w' WHERE b = 3", "DELETE FROM p WHERE b IN (0, 11)")
    left = await make(mariadb, TABLE, ROWS, exact, FILL)
    same = await make(mariadb, TABLE, ROWS, exact, FILL)
    server = await make(postgres, SERVER, SERVER_ROWS, PLAIN, FILL)
    result = await run("sql_compare", left=left, right=same, mode="checksum", timeout_s=60)
    assert result.status is Status.OK, result
    for sides in ({"left": left, "right": server}, {"left": server, "right": left}):
        result = await run("sql_compare", **sides, mode="checksum", timeout_s=60)
        assert result.status is Status.OK, result
        assert "as text" in of(result, "p").observed
    small = lite(tmp_path / "a.db", PLAIN, FILL)
    for right in (await make(mariadb, exact, FILL, *change), await make(postgres, PLAIN, FILL, *change)):
        for one in (small, left):
            observed = of(await run("sql_compare", left=one, right=right, mode="checksum", tables="p"), "p").observed
            assert "1 changed, 2 missing in" in observed
            assert observed.endswith("differing columns: v 1; a, b: (B, 3); -(a, 0); -(a , 11)"), observed


CHANGES = ["name = 'x'", "ok = false", "price = 12.5001", "rate = 0.2", "made = '2024-02-29 12:00:00.000001'",
           "doc = '[1]'", "day = '2024-03-01'", "data = x'00fe'", "token = NULL", "opens = '08:31'", "mood = 'zest'",
           "code = 'b'"]  # fmt: skip


async def test_each_type_of_change_is_found_with_its_column(
    run: Run, mariadb: MariadbServer, postgres: Postgres
) -> None:
    columns = "name, ok, price, rate, made, seen, day, data, doc, token, opens, mood, code"
    copies = [f"INSERT INTO t SELECT {10 + i}, {columns} FROM t WHERE id = 1" for i in range(len(CHANGES))]
    changed = [f"UPDATE t SET {change} WHERE id = {10 + i}" for i, change in enumerate(CHANGES)]
    left = await make(mariadb, TABLE, ROWS, *copies, *changed)
    right = await make(postgres, SERVER, SERVER_ROWS, *copies)
    observed = of(await run("sql_compare", left=left, right=right, mode="checksum", samples=99), "t").observed
    found = observed.partition("differing columns: ")[2].partition("; id: ")
    assert found[2] == "; ".join(str(10 + i) for i in range(len(CHANGES)))
    named = {part.partition(" ")[0] for part in found[0].split(", ")}
    assert named == {change.partition(" ")[0] for change in CHANGES}


async def test_a_query_reads_ends_at_its_deadline_and_cannot_write(run: Run, mariadb: MariadbServer) -> None:
    url = await make(mariadb, TABLE, ROWS)
    fine = await run(
        "sql", database=url, query="SELECT count(*), max(name) FROM t WHERE name LIKE '%'", expect="value == 2"
    )
    assert fine.status is Status.OK, fine
    counted = await run("sql_compare", left=url, right=await make(mariadb, TABLE, ROWS, "DELETE FROM t WHERE id = 1"))
    assert (of(counted, "t").expected, of(counted, "t").observed) == ("3 rows", "2 rows")
    written = await run("sql", database=url, query="DELETE FROM t")
    assert (written.status, "READ ONLY" in written.summary) == (Status.UNKNOWN, True), written
    wrong = await run("sql", database=url, query="SELECT nothing FROM t")
    assert (wrong.status, "nothing" in wrong.summary) == (Status.UNKNOWN, True)
    slow = await run("sql", timeout_s=1.0, database=url, query="SELECT count(*) FROM t a, t b, t c WHERE sleep(1) = 0")
    assert (slow.status, "1" in slow.summary) == (Status.UNKNOWN, True), slow
    for address in (url.replace("root@", "root:wr0ng@"), "mysql://u:s3cret@127.0.0.1:1/x", f"{url}_no"):
        refused = await run("sql", database=address, query="SELECT 1")
        assert (refused.status, refused.phase) == (Status.CRIT, "connect"), refused
        assert "wr0ng" not in repr(refused)
        assert "s3cret" not in repr(refused)
    same = await run("sql_compare", left=url, right=url.replace("127.0.0.1", "localhost"), mode="checksum")
    assert (same.status, "same tables of the same database" in same.summary) == (Status.UNKNOWN, True), same
