"""`sql` and `sql_compare` against a real PostgreSQL, also from SQLite to PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import psycopg
import pytest
from tests.real.conftest import Postgres

from switchover_checks.api import Finding, Result, Status

Run = Callable[..., Awaitable[Result]]

TYPED = """CREATE TABLE t (
    id bigint PRIMARY KEY, name text, ok boolean, price numeric(12, 4), rate double precision, small real, made
    timestamp, seen timestamptz, day date, data bytea, doc jsonb, token uuid, code char(6), short varchar(20),
    opens time)"""
TYPED_ROWS = """INSERT INTO t VALUES
    (1, 'Zoë 漢字 𝄞', true, 12.5000, 0.1, 0.1, '2024-02-29 12:00:00', '2024-02-29 12:00:00.25+00',
     '2024-02-29', '\\x00ff', '{"b": [1, 2], "a": null}', '6f1c2e9a-7d55-4a0e-9a39-0a8c0f9d7b11', 'ab', '', '08:30'),
    (2, NULL, false, 100, 1e300, 2, NULL, '2024-07-01 02:00:00+02', NULL, '', '[]', NULL, NULL, 'x', NULL),
    (-3, '', NULL, 0.1, -0.0, NULL, '1999-12-31 23:59:59.999999', NULL, '1970-01-01', NULL, NULL, NULL, '',
     NULL, NULL)"""
LITE = """CREATE TABLE t (
    id INTEGER PRIMARY KEY, name TEXT, ok INTEGER, price NUMERIC, rate REAL, small REAL, made TEXT, seen TEXT, day TEXT,
    data BLOB, doc TEXT, token TEXT, code TEXT, short TEXT, opens TEXT)"""
LITE_ROWS = [
    (1, "Zoë 漢字 𝄞", 1, "12.50", 0.1, 0.1, "2024-02-29T12:00:00", "2024-02-29 12:00:00.250", "2024-02-29",
     b"\0\xff",
     '{"a":null,"b":[1,2]}', "6F1C2E9A-7D55-4A0E-9A39-0A8C0F9D7B11", "ab", "", "08:30:00"),
    (2, None, 0, 100, 1e300, 2.0, None, "2024-07-01T00:00:00Z", None, b"", "[]", None, None, "x", None),
    (-3, "", None, 0.1, 0.0, None, "1999-12-31 23:59:59.999999", None, "1970-01-01", None, None, None, "", None, None),
]  # fmt: skip


def lite(path: Path, *statements: str, rows: Sequence[tuple[object, ...]] = ()) -> str:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    if rows:
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def of(result: Result, table: str) -> Finding:
    return next(f for f in result.findings if f.what == table)


async def make(postgres: Postgres, *statements: str) -> str:
    return await asyncio.to_thread(postgres.create, *statements)


@pytest.mark.parametrize("mode", ["count", "checksum"])
async def test_two_postgres_databases_with_the_same_content_agree(run: Run, postgres: Postgres, mode: str) -> None:
    left = await make(postgres, TYPED, TYPED_ROWS, "CREATE TABLE empty (id int)")
    right = await make(
        postgres, TYPED, TYPED_ROWS, "CREATE TABLE empty (id int)", "ALTER DATABASE postgres SET timezone = 'UTC'"
    )
    result = await run("sql_compare", left=left, right=right, mode=mode)
    assert result.status is Status.OK, result


async def test_time_zones_of_the_servers_do_not_matter(run: Run, postgres: Postgres) -> None:
    left, right = await make(postgres, TYPED, TYPED_ROWS), await make(postgres, TYPED, TYPED_ROWS)
    name = right.rpartition("/")[2]

    def shift() -> None:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'".encode())

    await asyncio.to_thread(shift)
    assert (await run("sql_compare", left=left, right=right, mode="checksum")).status is Status.OK


async def test_a_copy_from_sqlite_to_postgres_agrees_whatever_the_types(
    run: Run, postgres: Postgres, tmp_path: Path
) -> None:
    left = lite(tmp_path / "old.db", LITE, rows=LITE_ROWS)
    right = await make(postgres, TYPED, TYPED_ROWS)
    for pair in ({"left": left, "right": right}, {"left": right, "right": left}):
        result = await run("sql_compare", **pair, mode="checksum")
        assert result.status is Status.OK, result


@pytest.mark.parametrize(
    "change",
    [
        "name = 'Zoe\u0308 漢字 𝄞'",
        "ok = false",
        "price = 12.5001",
        "rate = 0.10000000000000002",
        "made = '2024-02-29 12:00:00.000001'",
        "seen = '2024-02-29 12:00:00.25+01'",
        "day = '2024-03-01'",
        "data = '\\x00fe'",
        'doc = \'{"a": 0, "b": [1, 2]}\'',
        "token = NULL",
        "short = NULL",
        "opens = '08:31'",
    ],
)
async def test_each_type_of_change_is_found_and_its_key_named(
    run: Run, postgres: Postgres, tmp_path: Path, change: str
) -> None:
    left = lite(tmp_path / "old.db", LITE, rows=LITE_ROWS)
    right = await make(postgres, TYPED, TYPED_ROWS, f"UPDATE t SET {change} WHERE id = 1")
    result = await run("sql_compare", left=left, right=right, mode="checksum")
    assert result.status is Status.CRIT
    assert of(result, "t").observed.startswith("1 changed; 3 rows")
    assert of(result, "t").observed.endswith("id: 1")


async def test_text_keys_are_ordered_bytewise_on_both_sides(run: Run, postgres: Postgres, tmp_path: Path) -> None:
    words = ["a", "B", "_", "ä", "Z", "é", "zz", "10", "9", "漢", "𝄞", "~"]
    values = ", ".join(f"('{w}', {i})" for i, w in enumerate(words))
    table, rows = "CREATE TABLE t (word text PRIMARY KEY, n int)", f"INSERT INTO t VALUES {values}"
    left = lite(tmp_path / "old.db", table, rows)
    # A collation of natural language orders these words otherwise; the comparison may not depend on it.
    natural = table.replace("word text", 'word text COLLATE "und-x-icu"')
    right = await make(postgres, natural, rows, "DELETE FROM t WHERE word = 'é'", "INSERT INTO t VALUES ('è', 5)")
    result = await run("sql_compare", left=left, right=right, mode="checksum")
    assert of(result, "t").observed.endswith("word: +è; -é")


async def test_many_rows_are_compared_and_the_few_that_differ_are_named(run: Run, postgres: Postgres) -> None:
    table = "CREATE TABLE t (a int, b int, v text, PRIMARY KEY (a, b))"
    fill = "INSERT INTO t SELECT i / 100, i % 100, md5(i::text) FROM generate_series(0, 29999) i"
    left = await make(postgres, table, fill)
    right = await make(
        postgres, table, fill, "UPDATE t SET v = '' WHERE a = 150 AND b = 7", "DELETE FROM t WHERE a = 299 AND b = 99"
    )
    result = await run("sql_compare", timeout_s=60, left=left, right=right, mode="checksum")
    assert of(result, "t").observed.startswith("1 changed, 1 missing in")
    assert of(result, "t").observed.endswith("a, b: (150, 7); -(299, 99)")
    counted = await run("sql_compare", left=left, right=right)
    assert (of(counted, "t").expected, of(counted, "t").observed) == ("30000 rows", "29999 rows")


async def test_partitions_count_once_and_views_not_at_all(run: Run, postgres: Postgres, tmp_path: Path) -> None:
    right = await make(
        postgres,
        "CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (0) TO (10)",
        "CREATE VIEW v AS SELECT * FROM t",
        "INSERT INTO t VALUES (1), (2)",
    )
    left = lite(tmp_path / "old.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)", rows=[(1,), (2,)])
    result = await run("sql_compare", left=left, right=right, mode="checksum")
    assert result.status is Status.OK, result
    assert [f.what for f in result.findings] == ["t"]


async def test_a_key_that_is_not_unique_leaves_the_next_table_readable(run: Run, postgres: Postgres) -> None:
    statements = (
        "CREATE TABLE a (id int, v int)", "INSERT INTO a VALUES (1, 1), (1, 2)",
        "CREATE TABLE b (id int, v int)", "INSERT INTO b VALUES (1, 1)",
    )  # fmt: skip
    left, right = await make(postgres, *statements), await make(postgres, *statements)
    result = await run("sql_compare", left=left, right=right, mode="checksum", key="id")
    assert (of(result, "a").status, of(result, "b").status) == (Status.UNKNOWN, Status.OK)


async def test_a_query_cannot_write_and_is_ended_at_the_deadline(run: Run, postgres: Postgres) -> None:
    url = await make(postgres, TYPED, TYPED_ROWS)
    assert (await run("sql", database=url, query="SELECT count(*) FROM t", expect="value == 3")).status is Status.OK
    written = await run("sql", database=url, query="DELETE FROM t")
    assert written.status is Status.UNKNOWN
    assert "read-only" in written.summary
    slow = await run("sql", timeout_s=1.0, database=url, query="SELECT pg_sleep(1000)")
    assert slow.status is Status.UNKNOWN

    def gone() -> bool:
        """Wait until the server has ended the query; it and the check reach their deadline at the same time."""
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            for _ in range(200):
                active = connection.execute(
                    "SELECT pg_sleep(0.02), count(*) FROM pg_stat_activity"
                    " WHERE query LIKE 'SELECT pg_sleep(1000)%' AND state = 'active'"
                ).fetchone()
                if active is not None and active[1] == 0:
                    return True
        return False

    assert await asyncio.to_thread(gone)


async def test_a_server_that_is_not_there_and_a_wrong_database_are_critical_without_a_password(
    run: Run, postgres: Postgres
) -> None:
    for url in ("postgresql://u:s3cret@127.0.0.1:1/x", f"postgresql://postgres:s3cret@127.0.0.1:{postgres.port}/none"):
        result = await run("sql", database=url, query="SELECT 1")
        assert (result.status, result.phase) == (Status.CRIT, "connect")
        assert "s3cret" not in repr(result)


async def test_a_password_by_reference_reaches_the_server_only(run: Run, postgres: Postgres) -> None:
    url = await make(postgres, "CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)")
    result = await run("sql", database=url, password="t0p-secret", query="SELECT count(*) FROM t", expect="value == 1")
    assert result.status is Status.OK
    assert "t0p-secret" not in repr(result)


INVOICES = ("CREATE SCHEMA billing", "CREATE TABLE shop (id int PRIMARY KEY)", "INSERT INTO shop VALUES (1)",
            "CREATE TABLE billing.invoice (id int PRIMARY KEY)", "INSERT INTO billing.invoice VALUES (1), (2)",
            'CREATE TABLE billing."Odd.Name" (id int PRIMARY KEY, v text)', 'INSERT INTO billing."Odd.Name" VALUES (1)',
            "CREATE TABLE billing.shop (id int PRIMARY KEY)")  # fmt: skip


@pytest.mark.parametrize("mode", ["count", "checksum"])
async def test_tables_of_every_schema_are_compared(run: Run, postgres: Postgres, mode: str) -> None:
    left = await make(postgres, *INVOICES)
    right = await make(postgres, *INVOICES, "DELETE FROM billing.invoice WHERE id = 2")
    result = await run("sql_compare", left=left, right=right, mode=mode)
    assert of(result, "billing.invoice").status is Status.CRIT
    assert {f.what for f in result.findings} == {"shop", "billing.shop", "billing.invoice", 'billing."Odd.Name"'}
    for tables in ("shop", ["public.shop", 'billing."Odd.Name"'], "public.*"):
        assert (await run("sql_compare", left=left, right=right, mode=mode, tables=tables)).status is Status.OK
    assert (await run("sql_compare", left=left, right=right, mode=mode, tables="billing.*")).status is Status.CRIT


async def test_the_search_path_of_an_address_is_followed(
    run: Run, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, right = await make(postgres, *INVOICES), await make(postgres, *INVOICES, "DELETE FROM billing.invoice")
    path = "?options=-csearch_path%3Dbilling"
    result = await run("sql_compare", left=left + path, right=right + path, tables="invoice")
    assert of(result, "invoice").observed == "0 rows"
    assert (
        await run("sql", database=left + path, query="SELECT count(*) FROM invoice", expect="value == 2")
    ).status is Status.OK
    monkeypatch.setenv("PGOPTIONS", "-c search_path=billing")
    assert (await run("sql_compare", left=left, right=right, tables="invoice")).status is Status.CRIT


async def test_a_table_that_may_not_be_read_is_told_and_the_others_are_compared(run: Run, postgres: Postgres) -> None:
    reader = f"reader_{postgres.made}"
    hidden = "CREATE TABLE hidden (id int PRIMARY KEY); INSERT INTO hidden VALUES (1)"
    left = await make(postgres, *INVOICES, hidden)
    right = await make(
        postgres, *INVOICES, hidden, f"CREATE ROLE {reader} LOGIN", f"GRANT SELECT ON shop TO {reader}",
        f"GRANT SELECT ON hidden TO {reader}; ALTER TABLE hidden ENABLE ROW LEVEL SECURITY",
    )  # fmt: skip
    as_reader = right.replace("postgres@", f"{reader}@")
    result = await run("sql_compare", left=left, right=as_reader, ignore_tables="hidden")
    assert (of(result, "billing.invoice").status, of(result, "shop").status) == (Status.UNKNOWN, Status.OK)
    filtered = await run("sql_compare", left=left, right=as_reader, tables="hidden")
    assert filtered.status is Status.UNKNOWN, "a policy may hide rows"
    assert "row-level security" in filtered.summary


SPECIAL = """CREATE TABLE s (id int PRIMARY KEY, until timestamptz, made timestamp, day date, t time, tz timetz,
    d interval, f float8, r real, n numeric, span tstzrange, days date[], lasts interval[], doc jsonb, host inet)"""
SPECIAL_ROWS = """INSERT INTO s VALUES
    (1, 'infinity', '-infinity', 'infinity', '24:00', '24:00+02', '1 mon', 'infinity', '-infinity', 'NaN',
     '[2026-01-01,infinity)', '{infinity}', '{1 mon}', '{"n": 9007199254740993.25}', '10.0.0.1'),
    (2, '0044-03-15 BC', '12026-01-01', '0001-01-01 BC', '00:00', '10:00Z', '-1 year 3 days', 'NaN', 'NaN', 'infinity',
     'empty', '{}', '{"30 days"}', '[1.0, 1e2]', '10.0.0.0/8'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"""


async def test_values_that_python_does_not_have_are_compared(run: Run, postgres: Postgres) -> None:
    left = await make(postgres, SPECIAL, SPECIAL_ROWS)
    same = await make(postgres, SPECIAL, SPECIAL_ROWS)
    result = await run("sql_compare", left=left, right=same, mode="checksum")
    assert result.status is Status.OK, result


@pytest.mark.parametrize(
    "change",
    [
        "until = '2030-01-01'", "until = '-infinity'", "made = 'infinity'", "day = '-infinity'", "t = '00:00'",
        "tz = '24:00+01'", "d = '30 days'", "f = 'NaN'", "r = 'infinity'", "n = 'infinity'", "n = 0",
        "span = '[2026-01-01,)'", "days = '{-infinity}'", "lasts = '{30 days}'",
        "doc = '{\"n\": 9007199254740993.5}'", "host = '10.0.0.1/24'",
    ],
)  # fmt: skip
async def test_each_change_of_such_a_value_is_found(run: Run, postgres: Postgres, change: str) -> None:
    left = await make(postgres, SPECIAL, SPECIAL_ROWS)
    right = await make(postgres, SPECIAL, SPECIAL_ROWS, f"UPDATE s SET {change} WHERE id = 1")
    result = await run("sql_compare", left=left, right=right, mode="checksum")
    assert of(result, "s").observed.startswith("1 changed; 3 rows")


async def test_such_values_of_sqlite_and_postgres_agree(run: Run, postgres: Postgres, tmp_path: Path) -> None:
    left = lite(
        tmp_path / "old.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, until TEXT, day TEXT, t TEXT, d TEXT, f REAL, n NUMERIC)",
        rows=[(1, "infinity", "-infinity", "24:00", "P1Y2M3DT4H", float("inf"), "NaN"),
              (2, "12026-01-01T00:00:00Z", "Infinity", "08:30:00", "30 days", float("-inf"), "Infinity")],
    )  # fmt: skip
    right = await make(
        postgres,
        "CREATE TABLE t (id int PRIMARY KEY, until timestamptz, day date, t time, d interval, f float8, n numeric)",
        "INSERT INTO t VALUES (1, 'infinity', '-infinity', '24:00', '1 year 2 mons 3 days 04:00', 'infinity', 'NaN'),"
        " (2, '12026-01-01 00:00Z', 'infinity', '08:30', '30 days', '-infinity', 'infinity')",
    )
    result = await run("sql_compare", left=left, right=right, mode="checksum")
    assert result.status is Status.OK, result


async def test_a_domain_is_compared_as_what_it_is_made_of(run: Run, postgres: Postgres, tmp_path: Path) -> None:
    right = await make(
        postgres, "CREATE DOMAIN price AS numeric(9, 2)", "CREATE DOMAIN shown AS price CHECK (value > 0)",
        "CREATE TYPE mood AS ENUM ('zest', 'awe')",
        "CREATE TABLE t (m mood, n shown, PRIMARY KEY (m))", "INSERT INTO t VALUES ('awe', 1.50), ('zest', 2)",
    )  # fmt: skip
    left = lite(
        tmp_path / "old.db", "CREATE TABLE t (m TEXT PRIMARY KEY, n TEXT)", rows=[("awe", "1.5"), ("zest", "2.00")]
    )
    result = await run("sql_compare", left=left, right=right, mode="checksum")
    assert result.status is Status.OK, result


FILLED = ("CREATE TABLE o (id serial PRIMARY KEY, v text)", "INSERT INTO o (v) SELECT 'r' FROM generate_series(1, 50)",
          "CREATE TABLE p (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text)",
          "INSERT INTO p (v) VALUES ('a'), ('b')",
          "CREATE SEQUENCE downward INCREMENT -1", "CREATE TABLE q (id bigint DEFAULT nextval('downward') PRIMARY KEY)",
          "INSERT INTO q VALUES (DEFAULT), (DEFAULT)", "CREATE TABLE e (id serial PRIMARY KEY)")  # fmt: skip


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("SELECT setval('o_id_seq', 1)", "o.id sequence"),
        ("SELECT setval('o_id_seq', 50, false)", "o.id sequence"),
        ("ALTER TABLE p ALTER id RESTART", "p.id sequence"),
        ("ALTER SEQUENCE downward RESTART", "q.id sequence"),
        ("ALTER SEQUENCE o_id_seq MAXVALUE 50", "o.id sequence"),
    ],
)
@pytest.mark.parametrize("mode", ["count", "checksum"])
async def test_a_sequence_that_stands_before_its_rows_is_told(
    run: Run, postgres: Postgres, change: str, what: str, mode: str
) -> None:
    left, right = await make(postgres, *FILLED), await make(postgres, *FILLED, change)
    same = await run("sql_compare", left=right, right=left, mode=mode)
    assert same.status is Status.OK, same
    result = await run("sql_compare", left=left, right=right, mode=mode)
    assert [f.what for f in result.findings if f.status is Status.CRIT] == [what]
    assert (await run("sql_compare", left=left, right=right, mode=mode, sequences=False)).status is Status.OK


async def test_a_query_gives_the_text_of_what_python_does_not_have(run: Run, postgres: Postgres) -> None:
    url = await make(postgres, "CREATE TABLE t (id int)")
    for query, value in (
        ("SELECT 'infinity'::timestamptz", "infinity"),
        ("SELECT '-infinity'::date", "-infinity"),
        ("SELECT '24:00'::time", "24:00:00"),
        ("SELECT '1 mon'::interval", "1 mon"),
        ("SELECT 'infinity'::numeric", "Infinity"),
        ("SELECT '2026-01-01'::date", "2026-01-01"),
    ):
        result = await run("sql", database=url, query=query, expect=f"value == '{value}'")
        assert result.status is Status.OK, result
    big = await run("sql", database=url, query="SELECT 9007199254740993::numeric", expect="value == 9007199254740993")
    assert big.status is Status.OK
