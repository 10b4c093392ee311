"""Tables that are called otherwise, moved or changed on the way: what belongs together is compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import Result, Status
from switchover_checks.kinds.sql_compare import SqlCompareConfig
from switchover_checks.runtime.config import ConfigError, build_config

Make = Callable[..., str]
ORDERS = ("CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL, placed TEXT, flag TEXT, junk TEXT)",
          "INSERT INTO orders VALUES (1, 10.001, '2026-01-01 00:00:00', 'true', 'a'), (2, 20, NULL, 'f', 'b')",
          "INSERT INTO orders VALUES (3, 30, '2026-01-03 00:00:00', 'f', 'old')")  # fmt: skip
SALES = ('CREATE TABLE "sales.orders" (order_id INTEGER PRIMARY KEY, total REAL, placed TEXT, flag INTEGER)',
         "INSERT INTO \"sales.orders\" VALUES (1, 10, '2026-01-01 00:00:00.5', 1), (2, 20, NULL, 0)")  # fmt: skip
WISH: dict[str, Any] = {
    "to": '"sales.orders"',
    "columns": {"id": "order_id"},
    "where": {"left": "junk <> 'old'"},
    "ignore": ["junk"],
    "tolerance": {"total": 0.01, "placed": 1},
    "casts": {"flag": "boolean", "placed": "timestamp"},
}


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def database(name: str, *statements: str) -> str:
        with sqlite3.connect(tmp_path / name) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
        return f"sqlite:///{tmp_path}/{name}"

    return database


async def compare(probe: Callable[..., Any], left: str, right: str, **config: Any) -> Result:
    result: Result = await probe("sql_compare", left=left, right=right, **config)
    return result


def observed(result: Result) -> dict[str, str]:
    return {f.what: f.observed for f in result.findings}


async def test_a_mapped_table_agrees_and_the_result_says_within_what(probe: Callable[..., Any], make: Make) -> None:
    sides = make("a", *ORDERS), make("b", *SALES)
    result = await compare(probe, *sides, mode="checksum", tables={"orders": WISH})
    assert result.status is Status.OK, result
    assert observed(result) == {"orders": "2 rows, total within 0.01, placed within 1"}
    counted = await compare(probe, *sides, tables={"orders": WISH})
    assert observed(counted) == {"orders": "2 rows"}


@pytest.mark.parametrize(
    ("without", "what"),
    [
        ("tolerance", "2 rows"),
        ("where", "1 missing in"),
        ("casts", "2 changed"),
        ("columns", "no column id on both sides"),
        ("ignore", "junk not in"),
        ("to", "not in"),
    ],
)
async def test_each_part_of_a_mapping_counts(probe: Callable[..., Any], make: Make, without: str, what: str) -> None:
    wish = {key: value for key, value in WISH.items() if key != without}
    result = await compare(probe, make("a", *ORDERS), make("b", *SALES), mode="checksum", tables={"orders": wish})
    assert result.status is not Status.OK
    assert any(what in text for text in observed(result).values()), result


async def test_what_lies_further_apart_than_it_may_is_found_by_column(probe: Callable[..., Any], make: Make) -> None:
    right = make("b", *SALES, "UPDATE \"sales.orders\" SET total = 20.02, placed = '2026-01-01' WHERE order_id = 2")
    result = await compare(probe, make("a", *ORDERS), right, mode="checksum", tables={"orders": WISH})
    assert "differing columns: total 1, placed 1; id: 2" in observed(result)["orders"]


async def test_a_star_beside_tables_means_all_others(probe: Callable[..., Any], make: Make) -> None:
    more = ("CREATE TABLE users (id INTEGER PRIMARY KEY, seen INT)", "INSERT INTO users VALUES (1, 5)")
    changed = (more[0], "INSERT INTO users VALUES (1, 6)")
    sides = make("a", *ORDERS, *more), make("b", *SALES, *changed)
    result = await compare(probe, *sides, mode="checksum", tables={"orders": WISH, "*": None})
    assert {f.what: f.status for f in result.findings} == {"orders": Status.OK, "users": Status.CRIT}
    ignored = await compare(probe, *sides, mode="checksum", tables={"orders": WISH, "*": {"ignore": "seen"}})
    assert ignored.status is Status.OK
    assert "main" in ignored.evidence["schemas"]


@pytest.mark.parametrize("mode", ["count", "checksum"])
async def test_a_condition_that_chooses_no_row_of_a_table_proves_nothing(
    probe: Callable[..., Any], make: Make, mode: str
) -> None:
    users = ("CREATE TABLE users (id INTEGER PRIMARY KEY)", "INSERT INTO users VALUES (1)")
    sides = make("a", *ORDERS, *users), make("b", *ORDERS, *users)
    tables = {"users": None, "orders": {"where": "flag = 'typo'"}}
    result = await compare(probe, *sides, mode=mode, tables=tables)
    assert result.status is Status.UNKNOWN, result
    assert observed(result)["orders where"] == "it chooses none on either side"


async def test_a_column_that_is_not_there_is_told(probe: Callable[..., Any], make: Make) -> None:
    wish = {**WISH, "tolerance": {"totl": 1}}
    result = await compare(probe, make("a", *ORDERS), make("b", *SALES), mode="checksum", tables={"orders": wish})
    assert (result.status, "no column totl" in observed(result)["orders"]) == (Status.UNKNOWN, True)


async def test_a_tolerance_without_a_key_is_told(probe: Callable[..., Any], make: Make) -> None:
    table = ("CREATE TABLE t (v REAL)", "INSERT INTO t VALUES (1)")
    result = await compare(probe, make("a", *table), make("b", *table), mode="checksum", tables={"t": {"tolerance": 1}})
    assert (result.status, "no key" in result.summary) == (Status.UNKNOWN, True)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"where": "1; DROP TABLE t"}, "where"),
        ({"where": "1) OR (1"}, "parentheses"),
        ({"where": "v = ')'"}, ""),
        ({"where": "pg_terminate_backend(1)"}, "where"),
        ({"casts": {"v": "bool"}}, "there is no 'bool'; did you mean"),
        ({"tolerance": -1}, "tolerance"),
        ({"columns": {"a": "x", "b": "x"}}, "the same name"),
        ({"colums": {}}, "colums"),
    ],
)
def test_a_wrong_mapping_is_told_before_anything_is_read(wish: dict[str, Any], message: str) -> None:
    keys = {"left": "a", "right": "b", "tables": {"t": wish}}
    if not message:
        assert build_config(SqlCompareConfig, keys).wishes["t"].conditions == ("v = ')'", "v = ')'")
        return
    with pytest.raises(ConfigError, match=message):
        build_config(SqlCompareConfig, keys)


@pytest.mark.parametrize("value", ["0%", "101%", "half", 0.5, "-1%"])
def test_a_throttle_is_a_share_of_the_time(value: object) -> None:
    with pytest.raises(ConfigError, match="throttle"):
        build_config(SqlCompareConfig, {"left": "a", "right": "b", "throttle": value})
    assert build_config(SqlCompareConfig, {"left": "a", "right": "b", "throttle": "50%"}).throttle == 0.5


async def test_a_tolerance_for_all_tables_is_for_those_that_have_the_column(
    probe: Callable[..., Any], make: Make
) -> None:
    other = ("CREATE TABLE u (id INTEGER PRIMARY KEY)", "INSERT INTO u VALUES (1)")
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, v REAL)"
    left = make("a", table, "INSERT INTO t VALUES (1, 1)", *other)
    sides = left, make("b", table, "INSERT INTO t VALUES (1, 1.05)", *other)
    assert (await compare(probe, *sides, mode="checksum", tolerance={"v": 0.1})).status is Status.OK
    assert (await compare(probe, *sides, mode="checksum", tolerance={"v": 0.01})).status is Status.CRIT
