"""Two PostgreSQL servers: a primary, and a standby that follows it over a line in the test's hands."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from tests.real.conftest import PostgresServer, place_for_postgres, run_postgres
from tests.real.migration.line import Line, line_to

_WITHIN_S = 30.0


@dataclass
class Pair:
    """A primary and its standby. `following` is the line that records go over; both may be alive at once."""

    primary: PostgresServer
    standby: PostgresServer
    following: Line

    def wait_for_standby(self) -> None:
        """Have the primary believe no commit that the standby does not have."""
        _execute(self.primary, "ALTER SYSTEM SET synchronous_standby_names = 'second'", "SELECT pg_reload_conf()")
        _until(self.primary, "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")

    def catch_up(self) -> None:
        """Wait until the standby has all that was written."""
        _until(self.primary, "SELECT replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication")

    def promote(self) -> None:
        """Make a primary of the standby. The old one is not asked, and lives on."""
        self.standby.call("pg_ctl", "promote", "-w")

    def cancel_waits(self) -> int:
        """End each wait for the standby, as an operator may; the server then warns. Return how many there were."""
        query = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        return int(_ask(self.primary, query))


@contextmanager
def run_pair() -> Iterator[Pair]:
    with run_postgres() as primary, line_to(primary.port) as following, place_for_postgres() as standby:
        address = f"host=127.0.0.1 port={following.port} user=postgres application_name=second"
        standby.call("pg_basebackup", "-d", address, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        standby.start()
        yield Pair(primary, standby, following)


def _execute(server: PostgresServer, *statements: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _ask(server: PostgresServer, query: str) -> int | bool:
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row is not None else False


def _until(server: PostgresServer, query: str) -> None:
    limit = time.monotonic() + _WITHIN_S
    while not _ask(server, query):
        assert time.monotonic() < limit, query
        time.sleep(0.02)
