"""`sql_schema` of SQLite files: columns, keys, indexes and foreign keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import Result, Status
from switchover_checks.kinds.stores.sql_schema import SqlSchemaConfig
from switchover_checks.runtime.config import ConfigError, build_config

SCHEMA = (
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, who INTEGER REFERENCES users(id), day TEXT)",
    "CREATE UNIQUE INDEX by_day ON orders (day, who)",
)


def lite(path: Path, *statements: str) -> str:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    ("shape", "wrong"),
    [
        ({"columns": {"id": "int", "day": "text"}, "key": "id", "indexes": ["by_day"]}, ""),
        ({"indexes": [{"columns": ["day", "who"], "unique": True}]}, ""),
        ({"constraints": ["foreign key (who) references users"]}, ""),
        ({"columns": "id"}, ""),
        ({"columns": {"day": "date"}}, "orders.day: expected date, observed text"),
        ({"columns": {"day": "text not null"}}, "orders.day: expected never NULL, observed may be NULL"),
        ({"columns": ["gone"]}, "orders.gone: expected a column, observed not there"),
        ({"key": ["id", "day"]}, "orders key: expected id, day, observed id"),
        ({"indexes": [{"columns": ["who", "day"]}]}, "orders index: expected (who, day), observed by_day unique"),
        ({"indexes": [{"columns": ["day", "who"], "unique": False}]}, "orders index: expected (day, who)"),
        ({"constraints": ["FOREIGN KEY (day)"]}, "orders constraint: expected FOREIGN KEY (day)"),
    ],
)
async def test_only_what_is_asked_for_must_be_there(
    probe: Callable[..., Any], tmp_path: Path, shape: dict[str, Any], wrong: str
) -> None:
    result: Result = await probe("sql_schema", database=lite(tmp_path / "a", *SCHEMA), tables={"orders": shape})
    assert result.status is (Status.CRIT if wrong else Status.OK), result
    assert wrong in result.summary


async def test_another_database_may_be_the_model(probe: Callable[..., Any], tmp_path: Path) -> None:
    model, bare = lite(tmp_path / "a", *SCHEMA), lite(tmp_path / "b", *SCHEMA[:2])
    assert (await probe("sql_schema", database=model, same_as=bare)).status is Status.OK
    result = await probe("sql_schema", database=bare, same_as=model)
    assert (result.status, "orders index" in result.summary) == (Status.CRIT, True)


@pytest.mark.parametrize(
    "keys",
    [{}, {"same_as": "a"}, {"tables": {"t": {"colums": []}}}, {"tables": {"t": {"indexes": [{"method": "btree"}]}}}],
)
def test_a_wrong_shape_is_told_before_anything_is_read(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build_config(SqlSchemaConfig, {"database": "a", **keys})


async def test_the_number_of_tables_and_indexes_of_any_table_may_be_asked_for(
    probe: Callable[..., Any], tmp_path: Path
) -> None:
    url = lite(tmp_path / "a", *SCHEMA)
    assert (await probe("sql_schema", database=url, tables=">= 2", indexes=["by_day"])).status is Status.OK
    few = await probe("sql_schema", database=url, tables="> 2")
    assert (few.status, few.summary) == (Status.CRIT, "tables: expected > 2, observed 2")
    assert (await probe("sql_schema", database=url, indexes="by_week")).status is Status.CRIT
