"""The roles of a team: what each may do, and that none stands in the way of those who may more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.real.conftest import Postgres
from tests.unit.migration.harness import ANA, BEN, OPENED, HandClock, open_bench

from switchover.errors import JournalError, LockedError, UsageError
from switchover.migration.journal.postgres_journal import PostgresJournal
from switchover.migration.journal.postgres_roles import all_statements, make_roles, role_statements
from switchover.settings import JournalAddress

PLAN = "phases: [{id: a, steps: [{id: one, run: 'echo one >> log', effect: changes}]}]"


@pytest.fixture(autouse=True)
def engines_are_closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().engine.run_store.close()


@pytest.fixture
def team(postgres: Postgres) -> dict[str, JournalAddress]:
    """A database with its roles, and logins that have one each."""
    url = postgres.create()
    database = url.rpartition("/")[2]
    make_roles(JournalAddress(url), database)
    team = {"admin": JournalAddress(url)}
    with psycopg.connect(url, autocommit=True) as connection:
        for role in ("reader", "driver", "stranger"):
            login = sql.Identifier(f"{database}_{role}_login")
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(login))
            if role != "stranger":
                connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(f"{database}_{role}"), login))
            team[role] = JournalAddress(url.replace("postgres@", f"{database}_{role}_login@"))
    return team


def _execute(address: JournalAddress, *statements: bytes) -> None:
    with psycopg.connect(address.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


async def test_a_driver_carries_a_run_through_and_a_reader_sees_it(
    tmp_path: Path, team: dict[str, JournalAddress]
) -> None:
    for name in ("driver", "reader"):
        (tmp_path / name).mkdir()
    driver = open_bench(tmp_path / "driver", PLAN, shared=team["driver"])
    assert (await driver.engine.drive(ANA)).kind == "done"
    reader = open_bench(tmp_path / "reader", PLAN, shared=team["reader"])
    assert reader.engine.view().state == "done"
    with pytest.raises(JournalError, match="does not let you do that: permission denied"):
        await reader.engine.drive(BEN, new=True)
    assert reader.log == []


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("reader", b"INSERT INTO switchover.events SELECT * FROM switchover.events"),
        ("reader", b"INSERT INTO switchover.journals VALUES ('x', 'y')"),
        ("reader", b"UPDATE switchover.holders SET epoch = 9"),
        ("reader", b"SELECT * FROM switchover.holders FOR SHARE"),
        ("driver", b"UPDATE switchover.events SET data = ''"),
        ("driver", b"DELETE FROM switchover.events"),
        ("driver", b"TRUNCATE switchover.events"),
        ("driver", b"DELETE FROM switchover.holders"),
        ("driver", b"DROP TABLE switchover.events"),
        ("driver", b"CREATE TABLE switchover.other (x int)"),
        ("driver", b"ALTER TABLE switchover.events DISABLE TRIGGER ALL"),
        ("driver", b"UPDATE switchover.journals SET id = 'other'"),
        ("stranger", b"SELECT * FROM switchover.events"),
    ],
)
def test_none_may_do_more_than_is_said(team: dict[str, JournalAddress], role: str, statement: bytes) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _execute(team[role], statement)


def _journal(address: JournalAddress) -> PostgresJournal:
    journal = PostgresJournal.open(address, "p", HandClock())
    assert journal is not None
    return journal


def test_a_reader_who_takes_every_lock_there_is_holds_up_nobody(team: dict[str, JournalAddress]) -> None:
    first, second = _journal(team["driver"]), _journal(team["driver"])
    with first, second, psycopg.connect(team["reader"].url, autocommit=True) as squatter:
        first.hold(ANA, "prod")
        # What a reader can learn of the locks that are held, they may ask for, and get once they are given back.
        keys = squatter.execute("SELECT key FROM pg_catalog.pg_locks, switchover.holders GROUP BY key").fetchall()
        assert squatter.execute("SELECT pg_try_advisory_lock(%s)", keys[0]).fetchone() == (False,)
        first.leave()
        for key in keys:
            squatter.execute("SELECT pg_try_advisory_lock(%s)", key)
        assert second.holder() is None
        second.hold(BEN, "prod")
        with pytest.raises(LockedError, match="this run is driven by ben"):
            first.hold(ANA, "prod")


def test_made_again_they_are_as_before(team: dict[str, JournalAddress]) -> None:
    make_roles(team["admin"], team["admin"].url.rpartition("/")[2])
    with _journal(team["driver"]) as journal:
        journal.hold(ANA, "")


def test_what_is_written_down_for_others_makes_the_same(postgres: Postgres) -> None:
    url = postgres.create()
    database = url.rpartition("/")[2]
    _execute(JournalAddress(url), all_statements(database).encode())
    with psycopg.connect(url) as connection:
        owners = connection.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'switchover'")
        assert owners.fetchall() == [(f"{database}_owner",)]


@pytest.mark.parametrize("prefix", ["", "a b", "x;drop", "Big", '"q', "1a", "a" * 60])
def test_a_name_that_would_have_to_be_quoted_is_refused(prefix: str) -> None:
    with pytest.raises(UsageError, match="no beginning of a role's name"):
        role_statements(prefix)


def test_the_command_makes_them_and_says_what_each_may_do(postgres: Postgres, tmp_path: Path) -> None:
    words = [sys.executable, "-P", "-m", "switchover", "journal", "roles", "--prefix", "team"]
    url = postgres.create()
    done = subprocess.run([*words, "--journal", url], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for role in ("team_reader", "team_driver", "team_owner"):
        assert f"{role}: " in done.stdout
    assert "GRANT team_driver TO ana" in done.stdout
    refused = subprocess.run([*words, "--journal", "sqlite"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert refused.returncode == 2
    written = subprocess.run([*words, "--sql"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "GRANT INSERT, UPDATE ON switchover.holders TO team_driver" in written.stdout
