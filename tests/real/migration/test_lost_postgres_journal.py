"""A journal in PostgreSQL that knows less than was noted of it on a host: nothing begins there, all are told."""

from pathlib import Path

import psycopg
import pytest
from tests.real.conftest import Postgres
from tests.unit.migration.harness import ANA, open_bench

from switchover.clock import SystemClock
from switchover.errors import JournalError
from switchover.migration.journal.postgres_journal import PostgresJournal
from switchover.settings import JournalAddress

PLAN = """
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log', effect: changes}
      - {id: two, checklist: [{text: look, evidence: text}]}
"""


def _execute(address: JournalAddress, *statements: bytes) -> None:
    with psycopg.connect(address.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("statements", "made_anew", "says"),
    [
        ((b"DROP SCHEMA switchover CASCADE",), False, "is gone"),
        ((b"DROP SCHEMA switchover CASCADE",), True, "is another than the one that was used here"),
        (
            (b"SET session_replication_role = replica", b"DELETE FROM switchover.events WHERE seq > 1"),
            False,
            "has lost",
        ),
        ((b"SET session_replication_role = replica", b"DELETE FROM switchover.events"), False, "has lost records"),
        ((b"SET session_replication_role = replica", b"DELETE FROM switchover.journals"), False, "is gone"),
    ],
)
async def test_what_was_noted_here_and_is_not_in_the_journal_any_more_is_not_run_again(
    tmp_path: Path, postgres: Postgres, statements: tuple[bytes, ...], made_anew: bool, says: str
) -> None:
    address = JournalAddress(postgres.create())
    bench = open_bench(tmp_path, PLAN, shared=address)
    assert (await bench.engine.drive(ANA)).kind == "waiting"
    await bench.engine.aclose()
    _execute(address, *statements)
    if made_anew:
        made = PostgresJournal.open(address, "p", SystemClock())
        assert made is not None
        made.close()
    for read_only in (True, False):
        with pytest.raises(JournalError, match=f"{says}.*noted as its newest"):
            open_bench(tmp_path, shared=address, read_only=read_only)
    assert bench.log == ["one"]
    with psycopg.connect(address.url) as connection:
        row = connection.execute("SELECT to_regclass('switchover.version') IS NOT NULL").fetchone()
    assert row == (not statements[0].startswith(b"DROP") or made_anew,)  # nothing was made in its place
