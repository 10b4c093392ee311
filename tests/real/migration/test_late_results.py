"""A result that comes after another host had to decide without it is not lost."""

from __future__ import annotations

import psycopg
from tests.real.conftest import Postgres
from tests.real.migration import test_shared_run as shared_run
from tests.unit.migration.harness import BEN, Bench

from switchover.migration.facts import events as ev
from switchover.settings import JournalAddress

open_host = shared_run.open_host


async def test_a_result_that_comes_after_others_went_on_is_recorded_and_told(
    postgres: Postgres, open_host: shared_run.OpenBench
) -> None:
    address = JournalAddress(postgres.create())
    first, second = open_host("bastion", address), open_host("other", address)
    driving = await shared_run._begin(first)
    with psycopg.connect(address.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    async with second.engine.hold(BEN):  # the lock went with the connection
        await second.engine.resolve("one", "done", "the bastion burnt down; checked by hand", BEN)
        assert (await second.engine.drive(BEN)).kind == "done"
        await shared_run._let_go_on(first)
        await shared_run._until(first, lambda: "driven by ben" in first.engine.run_store.outage.reason)
    await driving
    assert second.log == ["two"]
    _is_told_late(first)


def _is_told_late(bench: Bench) -> None:
    late = [r.event for r in bench.engine.records() if isinstance(r.event, ev.StepEndedLate)]
    assert [(e.unit, e.attempt, e.outcome, e.exit_code) for e in late] == [("one", 1, "done", 0)]
    assert bench.stage("one") == "done"
    told = "attempt 1 ended after all, as was known too late: done with exit code 0"
    assert bench.engine.view_step("one").reason == f"the bastion burnt down; checked by hand; {told}"
    assert any("known only after its outcome had been unknown" in row.text for row in bench.engine.timeline())
    shared_run._is_whole(bench)
