"""A journal in PostgreSQL keeps the promises of one in a file, and those that only a shared one has to keep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.real.conftest import Postgres, PostgresServer
from tests.unit.migration.harness import ANA, BEN, HandClock, first_damage

from switchover.errors import JournalAwayError, JournalError, LockedError
from switchover.migration.facts import events as ev
from switchover.migration.journal.journal_store import JournalStore
from switchover.migration.journal.postgres_journal import PostgresJournal
from switchover.migration.journal.postgres_news import PostgresNews
from switchover.migration.journal.sqlite_journal import Journal
from switchover.settings import JournalAddress

Open = Callable[[], JournalStore]


@pytest.fixture
def address(postgres: Postgres) -> JournalAddress:
    return JournalAddress(postgres.create())


@pytest.fixture
def opened() -> Iterator[list[JournalStore]]:
    journals: list[JournalStore] = []
    yield journals
    for journal in journals:
        journal.close()


@pytest.fixture
def open_one(address: JournalAddress, opened: list[JournalStore]) -> Callable[[], PostgresJournal]:
    def open_it() -> PostgresJournal:
        journal = PostgresJournal.open(address, "p", HandClock())
        assert journal is not None
        opened.append(journal)
        return journal

    return open_it


@pytest.fixture(params=["sqlite", "postgres"])
def store(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    opened: list[JournalStore],
) -> Open:
    """Each kind of journal: opens the same one again and again."""
    if request.param == "postgres":
        open_postgres: Open = request.getfixturevalue("open_one")
        return open_postgres

    def open_file() -> JournalStore:
        journal = Journal.open(tmp_path / "journal", HandClock())
        assert journal is not None
        opened.append(journal)
        return journal

    return open_file


def _retried(name: str) -> ev.Event:
    return ev.StepRetried(name, ANA)


def _fill(journal: JournalStore, count: int = 4, run: str = "1") -> None:
    journal.hold(ANA, "")
    for number in range(count):
        journal.append(run, _retried(f"s{number}"))
    journal.leave()


def _execute(address: JournalAddress, *statements: bytes) -> None:
    with psycopg.connect(address.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


# What both keep


def test_what_was_appended_is_there_for_the_next_to_open_it(store: Open) -> None:
    _fill(store())
    journal = store()
    assert [r.event for r in journal.records("1")] == [_retried(f"s{n}") for n in range(4)]
    assert [r.seq for r in journal.records("1", after=2)] == [3, 4]
    assert journal.records("2") == []
    assert (journal.last_seq(), first_damage(journal), len(journal.head_hash())) == (4, None, 64)
    assert [r.seq for r in journal.of_type(ev.StepRetried)] == [1, 2, 3, 4]
    assert [raw.hash for raw in journal.raw_records()][-1] == journal.head_hash()


def test_text_and_numbers_come_back_as_they_were(store: Open) -> None:
    journal = store()
    journal.hold(ANA, "")
    event = ev.StepResolved("s\x00\u2028\U0001f600", 1, "done", "\\n '\"; -- %s \x1f", BEN)
    written = journal.append("1", event)
    assert store().records("1") == [written]
    assert first_damage(store()) is None


def test_both_chain_their_records_with_the_same_hashes(tmp_path: Path, open_one: Open) -> None:
    file = Journal.open(tmp_path / "journal", HandClock())
    assert file is not None
    with file:
        _fill(file)
        database = open_one()
        _fill(database)
        assert list(file.raw_records()) == list(database.raw_records())


# Several in one database


def test_journals_of_one_database_do_not_know_of_each_other(
    address: JournalAddress, opened: list[JournalStore]
) -> None:
    for name in ("a", "b"):
        journal = PostgresJournal.open(address, name, HandClock())
        assert journal is not None
        opened.append(journal)
        _fill(journal, 2, run=name)
    first, second = opened
    assert (first.last_seq(), second.last_seq()) == (2, 2)
    assert first.records("b") == []
    first.hold(ANA, "")
    second.hold(BEN, "")


def test_one_target_is_not_acted_on_by_two_journals(address: JournalAddress, opened: list[JournalStore]) -> None:
    for name in ("a", "b"):
        journal = PostgresJournal.open(address, name, HandClock())
        assert journal is not None
        opened.append(journal)
    first, second = opened
    first.hold(ANA, "the database")
    with pytest.raises(LockedError, match="the target the database is driven by ana@bastion, pts/1"):
        second.hold(BEN, "the database")
    assert second.holder() is None


def test_looking_makes_no_tables(address: JournalAddress) -> None:
    assert PostgresJournal.open(address, "p", HandClock(), create=False) is None
    with psycopg.connect(address.url) as connection:
        assert connection.execute("SELECT to_regnamespace('switchover')").fetchone() == (None,)


# Nobody edits it


@pytest.mark.parametrize(
    "edit",
    [
        b"UPDATE switchover.events SET data = replace(data, 's1', 's9') WHERE seq = 2",
        b"UPDATE switchover.events SET at = at + 1 WHERE seq = 2",
        b"UPDATE switchover.events SET run_id = '2' WHERE seq = 2",
        b"UPDATE switchover.events SET hash = prev_hash WHERE seq = 2",
        b"DELETE FROM switchover.events WHERE seq = 2",
    ],
)
def test_an_edit_is_refused_and_one_that_is_forced_is_found(
    address: JournalAddress, open_one: Open, edit: bytes
) -> None:
    journal = open_one()
    _fill(journal)
    with pytest.raises(psycopg.errors.RaiseException, match="append only"):
        _execute(address, edit)
    _execute(address, b"SET session_replication_role = replica", edit)
    assert first_damage(journal) in (2, 3)


@pytest.mark.parametrize(("version", "age"), [(b"1", "older"), (b"99", "newer")])
def test_a_journal_of_another_version_is_left_alone(
    address: JournalAddress, open_one: Open, version: bytes, age: str
) -> None:
    open_one()
    _execute(address, b"UPDATE switchover.version SET version = " + version)
    with pytest.raises(JournalError, match=f"an? {age} version"):
        open_one()


def test_a_journal_has_an_id_of_its_own_that_one_made_anew_does_not_have(
    address: JournalAddress, open_one: Open
) -> None:
    first = open_one().journal_id
    assert open_one().journal_id == first != ""
    _execute(address, b"DROP SCHEMA switchover CASCADE")
    assert PostgresJournal.open(address, "j", HandClock(), create=False) is None
    assert open_one().journal_id != first


# One writes


def test_nothing_is_written_without_holding_it(open_one: Open) -> None:
    with pytest.raises(JournalError, match="without holding"):
        open_one().append("1", _retried("s"))


def test_the_second_is_told_who_holds_it(open_one: Open) -> None:
    first, second = open_one(), open_one()
    first.hold(ANA, "")
    with pytest.raises(LockedError, match=r"driven by ana@bastion, pts/1, pid \d+, since "):
        second.hold(BEN, "")
    holder = second.holder()
    assert holder is not None
    assert (holder.who, holder.host, holder.tty) == ("ana", "bastion", "pts/1")
    first.leave()
    second.hold(BEN, "")
    assert second.append("1", _retried("s")).seq == 1


def test_a_holder_whose_connection_ended_holds_nothing_and_writes_nothing(
    address: JournalAddress, open_one: Open
) -> None:
    first, second = open_one(), open_one()
    first.hold(ANA, "")
    first.append("1", _retried("a"))
    _terminate_holder(address)
    second.hold(BEN, "")
    second.append("1", _retried("b"))
    with pytest.raises(JournalAwayError):
        first.append("1", _retried("lost"))
    assert first.broken
    assert [r.event for r in second.records("1")] == [_retried("a"), _retried("b")]


def test_a_holder_that_lost_its_lock_without_knowing_is_fenced_off(open_one: Callable[[], PostgresJournal]) -> None:
    first, second = open_one(), open_one()
    first.hold(ANA, "")
    first.append("1", _retried("a"))
    first._session.ask("SELECT pg_advisory_unlock_all()")  # as a pooler does between two transactions
    second.hold(BEN, "")
    with pytest.raises(JournalAwayError, match="was taken over by ben@bastion"):
        first.append("1", _retried("lost"))
    second.append("1", _retried("b"))
    with pytest.raises(JournalAwayError, match="was taken over"):
        first.append("1", _retried("lost again"))
    assert [r.event for r in second.records("1")] == [_retried("a"), _retried("b")]
    assert first_damage(second) is None


def test_a_server_that_is_away_is_said_to_be_and_never_with_the_password(own_postgres: PostgresServer) -> None:
    url = f"postgresql://postgres:pw-canary@127.0.0.1:{own_postgres.port}/postgres"
    journal = PostgresJournal.open(JournalAddress(url), "p", HandClock())
    assert journal is not None
    with journal:
        journal.hold(ANA, "")
        own_postgres.stop()
        with pytest.raises(JournalAwayError, match="is away") as lost:
            journal.append("1", _retried("s"))
        with pytest.raises(JournalAwayError, match="is away") as refused:
            PostgresJournal.open(JournalAddress(url), "p", HandClock())
    for error in (lost, refused):
        assert "pw-canary" not in f"{error.value.title} {error.value.hint} {error.value.__cause__}"
        assert f"postgresql://postgres@127.0.0.1:{own_postgres.port}/postgres" in error.value.title


# It tells


async def test_whoever_waits_is_told_of_records_and_holders(address: JournalAddress, open_one: Open) -> None:
    journal, news = open_one(), PostgresNews(address, "p")
    async with asyncio.timeout(30):
        assert await news.wait()  # it listens from here on
        for act in (
            lambda: journal.hold(ANA, ""),
            lambda: journal.append("1", _retried("s")),
            journal.leave,
        ):
            waiting = asyncio.ensure_future(news.wait())
            await asyncio.sleep(0)
            assert not waiting.done()
            act()
            assert await waiting
    await news.aclose()


async def test_a_line_that_was_lost_is_told_and_made_again(address: JournalAddress, open_one: Open) -> None:
    journal, news = open_one(), PostgresNews(address, "p")
    async with asyncio.timeout(30):
        await news.wait()
        waiting = asyncio.ensure_future(news.wait())
        await asyncio.sleep(0)
        _execute(address, b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        assert await waiting
        assert await news.wait()
        waiting = asyncio.ensure_future(news.wait())
        await asyncio.sleep(0)
        _fill(journal, 1)
        assert await waiting
    await news.aclose()


def _terminate_holder(address: JournalAddress) -> None:
    """End the connection that holds the locks, and wait until the server has let go of it."""
    _execute(
        address,
        b"SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
        b" AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
