"""A result that comes after another host had to decide without it is not lost."""

from __future__ import annotations

import psycopg
import pytest
from tests.real.conftest import Postgres
from tests.real.migration import test_shared_run as shared_run
from tests.unit.migration.harness import BEN, Bench

from switchover.cli.verbs.run import teller
from switchover.migration.facts import events as ev
from switchover.migration.reports.verification import verify_journal
from switchover.settings import JournalAddress

open_host = shared_run.open_host


async def test_a_result_that_comes_after_others_went_on_is_recorded_and_told(
    postgres: Postgres, open_host: shared_run.OpenBench
) -> None:
    address = JournalAddress(postgres.create())
    first, second = open_host("bastion", address), open_host("other", address)
    driving = await shared_run._begin(first)
    _cut(address)
    async with second.engine.hold(BEN):  # the lock went with the connection
        await second.engine.resolve("one", "done", "the bastion burnt down; checked by hand", BEN)
        assert (await second.engine.drive(BEN)).kind == "done"
        await shared_run._let_go_on(first)
        await shared_run._until(first, lambda: "driven by ben" in first.engine.run_store.outage.reason)
    await driving
    assert second.log == ["two"]
    _is_told_late(first)


async def test_a_result_that_comes_when_another_run_has_begun_is_recorded_on_its_own_run_and_told(
    postgres: Postgres, open_host: shared_run.OpenBench, capsys: pytest.CaptureFixture[str]
) -> None:
    address = JournalAddress(postgres.create())
    first, second = open_host("bastion", address), open_host("other", address)
    first.engine.listen(teller(first.engine))
    driving = await shared_run._begin(first)
    _cut(address)
    async with second.engine.hold(BEN):
        await second.engine.resolve("one", "done", "the bastion burnt down; checked by hand", BEN)
        assert (await second.engine.drive(BEN)).kind == "done"
        await second.engine.start(BEN, new=True)
        await second.engine.abort(BEN, "not now")
        await shared_run._let_go_on(first)
        await shared_run._until(first, lambda: "driven by ben" in first.engine.run_store.outage.reason)
    await driving
    journal = first.engine.run_store.journal
    assert journal is not None
    late = [record for record in journal.of_type(ev.StepEndedLate) if isinstance(record.event, ev.StepEndedLate)]
    assert [(r.run_id, r.event.unit, r.event.outcome) for r in late if isinstance(r.event, ev.StepEndedLate)] == [
        ("1", "one", "done")
    ]
    assert "known only after its outcome had been unknown" in capsys.readouterr().out
    assert (first.engine.state.run_id, first.engine.state.stage) == ("2", "aborted")
    assert verify_journal(journal.raw_records(), shared=True).whole


def _cut(address: JournalAddress) -> None:
    """End whoever holds the lock of the run: it goes with the connection."""
    with psycopg.connect(address.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )


def _is_told_late(bench: Bench) -> None:
    late = [r.event for r in bench.engine.records() if isinstance(r.event, ev.StepEndedLate)]
    assert [(e.unit, e.attempt, e.outcome, e.exit_code) for e in late] == [("one", 1, "done", 0)]
    assert bench.stage("one") == "done"
    told = "attempt 1 ended after all, as was known too late: done with exit code 0"
    assert bench.engine.view_step("one").reason == f"the bastion burnt down; checked by hand; {told}"
    assert any("known only after its outcome had been unknown" in row.text for row in bench.engine.timeline())
    shared_run._is_whole(bench)
