"""Two SQLite files compared."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import ProbeError, Result, Status

Probe = Callable[..., Any]
BASE = (
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, score REAL)",
    "INSERT INTO users VALUES (1, 'Ada', 1.5), (2, 'Grace', NULL), (3, 'Zoë', 2)",
    "CREATE TABLE empty (id INTEGER PRIMARY KEY)",
)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., str]:
    def database(name: str, *statements: str, rows: Sequence[tuple[Any, ...]] = (), into: str = "") -> str:
        connection = sqlite3.connect(tmp_path / name)
        for statement in statements:
            connection.execute(statement)
        connection.executemany(into, rows) if into else None
        connection.commit()
        connection.close()
        return f"sqlite:///{tmp_path}/{name}"

    return database


def compared(result: Result, table: str) -> Any:
    return next(f for f in result.findings if f.what == table)


async def compare(probe: Probe, left: str, right: str, **config: Any) -> Result:
    result: Result = await probe("sql_compare", left=left, right=right, **config)
    return result


@pytest.mark.parametrize("mode", ["count", "checksum"])
async def test_the_same_content_is_ok_whatever_the_order_of_the_rows(
    probe: Probe, make: Callable[..., str], mode: str
) -> None:
    right = (
        BASE[0],
        "INSERT INTO users VALUES (3, 'Zoë', 2), (1, 'Ada', 1.5)",
        "INSERT INTO users VALUES (2, 'Grace', NULL)",
    )
    result = await compare(probe, make("a", *BASE), make("b", *right, BASE[2]), mode=mode)
    assert result.status is Status.OK, result
    assert {f.what for f in result.findings} == {"users", "empty"}


async def test_differing_missing_and_additional_rows_are_counted_and_their_keys_named(
    probe: Probe, make: Callable[..., str]
) -> None:
    right = (BASE[0], "INSERT INTO users VALUES (1, 'Ada', 1.25), (3, 'Zoë', 2), (4, 'Kay', 0)", BASE[2])
    result = await compare(probe, make("a", *BASE), make("b", *right), mode="checksum")
    assert result.status is Status.CRIT
    observed = compared(result, "users").observed
    assert "1 changed, 1 missing in" in observed
    assert observed.endswith("id: 1; -2; +4")


async def test_samples_are_limited(probe: Probe, make: Callable[..., str]) -> None:
    table, into = "CREATE TABLE t (id INTEGER PRIMARY KEY, v INT)", "INSERT INTO t VALUES (?, ?)"
    left = make("a", table, rows=[(i, 0) for i in range(5000)], into=into)
    right = make("b", table, rows=[(i, int(i % 2 == 0)) for i in range(5000)], into=into)
    result = await compare(probe, left, right, mode="checksum", samples=3)
    assert compared(result, "t").observed.startswith("2500 changed; 5000 rows")
    assert compared(result, "t").observed.endswith("id: 0; 2; 4")


async def test_the_same_number_of_rows_is_enough_for_count_and_not_for_checksum(
    probe: Probe, make: Callable[..., str]
) -> None:
    left, right = make("a", *BASE), make("b", *BASE, "UPDATE users SET name = 'Ida' WHERE id = 1")
    assert (await compare(probe, left, right)).status is Status.OK
    assert (await compare(probe, left, right, mode="checksum")).status is Status.CRIT


async def test_a_table_that_got_lost_is_critical_and_an_additional_one_a_warning(
    probe: Probe, make: Callable[..., str]
) -> None:
    small, large = make("a", *BASE[:2]), make("b", *BASE)
    assert (await compare(probe, large, small)).status is Status.CRIT
    assert (await compare(probe, small, large)).status is Status.WARN
    assert (await compare(probe, small, large, ignore_tables=["empty"])).status is Status.OK
    assert (await compare(probe, small, large, tables=["empty"])).status is Status.CRIT


async def test_only_empty_tables_are_nothing_compared(probe: Probe, make: Callable[..., str]) -> None:
    for mode in ("count", "checksum"):
        result = await compare(probe, make("a" + mode, *BASE), make("b" + mode, *BASE), tables=["empty"], mode=mode)
        assert result.status is Status.UNKNOWN, result


async def test_no_table_at_all_is_nothing_compared(probe: Probe, make: Callable[..., str]) -> None:
    assert (await compare(probe, make("a"), make("b"))).status is not Status.OK


async def test_a_database_that_is_not_there_is_told_and_never_made(
    probe: Probe, make: Callable[..., str], tmp_path: Path
) -> None:
    with pytest.raises(ProbeError, match="is not there"):
        await compare(probe, make("a", *BASE), "sqlite:///gone.db")
    assert not (tmp_path / "gone.db").exists()


async def test_a_file_that_is_no_database_is_critical(probe: Probe, make: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"no database at all" * 100)
    with pytest.raises(ProbeError, match="not a database") as caught:
        await compare(probe, make("a", *BASE), f"sqlite:///{tmp_path}/b")
    assert caught.value.status is Status.CRIT


async def test_composite_keys_and_text_keys_are_followed_in_order(probe: Probe, make: Callable[..., str]) -> None:
    table = "CREATE TABLE t (a TEXT, b INTEGER, v TEXT, PRIMARY KEY (a, b))"
    rows = [(a, b, f"{a}{b}") for a in ("Z", "a", "Ä", "ß", "漢", "𝄞") for b in (10, 9, -1)]
    into = "INSERT INTO t VALUES (?, ?, ?)"
    left = make("a", table, rows=rows, into=into)
    right = make("b", table, rows=[*reversed(rows[1:]), ("Z", 10, "changed")], into=into)
    result = await compare(probe, left, right, mode="checksum")
    assert compared(result, "t").observed.endswith("a, b: (Z, 10)")


async def test_a_key_that_is_not_unique_is_unknown(probe: Probe, make: Callable[..., str]) -> None:
    left, right = make("a", *BASE, "UPDATE users SET score = 1"), make("b", *BASE, "UPDATE users SET score = 1")
    result = await compare(probe, left, right, tables="users", mode="checksum", key="score")
    assert result.status is Status.UNKNOWN
    assert "not unique" in result.summary


async def test_a_key_that_no_side_has_is_unknown(probe: Probe, make: Callable[..., str]) -> None:
    result = await compare(probe, make("a", *BASE), make("b", *BASE), tables="users", mode="checksum", key="uid")
    assert result.status is Status.UNKNOWN


async def test_a_table_without_a_key_is_compared_as_a_bag(probe: Probe, make: Callable[..., str]) -> None:
    table, into = "CREATE TABLE t (v TEXT)", "INSERT INTO t VALUES (?)"
    left = make("a", table, rows=[("x",), ("x",), ("y",)], into=into)
    same = make("b", table, rows=[("y",), ("x",), ("x",)], into=into)
    other = make("c", table, rows=[("y",), ("y",), ("x",)], into=into)
    assert (await compare(probe, left, same, mode="checksum")).status is Status.OK
    assert (await compare(probe, left, other, mode="checksum")).status is Status.CRIT


async def test_null_empty_text_zero_and_bytes_are_all_different(probe: Probe, make: Callable[..., str]) -> None:
    table, into = "CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (?, ?)"
    values: list[Any] = [None, "", 0, "0", b"", b"0", 0.5]
    left = make("a", table, rows=list(enumerate(values)), into=into)
    right = make("b", table, rows=list(enumerate([*values[1:], None])), into=into)
    result = await compare(probe, left, right, mode="checksum")
    assert compared(result, "t").observed.startswith("7 changed")


async def test_a_number_is_the_same_as_integer_and_as_real(probe: Probe, make: Callable[..., str]) -> None:
    left = make("a", "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)", "INSERT INTO t VALUES (1, 7)")
    right = make("b", "CREATE TABLE t (id INTEGER PRIMARY KEY, v REAL)", "INSERT INTO t VALUES (1, 7)")
    assert (await compare(probe, left, right, mode="checksum")).status is Status.OK


async def test_a_column_that_got_lost_is_critical_and_may_be_ignored_by_name(
    probe: Probe, make: Callable[..., str]
) -> None:
    left = make("a", "CREATE TABLE t (id INTEGER PRIMARY KEY, v, w)", "INSERT INTO t VALUES (1, 2, 3)")
    right = make("b", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 2)")
    assert (await compare(probe, left, right, mode="checksum")).status is Status.CRIT
    assert (await compare(probe, right, left, mode="checksum")).status is Status.WARN
    assert (await compare(probe, left, right, mode="checksum", ignore_columns=["w"])).status is Status.OK


async def test_odd_names_are_names_and_nothing_else(probe: Probe, make: Callable[..., str]) -> None:
    statements = (
        'CREATE TABLE "a""b; DROP" (id INTEGER PRIMARY KEY, "c d" TEXT)',
        'INSERT INTO "a""b; DROP" VALUES (1, \'x\')',
    )
    for mode in ("count", "checksum"):
        result = await compare(probe, make("a" + mode, *statements), make("b" + mode, *statements), mode=mode)
        assert result.status is Status.OK, result


async def test_a_side_may_be_an_environment(probe: Probe, make: Callable[..., str]) -> None:
    sides = {"before": {"db": make("a", *BASE)}, "after": {"other": make("b", *BASE)}}
    result = await compare(probe, "before", sides["after"]["other"], sides=sides)
    assert result.status is Status.OK
    with pytest.raises(ProbeError, match="no database under db"):
        await compare(probe, "before", "after", sides=sides)
    with pytest.raises(ProbeError, match="no side 'later'"):
        await compare(probe, "before", "later", sides=sides)


async def test_memory_stays_flat_however_long_the_table(probe: Probe, make: Callable[..., str]) -> None:
    table, into = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (?, ?)"
    rows = [(i, "x" * 1000) for i in range(20_000)]
    left, right = make("a", table, rows=rows, into=into), make("b", table, rows=rows, into=into)
    del rows
    tracemalloc.start()
    result = await compare(probe, left, right, mode="checksum")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.status is Status.OK
    assert peak < 8 << 20


async def test_a_query_is_compared_and_no_row_is_never_fine(probe: Probe, make: Callable[..., str]) -> None:
    url = make("a", *BASE)
    query = "SELECT count(*) FROM users"
    assert (await probe("sql", database=url, query=query, expect="value == 3")).status is Status.OK
    assert (await probe("sql", database=url, query=query, expect="value > 3")).status is Status.CRIT
    nothing = "SELECT id FROM users WHERE id > 9"
    assert (await probe("sql", database=url, query=nothing)).status is Status.UNKNOWN
    assert (await probe("sql", database=url, query=nothing, expect="value != 5")).status is Status.UNKNOWN
    assert (await probe("sql", database=url, query=nothing, expect="rows == 0")).status is Status.OK


async def test_a_query_cannot_write(probe: Probe, make: Callable[..., str]) -> None:
    url = make("a", *BASE)
    with pytest.raises(ProbeError, match="readonly"):
        await probe("sql", database=url, query="DELETE FROM users")
    assert (
        await probe("sql", database=url, query="SELECT count(*) FROM users", expect="value == 3")
    ).status is Status.OK
