"""`sql_schema`: whether a database has the tables, columns, indexes, constraints and extensions that it must have.

A copy that brings all rows may still leave an index, a foreign key or an extension behind.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, Result, Status
from switchover_checks.data.comparison.schema_judging import SchemaJudge, shape_of
from switchover_checks.data.comparison.schema_wish import TableShape
from switchover_checks.data.comparison.sequences import judge_fill
from switchover_checks.data.comparison.table_pairs import find_table
from switchover_checks.data.comparison.table_wish import Names
from switchover_checks.data.database import Database, DatabaseSource, DatabaseTable, database_source_of, open_database

__all__ = ["SqlSchemaCheck", "SqlSchemaConfig"]


_COUNT = re.compile(r"\s*(==|>=|<=|>|<)\s*(\d+)\s*")
_COMPARE = {"==": operator.eq, ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


@dataclass(frozen=True)
class SqlSchemaConfig:
    """A database, and what must be in it."""

    database: str
    """A URL, or the name of a side that has one."""
    tables: Names | Mapping[str, TableShape | None] = ()
    """The tables that must be there, or how many: `">= 15"`.

    With a mapping each may have `columns`, `key`, `indexes`, `constraints`.

    `columns` are names, or names with types (`total: numeric(12,2) not null`). `indexes` are names, or mappings of
    `columns`, `method` and `unique`. `constraints` are names, or the beginning of their text.
    """
    indexes: Names = ()
    """Names of indexes that must be there, of whatever table."""
    same_as: str | None = None
    """Another database; whatever its tables have must be here too."""
    extensions: Names = ()
    """The extensions that must be installed."""
    sequences: bool = True
    """Whether the next number of each sequence must be free."""
    url_key: str | None = None
    """The key of the sides that holds the URL."""
    password: str | None = None
    """The password of the database, by a template: `{{ secret.NAME }}`."""
    same_as_password: str | None = None
    """The password of the other database, by a template: `{{ secret.NAME }}`."""

    def __post_init__(self) -> None:
        if not self.tables and not self.extensions and not self.indexes and self.same_as is None:
            raise ValueError("say what must be there: tables, indexes, extensions or same_as")
        if self.same_as == self.database:
            raise ValueError("same_as is the database itself, so they always agree")

    @property
    def shapes(self) -> Mapping[str, TableShape]:
        """What each table must have."""
        if isinstance(self.tables, Mapping):
            return {name: shape or TableShape() for name, shape in self.tables.items()}
        return {name: TableShape() for name in self.tables if _COUNT.fullmatch(name) is None}

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many tables there must be: comparisons with a number."""
        found = [_COUNT.fullmatch(name) for name in self.tables]
        return [(match[1], int(match[2])) for match in found if match is not None]


class SqlSchemaCheck:
    """Look at a schema."""

    kind: ClassVar[str] = "sql_schema"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = SqlSchemaConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("tables", "", "how many tables were looked at"),
        Measured("missing", "", "how many things are missing or otherwise than they must be"),
    )
    example: ClassVar[str] = """
    kind: sql_schema
    database: after
    tables:
      orders: {columns: {id: bigint, total: "numeric not null"}, key: id, indexes: [{columns: [placed]}]}
    extensions: [vector]
    """

    async def probe(self, cfg: SqlSchemaConfig, ctx: Context) -> Result:
        """Look once, in a thread."""
        ctx.enter("connect")
        source = await database_source_of(cfg.database, ctx, url_key=cfg.url_key, password=cfg.password)
        other: DatabaseSource | None = None
        if cfg.same_as is not None:
            other = await database_source_of(cfg.same_as, ctx, url_key=cfg.url_key, password=cfg.same_as_password)
        return await ctx.in_thread(lambda: _looked(cfg, source, other, ctx))


def _looked(cfg: SqlSchemaConfig, source: DatabaseSource, other: DatabaseSource | None, ctx: Context) -> Result:
    shapes = dict(cfg.shapes)
    wanted = list(cfg.extensions)
    if other is not None:
        with open_database(other, ctx.base_dir, ctx.deadline, whole=True) as model:
            same = model.dialect == _dialect(source)
            for table in model.tables():
                shapes.setdefault(str(table), shape_of(model, table, exact=same))
            wanted += [name for name in model.extensions() if same and name not in wanted]
    with open_database(source, ctx.base_dir, ctx.deadline, whole=True) as database:
        ctx.enter("assert")
        findings = [*_extensions(database, wanted), *_tables(cfg, database, shapes)]
    bad = sum(f.status is not Status.OK for f in findings)
    metrics = [Metric("tables", len(shapes)), Metric("missing", bad)]
    ok = f"{len(shapes)} tables and {len(wanted)} extensions as they must be"
    return Result.of(findings, metrics=metrics, phase="assert", ok=ok)


def _dialect(source: DatabaseSource) -> str:
    scheme = source.url.partition(":")[0]
    return {"postgres": "postgresql", "mariadb": "mysql"}.get(scheme, scheme)


def _extensions(database: Database, wanted: list[str]) -> Iterator[Finding]:
    installed = database.extensions()
    for name in wanted:
        there = name in installed
        yield Finding.compare(f"extension {name}", "installed", "installed" if there else "not there", there)


def _tables(cfg: SqlSchemaConfig, database: Database, shapes: Mapping[str, TableShape]) -> Iterator[Finding]:
    tables = database.tables()
    for sign, number in cfg.counts:
        yield Finding.compare("tables", f"{sign} {number}", len(tables), _COMPARE[sign](len(tables), number))
    yield from _named_indexes(database, tables, cfg.indexes)
    for name, shape in shapes.items():
        table = find_table(name, tables)
        if table is None:
            yield Finding(name, "a table", "not there", Status.CRIT)
            continue
        judge = SchemaJudge(name, database.columns(table), database.facts(table))
        yield from judge.findings(shape)
        if cfg.sequences:
            yield from (judge_fill(name, fill) for fill in database.fills(table))


def _named_indexes(database: Database, tables: Sequence[DatabaseTable], wanted: Sequence[str]) -> Iterator[Finding]:
    found = {i.name: i for table in tables for i in database.facts(table).indexes} if wanted else {}
    for name in wanted:
        index = found.get(name)
        observed = "not there" if index is None else "there" if index.valid else "not valid"
        yield Finding.compare(f"index {name}", "there", observed, observed == "there")
