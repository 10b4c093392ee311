"""Finding the database that a check means, and opening it for reading until a deadline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from switchover_checks.api import Context, ProbeError, Status
from switchover_checks.data.database.database_api import Database, DatabaseSource
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["database_source_of", "open_database", "query_rows"]

_URL_KEYS = ("db", "pg", "postgresql", "mysql", "mariadb", "sqlite", "database", "url")


async def database_source_of(
    side: str, ctx: Context, *, url_key: str | None = None, password: str | None = None
) -> DatabaseSource:
    """Find the database that `side` means: a URL, or the name of a side that has one under `url_key`.

    Without `url_key` the first of db, pg, postgresql, mysql, mariadb, sqlite, database, url is taken. Its password is
    that of `KEY_password`, else of `password`.
    """
    if "://" in side or side.startswith("sqlite:"):
        return DatabaseSource(redact_unknown(side), side, password)
    try:
        known: Mapping[str, Any] = await ctx.in_thread(lambda: ctx.side(side))  # a secret of it may take its time
    except KeyError:
        raise ProbeError(f"the plan has no side {side!r}, and it is not a URL", status=Status.UNKNOWN) from None
    keys = (url_key,) if url_key else _URL_KEYS
    key = next((k for k in keys if known.get(k)), None)
    if key is None:
        raise ProbeError(f"side {side!r} has no database under {' or '.join(keys)}", status=Status.UNKNOWN)
    own = known.get(f"{key}_password") or known.get("password")
    url = str(known[key])
    if "://" not in url and not url.startswith("sqlite:"):
        url = f"sqlite:{url}"
    return DatabaseSource(side, url, password or (str(own) if own else None))


async def query_rows(ctx: Context, url: str, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one query in a thread. Raise `ProbeError`."""

    def work() -> list[tuple[Any, ...]]:
        with open_database(DatabaseSource(redact_unknown(url), url), ctx.base_dir, ctx.deadline) as database:
            return database.query(query, params)

    return await ctx.in_thread(work)


@contextmanager
def open_database(
    source: DatabaseSource, base_dir: Path, deadline: float, *, whole: bool = False
) -> Iterator[Database]:
    """Open a database read-only, in one snapshot, until the deadline (monotonic). Raise `ProbeError`.

    With `whole` its tables are read as they are. No policy may hide rows, and no server setting may change how values
    are written.
    """
    scheme = source.url.partition(":")[0]
    if scheme == "sqlite":
        from switchover_checks.data.database.sqlite_database import open_sqlite

        with open_sqlite(source, base_dir, deadline) as lite:
            yield lite
    elif scheme in ("postgresql", "postgres"):
        from switchover_checks.data.database.postgres_database import open_postgres

        with open_postgres(source, deadline, whole=whole) as pg:
            yield pg
    elif scheme in ("mysql", "mariadb"):
        from switchover_checks.data.database.mysql_database import open_mysql

        with open_mysql(source, deadline, whole=whole) as my:
            yield my
    else:
        told = f"{source.name}: {scheme!r} is none of sqlite, postgresql, mysql, mariadb"
        raise ProbeError(told, status=Status.UNKNOWN)
