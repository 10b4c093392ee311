"""`sql_compare`: the same tables in two databases, by their number of rows or by all that they hold.

`checksum` reads both sides in the order of the key, a batch at a time. So memory stays flat however large a table is.
Where the sides differ it names the first keys. Nothing compared, no table, only empty tables: never OK.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator

from switchover_checks.api import Context, Effect, Finding, Metric, Result, Status
from switchover_checks.data.comparison.bookmark import Bookmark
from switchover_checks.data.comparison.comparison_progress import ComparisonProgress, in_time
from switchover_checks.data.comparison.one_table import TableComparison
from switchover_checks.data.comparison.sequences import judge_fill
from switchover_checks.data.comparison.table_columns import TableColumns, compared_table
from switchover_checks.data.comparison.table_pairs import Pair, pair_tables
from switchover_checks.data.comparison.table_wish import Distance, Names, TableWish
from switchover_checks.data.database import (
    Database,
    DatabaseSource,
    DatabaseTable,
    database_source_of,
    open_database,
)

__all__ = ["SqlCompareCheck", "SqlCompareConfig"]


def _share(value: object) -> object:
    match = re.fullmatch(r"(\d{1,3})\s*%", value.strip()) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[1]) <= 100:
        raise ValueError("throttle is a share of the time, from 1% to 100%")
    return int(match[1]) / 100


Throttle = Annotated[float, BeforeValidator(_share, json_schema_input_type=str)]


@dataclass(frozen=True)
class SqlCompareConfig:
    """Two databases, which tables, and how deeply they are compared."""

    left: str
    """One side: a URL, or a side that has one."""
    right: str
    """The other side."""
    tables: Names | Mapping[str, TableWish | None] = ("*",)
    """The tables. `"*"`: all of either side, in all schemas. `billing.*`: all of one schema.

    With a mapping each may have `to`, `columns`, `key`, `where`, `ignore`, `tolerance`, `casts`. Its `"*"` is for all
    others.
    """
    mode: Literal["count", "checksum"] = "count"
    """`count` compares how many rows there are, `checksum` the rows themselves."""
    key: Names = ()
    """The column or columns that identify a row. Without it the primary key."""
    ignore_tables: Names = ()
    """Tables that are left out."""
    ignore_columns: Names = ()
    """Columns that are left out."""
    tolerance: Distance | Mapping[str, Distance] | None = None
    """How far numbers, times and vectors may lie apart where the table says nothing: of all columns, or by column."""
    samples: int = 10
    """How many differing rows are shown."""
    throttle: Throttle = 1.0
    """How much of the time is spent working. At 50% it takes twice as long and loads the servers half as much."""
    sequences: bool = True
    """Whether the next number of each sequence of the right side must be free."""
    url_key: str | None = None
    """The key of the sides that holds the URL."""
    left_password: str | None = None
    """The password of the left side\'s URL, by a template: `{{ secret.NAME }}`."""
    right_password: str | None = None
    """The password of the right side\'s URL, by a template: `{{ secret.NAME }}`."""

    def __post_init__(self) -> None:
        if not self.tables:
            raise ValueError('tables is empty; name some, or write "*" for all')
        if "*" in self.tables and len(self.tables) > 1 and not isinstance(self.tables, Mapping):
            raise ValueError('tables is "*" or names, not both')
        if self.left == self.right:
            raise ValueError("left and right are the same, so they always agree")
        if not 0 <= self.samples <= 1000:
            raise ValueError("samples is 0 to 1000")
        if any(wish.to for name, wish in self.wishes.items() if "*" in name):
            raise ValueError("tables: `to` names one table, and `*` means many")

    @property
    def wishes(self) -> Mapping[str, TableWish]:
        """What is said of each table."""
        given = self.tables.items() if isinstance(self.tables, Mapping) else ()
        return {name: wish for name, wish in given if wish is not None}


class SqlCompareCheck:
    """Compare two databases."""

    kind: ClassVar[str] = "sql_compare"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = SqlCompareConfig
    apart: ClassVar[bool] = True
    timeout_s: ClassVar[float] = 6 * 3600.0
    example: ClassVar[str] = """
    kind: sql_compare
    left: before
    right: after
    tables: "*"
    mode: count
    """

    async def probe(self, cfg: SqlCompareConfig, ctx: Context) -> Result:
        """Compare once, in a thread, each side in one snapshot."""
        ctx.enter("connect")
        left = await database_source_of(cfg.left, ctx, url_key=cfg.url_key, password=cfg.left_password)
        right = await database_source_of(cfg.right, ctx, url_key=cfg.url_key, password=cfg.right_password)
        return await ctx.in_thread(lambda: _compare(cfg, left, right, ctx, ctx.base_dir))


def _compare(
    cfg: SqlCompareConfig, left: DatabaseSource, right: DatabaseSource, ctx: Context, base_dir: Path
) -> Result:
    with (
        open_database(left, base_dir, ctx.deadline, whole=True) as a,
        open_database(right, base_dir, ctx.deadline, whole=True) as b,
    ):
        return _Comparison(cfg, ctx, a, b, (left.name, right.name)).run()


