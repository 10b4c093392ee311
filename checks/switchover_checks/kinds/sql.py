"""`sql`: one query, its first row compared with what is expected. No row at all is never fine by itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Metric, Result, Status
from switchover_checks.data.database import database_source_of, open_database
from switchover_checks.language.effects import DeclaredEffect, by_word
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.sql_text import read_query
from switchover_checks.language.units import exact_number, format_duration

__all__ = ["SqlCheck", "SqlConfig"]

NAMES: Mapping[str, NameType] = {"value": "any", "row": "list", "rows": "number", "time": "duration"}


@dataclass(frozen=True)
class SqlConfig:
    """Which database to ask (a URL, or the name of an environment that has one), what, and what must come back.

    `value` is the first column of the first row, `row` the whole of it, `rows` how many there are. The query is one
    question. Where it calls a function that is not known to only read, `effect: read` says that it does.
    """

    database: str
    query: str
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    url_key: str | None = None
    password: str | None = None
    effect: DeclaredEffect = None

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

    def changes(self, cfg: SqlConfig) -> str:
        """Judge the query by what it does and calls."""
        return by_word(cfg.effect, read_query(cfg.query).changes)

    def measures(self, keys: Mapping[str, Any]) -> frozenset[str]:
        """Return what is always measured."""
        del keys
        return frozenset(("time", "rows", "value"))

    async def probe(self, cfg: SqlConfig, ctx: Context) -> Result:
        """Ask once."""
        source = await database_source_of(cfg.database, ctx, url_key=cfg.url_key, secret=cfg.password)
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
