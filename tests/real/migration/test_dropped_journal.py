"""A shared journal that is dropped, or made anew, while its run goes on: it is refused, and nothing is made there."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.real.conftest import Postgres
from tests.support.warm_program import run_switchover
from tests.unit.migration.harness import ANA, BEN, OPENED, Bench, open_bench

from switchover.clock import SystemClock
from switchover.errors import JournalError
from switchover.migration.journal.postgres_journal import PostgresJournal
from switchover.settings import JournalAddress

PLAN = """
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log; read line < gate; echo "$line" >> log', effect: changes}
      - {id: two, run: 'echo two >> log', effect: changes}
"""
QUICK = "phases: [{id: a, steps: [{id: one, run: 'echo one >> log', effect: changes}]}]"


@pytest.fixture(autouse=True)
def engines_are_closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().engine.run_store.close()


def _execute(address: JournalAddress, *statements: str) -> None:
    with psycopg.connect(address.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _rows(address: JournalAddress) -> int | None:
    """Return how many records there are, None where there are no tables."""
    with psycopg.connect(address.url, autocommit=True) as connection:
        there = connection.execute("SELECT to_regclass('switchover.events') IS NOT NULL").fetchone()
        if there != (True,):
            return None
        row = connection.execute("SELECT count(*) FROM switchover.events").fetchone()
    return int(row[0]) if row else None


def _verb(folder: Path, address: JournalAddress, *words: str) -> subprocess.CompletedProcess[str]:
    return run_switchover(
        *words, folder / "plan.yaml", f"--journal={address.url}", "--state", folder / "state", timeout=60
    )


async def _so(bench: Bench, log: list[str]) -> None:
    async with asyncio.timeout(60):
        while bench.log != log:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(("made_anew", "says"), [(False, "gone"), (True, "anew|another")], ids=["dropped", "made anew"])
async def test_a_journal_dropped_in_mid_run_is_refused_by_the_driver_and_all_verbs_and_none_is_made(
    tmp_path: Path, postgres: Postgres, made_anew: bool, says: str
) -> None:
    address = JournalAddress(postgres.create())
    os.mkfifo(tmp_path / "gate")
    bench = open_bench(tmp_path, PLAN, shared=address)
    driving = asyncio.ensure_future(bench.engine.drive(ANA))
    await _so(bench, ["one"])
    _execute(address, "DROP SCHEMA switchover CASCADE")
    if made_anew:
        made = PostgresJournal.open(address, "p", SystemClock())
        assert made is not None
        made.close()
    await asyncio.to_thread((tmp_path / "gate").write_text, "heard\n")
    with pytest.raises(JournalError, match=says):
        await driving
    with pytest.raises(JournalError, match=says):
        await bench.engine.drive(BEN)
    text = bench.engine.view().action.text
    assert text.startswith("the journal is refused since")
    assert "nothing is written to it" in text
    await bench.engine.aclose()
    for words in (("run",), ("status",), ("audit", "verify")):
        told = await asyncio.to_thread(_verb, tmp_path, address, *words)
        assert told.returncode != 0, words
        assert "Traceback" not in told.stderr
        assert re.search("is another than|cut off at the end" if made_anew else "is gone", told.stderr), words
    assert _rows(address) == (0 if made_anew else None)
    assert bench.log == ["one", "heard"]


async def test_a_bad_record_of_an_earlier_run_blocks_nobody_and_one_of_the_newest_is_named(
    tmp_path: Path, postgres: Postgres
) -> None:
    address = JournalAddress(postgres.create())
    bench = open_bench(tmp_path, QUICK, shared=address)
    for _ in range(2):
        assert (await bench.engine.drive(ANA, new=True)).kind == "done"
    await bench.engine.aclose()
    force = "SET session_replication_role = replica"
    bad = "UPDATE switchover.events SET data = '{{\"no\": 1}}' WHERE type = 'StepEnded' AND run_id = '{}'"
    _execute(address, force, bad.format(1))
    again = open_bench(tmp_path, shared=address)
    assert (await again.engine.drive(ANA, new=True)).kind == "done"
    assert again.log == ["one"] * 3
    await again.engine.aclose()
    found = await asyncio.to_thread(_verb, tmp_path, address, "audit", "verify")
    assert (found.returncode, "record 3" in found.stdout + found.stderr) == (1, True)
    _execute(address, force, bad.format(3))
    for words in (("status",), ("run",)):
        told = await asyncio.to_thread(_verb, tmp_path, address, *words)
        assert told.returncode != 0
        assert "record 11 of the journal" in told.stderr
        assert "cannot be read" in told.stderr
    assert again.log == ["one"] * 3
