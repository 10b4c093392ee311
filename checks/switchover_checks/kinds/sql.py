"""`sql`: one query, its first row compared with what is expected. No row at all is never fine by itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, Result, Status
from switchover_checks.data.database import database_source_of, open_database
from switchover_checks.language.effects import DeclaredEffect, by_word
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.sql_text import read_query
from switchover_checks.language.units import exact_number, format_duration

__all__ = ["SqlCheck", "SqlConfig"]

NAMES: Mapping[str, NameType] = {"value": "any", "row": "list", "rows": "number", "time": "duration"}


@dataclass(frozen=True)
class SqlConfig:
    """Which database to ask, what, and what must come back."""

    database: str
    """A URL, or the name of a side that has one."""
    query: str
    """The question, a single one."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `value` (first column of the first row), `row`, `rows` (how many) and `time`."""
    url_key: str | None = None
    """The key of the side that holds the URL."""
    password: str | None = None
    """The password, by a template: `{{ secret.NAME }}`."""
    effect: DeclaredEffect = None
    """`read` is the author's word that the functions in the query change nothing."""

    def __post_init__(self) -> None:
        if not self.query.strip():
            raise ValueError("query is empty")
        if wrong := read_query(self.query).wrong:
            raise ValueError(f"query: {wrong}")


class SqlCheck:
    """Ask a database."""

    kind: ClassVar[str] = "sql"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = SqlConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("time", "s", "how long the query took"),
        Measured("rows", "", "how many rows came back"),
        Measured("value", "", "the first value, where it is a number"),
    )
    example: ClassVar[str] = """
    kind: sql
    database: after
    query: select count(*) from orders
    expect: value >= 1
    """

    def changes(self, cfg: SqlConfig) -> str:
        """Judge the query by what it does and calls."""
        return by_word(cfg.effect, read_query(cfg.query).changes)

    async def probe(self, cfg: SqlConfig, ctx: Context) -> Result:
        """Ask once."""
        source = await database_source_of(cfg.database, ctx, url_key=cfg.url_key, password=cfg.password)
        ctx.enter("connect")
        start = time.monotonic()

        def work() -> list[tuple[Any, ...]]:
            with open_database(source, ctx.base_dir, ctx.deadline) as database:
                ctx.enter("first_byte")
                return database.query(cfg.query, ())

        rows = await ctx.in_thread(work)
        seconds = time.monotonic() - start
        ctx.enter("assert")
        nothing = Unavailable("no row came back")
        row = [_simple(v) for v in rows[0]] if rows else nothing
        value = row[0] if isinstance(row, list) and row else nothing
        facts = {"rows": len(rows), "row": row, "value": value, "time": seconds}
        findings = [e.check(facts) for e in cfg.expect]
        if not any(e.names & {"rows", "row", "value"} for e in cfg.expect):
            findings.append(Finding("rows", "at least 1", str(len(rows)), Status.OK if rows else Status.UNKNOWN))
        metrics = [Metric("time", seconds, "s"), Metric("rows", len(rows))]
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            with contextlib.suppress(OverflowError):
                metrics.append(Metric("value", float(value)))
        return Result.of(findings, metrics=metrics, ok=f"{len(rows)} rows in {format_duration(seconds)}")


def _simple(value: Any) -> Any:
    if isinstance(value, Decimal):
        return exact_number(str(value)) if value.is_finite() else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value if value is None or isinstance(value, str | int | float | bool | list | dict) else str(value)
