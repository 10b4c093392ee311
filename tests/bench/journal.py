"""What a durable record costs: in a file, and in PostgreSQL on the same disk, one after the other."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import pytest
from tests.bench.support.table import print_table
from tests.real.conftest import run_postgres

from switchover.clock import SystemClock
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.journal_store import JournalStore
from switchover.migration.journal.postgres_journal import PostgresJournal
from switchover.migration.journal.sqlite_journal import Journal
from switchover.settings import JournalAddress

_RECORDS = 200
_ROUNDS = 5


def _append(journal: JournalStore, operator: Operator) -> list[float]:
    """Return the seconds of each append."""
    times = []
    journal.hold(operator, "")
    for number in range(_RECORDS):
        event = ev.StepEnded(f"s{number}", 1, "done", 0, 0.1, outputs={"ip": "10.0.0.1"}, output_bytes=100)
        began = time.perf_counter()
        journal.append("1", event)
        times.append(time.perf_counter() - began)
    journal.leave()
    return times


def run() -> None:
    """Measure and print."""
    operator = Operator.current()
    times: dict[str, list[float]] = {"SQLite": [], "PostgreSQL": []}
    try:
        with run_postgres(fsync=True) as server, tempfile.TemporaryDirectory(prefix="switchover-bench-") as folder:
            for turn in range(_ROUNDS):
                file = Journal.open(Path(folder) / f"journal{turn}", SystemClock())
                database = PostgresJournal.open(JournalAddress(server.url), f"bench {turn}", SystemClock())
                assert file is not None
                assert database is not None
                for name, journal in (("SQLite", file), ("PostgreSQL", database)):
                    with journal:
                        times[name] += _append(journal, operator)
    except pytest.skip.Exception as missing:
        print_table("A durable record", ("", ""), (("not measured", str(missing)),), "")
        return
    rows = [
        (name, f"{statistics.median(each) * 1000:.2f} ms", f"{statistics.quantiles(each, n=20)[-1] * 1000:.2f} ms")
        for name, each in times.items()
    ]
    print_table(
        f"A durable record in the journal ({_ROUNDS} interleaved rounds of {_RECORDS})",
        ("journal", "median", "p95"),
        rows,
        "PostgreSQL 15 on this machine, over loopback, fsync on: one statement and one commit a record.",
    )
