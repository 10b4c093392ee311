"""`sql_compare`: the same tables in two databases, by their number of rows or by all that they hold.

`checksum` reads both sides in the order of the key, a batch at a time. So memory stays flat however large a table is.
Where the sides differ it names the first keys. Nothing compared, no table, only empty tables: never OK.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator

from switchover_checks.api import Context, Effect, Finding, Metric, Result, Status
from switchover_checks.data.comparison.compared_table import ColumnPair, ComparedTable
from switchover_checks.data.comparison.one_table import TableComparison
from switchover_checks.data.comparison.sequences import judge_fill
from switchover_checks.data.comparison.table_diff import in_time
from switchover_checks.data.comparison.table_pairs import Pair, pair_tables
from switchover_checks.data.database import (
    Database,
    DatabaseColumn,
    DatabaseSource,
    database_source_of,
    open_database,
)

__all__ = ["SqlCompareCheck", "SqlCompareConfig"]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | list[str])]


@dataclass(frozen=True)
class SqlCompareConfig:
    """Two databases, which tables, and how deeply they are compared."""

    left: str
    """One side: a URL, or a side that has one."""
    right: str
    """The other side."""
    tables: Names = ("*",)
    """The tables. `"*"`: all of either side, in all schemas. `billing.*`: all of one schema."""
    mode: Literal["count", "checksum"] = "count"
    """`count` compares how many rows there are, `checksum` the rows themselves."""
    key: Names = ()
    """The column or columns that identify a row. Without it the primary key."""
    ignore_tables: Names = ()
    """Tables that are left out."""
    ignore_columns: Names = ()
    """Columns that are left out."""
    samples: int = 10
    """How many differing rows are shown."""
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
        if "*" in self.tables and len(self.tables) > 1:
            raise ValueError('tables is "*" or names, not both')
        if self.left == self.right:
            raise ValueError("left and right are the same, so they always agree")
        if not 0 <= self.samples <= 1000:
            raise ValueError("samples is 0 to 1000")


class SqlCompareCheck:
    """Compare two databases."""

    kind: ClassVar[str] = "sql_compare"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = SqlCompareConfig
    apart: ClassVar[bool] = True
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
    findings: list[Finding] = []
    metrics: list[Metric] = []
    total = 0
    with (
        open_database(left, base_dir, ctx.deadline, whole=True) as a,
        open_database(right, base_dir, ctx.deadline, whole=True) as b,
    ):
        names = (left.name, right.name)
        tables, missing = pair_tables(cfg.tables, cfg.ignore_tables, (a.tables(), b.tables()), names)
        findings += missing
        comparison = TableComparison(a, b, cfg.samples, ctx.deadline, _Progress())
        for pair in tables:
            ctx.enter(f"table {pair.name}")
            in_time(ctx.deadline)
            if cfg.mode == "count":
                counts = a.count(pair.left), b.count(pair.right)
                findings.append(_counted(pair.name, counts))
            else:
                table = _columns(cfg, pair, a, b, names, findings)
                if table is None:
                    continue
                diff = comparison.run(table)
                findings.append(diff.finding(names))
                counts = diff.left_rows, diff.right_rows
            if cfg.sequences:
                findings += [judge_fill(pair.name, fill) for fill in b.fills(pair.right)]
            total += max(counts)
            metrics += [Metric(f"{pair.name}.left", counts[0]), Metric(f"{pair.name}.right", counts[1])]
    if not tables and not missing:
        findings.append(Finding("tables", "at least one", "none on either side", Status.UNKNOWN))
    elif tables and total == 0:
        findings.append(Finding("rows in all tables", "more than 0", "0: nothing was compared", Status.UNKNOWN))
    word = "row counts" if cfg.mode == "count" else "contents"
    return Result.of(findings, metrics=metrics, ok=f"{word} of {len(tables)} tables agree, {total} rows")


class _Progress:
    def rows(self, done: int) -> None:
        """Tell nobody yet."""


def _counted(table: str, counts: tuple[int, int]) -> Finding:
    return Finding.compare(table, f"{counts[0]} rows", f"{counts[1]} rows", counts[0] == counts[1])


def _columns(
    cfg: SqlCompareConfig, pair: Pair, a: Database, b: Database, names: tuple[str, str], findings: list[Finding]
) -> ComparedTable | None:
    """Say which columns of a table are compared by which key; None where that cannot be."""
    table = pair.name
    columns = a.columns(pair.left), b.columns(pair.right)
    shared, unequal = _shared(table, columns, names, cfg.ignore_columns)
    findings += unequal
    by_name = {c.name: c for c in shared}
    primary = [{c.name for c in side if c.key} for side in columns]
    key = list(cfg.key) or [c.name for c in sorted(columns[0], key=_key_place) if c.key]
    unknown = [k for k in key if k not in by_name]
    if unknown:
        text = f"no column {', '.join(unknown)} on both sides"
        findings.append(Finding(table, f"the key {', '.join(key)}", text, Status.UNKNOWN))
        return None
    if not shared:
        findings.append(Finding(table, "columns in common", "none", Status.UNKNOWN))
        return None
    return ComparedTable(
        table,
        pair.left,
        pair.right,
        tuple(shared),
        tuple(by_name[k] for k in key),
        unique=bool(key) and primary == [set(key), set(key)],
    )


def _shared(
    table: str,
    columns: tuple[list[DatabaseColumn], list[DatabaseColumn]],
    names: tuple[str, str],
    ignored: Sequence[str],
) -> tuple[list[ColumnPair], list[Finding]]:
    sides = [{c.name for c in side} - set(ignored) for side in columns]
    findings = []
    for here, there, name in ((0, 1, names[1]), (1, 0, names[0])):
        lost = sorted(sides[here] - sides[there])
        if lost:
            status = Status.CRIT if here == 0 else Status.WARN
            text = f"{', '.join(lost[:10])} not in {name}"
            findings.append(Finding(f"{table} columns", "the same on both sides", text, status))
    others = {c.name: c for c in columns[1]}
    return [ColumnPair(c, others[c.name]) for c in columns[0] if c.name in sides[0] & sides[1]], findings


def _key_place(column: DatabaseColumn) -> int:
    return column.key