class _Comparison:
    """One look at both sides, while they are open."""

    def __init__(self, cfg: SqlCompareConfig, ctx: Context, a: Database, b: Database, names: tuple[str, str]) -> None:
        self._cfg, self._ctx, self._a, self._b, self._names = cfg, ctx, a, b, names
        asked = replace(cfg, throttle=1.0)
        what = hashlib.sha256(f"{asked!r} {a.identity()} {b.identity()}".encode()).hexdigest()
        self._bookmark = Bookmark(ctx.since("comparison"), what, (a.mark(), b.mark()), time.time())
        self._findings: list[Finding] = []
        self._metrics: list[Metric] = []

    def run(self) -> Result:
        """Compare all tables."""
        cfg, findings = self._cfg, self._findings
        sides = self._a.tables(), self._b.tables()
        targets = {name: wish.to for name, wish in cfg.wishes.items() if wish.to}
        pairs, missing = pair_tables(tuple(cfg.tables), cfg.ignore_tables, sides, self._names, targets)
        if pairs and self._a.identity() == self._b.identity() and all(p.left == p.right for p in pairs):
            return Result.unknown("left and right are the same tables of the same database, so they always agree")
        findings += missing
        total = self._tables(pairs)
        if resumed := self._bookmark.finding():
            findings.append(resumed)
        self._bookmark.forget()
        if not pairs and not missing:
            findings.append(Finding("tables", "at least one", "none on either side", Status.UNKNOWN))
        elif pairs and total == 0:
            findings.append(Finding("rows in all tables", "more than 0", "0: nothing was compared", Status.UNKNOWN))
        word = "row counts" if cfg.mode == "count" else "contents"
        seen = [f"{name}: {', '.join(_schemas(side))}" for name, side in zip(self._names, sides, strict=True)]
        return Result.of(
            findings,
            metrics=self._metrics,
            evidence={"schemas": "; ".join(seen)} if any("*" in table for table in cfg.tables) else {},
            ok=f"{word} of {len(pairs)} tables agree, {total} rows",
        )

    def _tables(self, pairs: Sequence[Pair]) -> int:
        total = 0
        expected = sum(max(self._a.estimate(p.left), self._b.estimate(p.right)) for p in pairs)
        progress = ComparisonProgress(self._ctx, self._ctx.deadline, expected, self._cfg.throttle)
        for pair in pairs:
            self._ctx.enter(f"table {pair.name}")
            in_time(self._ctx.deadline)
            progress.begin(pair.name)
            counts = self._table(pair, progress)
            if counts is None:
                continue
            progress.end(max(counts))
            if self._cfg.sequences:
                self._findings += [judge_fill(pair.name, fill) for fill in self._b.fills(pair.right)]
            total += max(counts)
            self._metrics += [Metric(f"{pair.name}.left", counts[0]), Metric(f"{pair.name}.right", counts[1])]
        return total

    def _table(self, pair: Pair, progress: ComparisonProgress) -> tuple[int, int] | None:
        """Compare one table; return its rows on both sides, None where it could not be compared."""
        cfg, a, b = self._cfg, self._a, self._b
        wish = cfg.wishes.get(pair.name) or cfg.wishes.get("*") or TableWish()
        if cfg.mode == "count":
            counts = a.count(pair.left, wish.conditions[0]), b.count(pair.right, wish.conditions[1])
            self._findings.append(_counted(pair.name, counts))
            self._chosen(pair, wish, counts)
            return counts
        columns = TableColumns(pair, a.columns(pair.left), b.columns(pair.right), self._names)
        wish = wish.with_tolerance(cfg.tolerance, {c.name for c in columns.left})
        table, unequal = compared_table(columns, wish, cfg.key, cfg.ignore_columns)
        self._findings += unequal
        if table is None:
            return None
        if kept := self._bookmark.done(pair.name):
            self._findings.append(kept[0])
            self._chosen(pair, wish, kept[1])
            return kept[1]
        diff = TableComparison(a, b, cfg.samples, progress, self._bookmark).run(table)
        finding, counts = diff.finding(self._names), (diff.left_rows, diff.right_rows)
        self._findings.append(finding)
        self._bookmark.ended(pair.name, finding, counts)
        self._chosen(pair, wish, counts)
        return counts

    def _chosen(self, pair: Pair, wish: TableWish, counts: tuple[int, int]) -> None:
        """Say that the condition of a table that is named chooses no row at all."""
        if pair.name in self._cfg.wishes and any(wish.conditions) and not any(counts):
            what = f"{pair.name} where"
            self._findings.append(Finding(what, "some rows", "it chooses none on either side", Status.UNKNOWN))


def _schemas(tables: Sequence[DatabaseTable]) -> list[str]:
    return sorted({table.schema for table in tables}) or ["none"]


def _counted(table: str, counts: tuple[int, int]) -> Finding:
    return Finding.compare(table, f"{counts[0]} rows", f"{counts[1]} rows", counts[0] == counts[1])
