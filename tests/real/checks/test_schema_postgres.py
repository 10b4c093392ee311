"""`sql_schema` against a real PostgreSQL: what a copy of the rows alone leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from tests.real.conftest import Postgres

from switchover_checks.api import Result, Status

Run = Callable[..., Awaitable[Result]]

SCHEMA = (
    "CREATE TABLE customers (id bigint PRIMARY KEY, mail varchar(80) NOT NULL UNIQUE)",
    """CREATE TABLE orders (id bigserial PRIMARY KEY, customer bigint NOT NULL REFERENCES customers,
        total numeric(12, 2), placed timestamptz, CONSTRAINT positive CHECK (total >= 0))""",
    "CREATE INDEX by_day ON orders (placed, lower(total::text))",
    "CREATE SCHEMA billing",
    "CREATE TABLE billing.invoice (id int PRIMARY KEY)",
    "INSERT INTO customers VALUES (1, 'a')",
    "INSERT INTO orders (customer) VALUES (1), (1)",
)
SHAPE: dict[str, Any] = {
    "orders": {
        "columns": {"id": "int8", "customer": "bigint not null", "total": "decimal(12,2)", "placed": "timestamptz"},
        "key": "id",
        "indexes": ["by_day", {"columns": "id", "unique": True, "method": "btree"}],
        "constraints": ["positive", "FOREIGN KEY (customer) REFERENCES customers"],
    },
    "billing.invoice": None,
    "customers": {"columns": ["id", "mail"]},
}


async def make(postgres: Postgres, *statements: str) -> str:
    return await asyncio.to_thread(postgres.create, *statements)


async def test_a_schema_that_is_as_it_must_be(run: Run, postgres: Postgres) -> None:
    left, right = await make(postgres, *SCHEMA), await make(postgres, *SCHEMA)
    result = await run("sql_schema", database=right, tables=SHAPE, extensions="plpgsql", same_as=left)
    assert result.status is Status.OK, result
    assert {m.name: m.value for m in result.metrics} == {"tables": 3, "missing": 0}
    assert [f.what for f in result.findings if "sequence" in f.what] == ["orders.id sequence"]


@pytest.mark.parametrize("by", ["tables", "same_as"])
async def test_each_thing_that_is_missing_is_named(run: Run, postgres: Postgres, by: str) -> None:
    left = await make(postgres, *SCHEMA)
    right = await make(
        postgres, *SCHEMA, "DROP INDEX by_day", "ALTER TABLE orders DROP CONSTRAINT positive",
        "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey", "ALTER TABLE orders ALTER customer DROP NOT NULL",
        "ALTER TABLE orders ALTER total TYPE numeric(10, 2)", "ALTER TABLE customers DROP mail",
        "DROP TABLE billing.invoice", "ALTER SEQUENCE orders_id_seq RESTART",
        "ALTER TABLE orders ADD CONSTRAINT late FOREIGN KEY (customer) REFERENCES customers NOT VALID",
    )  # fmt: skip
    wanted: dict[str, Any] = {"tables": SHAPE} if by == "tables" else {"same_as": left}
    result = await run("sql_schema", database=right, **wanted)
    assert result.status is Status.CRIT
    wrong = {(f.what, f.observed) for f in result.findings if f.status is not Status.OK}
    assert {
        ("billing.invoice", "not there"), ("customers.mail", "not there"), ("orders.customer", "may be NULL"),
        ("orders.total", "numeric(10,2)"), ("orders index", "orders_pkey unique btree (id)"),
        ("orders constraint", "late is not validated"), ("orders.id sequence", "public.orders_id_seq gives 1 next"),
    } <= wrong  # fmt: skip
    assert {m.name: m.value for m in result.metrics}["missing"] == len(wrong)


async def test_an_index_that_was_never_finished_is_not_one(run: Run, postgres: Postgres) -> None:
    url = await make(postgres, "CREATE TABLE t (v int)", "INSERT INTO t VALUES (1), (1)")

    def fail() -> None:
        with psycopg.connect(url, autocommit=True) as connection, pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY once ON t (v)")

    await asyncio.to_thread(fail)
    result = await run("sql_schema", database=url, tables={"t": {"indexes": ["once"]}})
    assert (result.status, "once is not valid" in result.summary) == (Status.CRIT, True)


async def test_an_extension_that_is_not_there_and_a_server_that_is_not(run: Run, postgres: Postgres) -> None:
    url = await make(postgres, *SCHEMA)
    result = await run("sql_schema", database=url, extensions=["vector"])
    assert (result.status, result.summary) == (Status.CRIT, "extension vector: expected installed, observed not there")
    gone = await run("sql_schema", database="postgresql://u:s3cret@127.0.0.1:1/x", tables="t")
    assert (gone.status, gone.phase, "s3cret" in repr(gone)) == (Status.CRIT, "connect", False)
