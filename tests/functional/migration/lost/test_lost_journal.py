"""A journal that is gone, cut, exchanged or older than what was noted of it: nothing begins, and everybody is told."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, open_bench

from switchover.clock import SystemClock
from switchover.errors import JournalError, StateError
from switchover.migration.facts import events as ev
from switchover.migration.journal.checkpoints import CHECKPOINTS, NEWEST, noted_heads
from switchover.migration.journal.sqlite_journal import Journal

PLAN = """
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log', effect: changes}
      - {id: two, run: 'echo two >> log', effect: changes, rollback: {run: 'echo undo >> log'}}
  - id: b
    steps:
      - {id: ask, checklist: [{text: look, evidence: text}]}
"""
Harm = Callable[[Path], None]


def _all_of(journal: Path) -> list[Path]:
    return sorted(journal.parent.glob(f"{journal.name}*"))


def _removed(journal: Path) -> None:
    for file in _all_of(journal):
        file.unlink()


def _emptied(journal: Path) -> None:
    _removed(journal)
    journal.touch(0o600)


def _made_anew(journal: Path) -> None:
    _removed(journal)
    made = Journal.open(journal, SystemClock())
    assert made is not None
    made.close()


def _cut(journal: Path) -> None:
    with sqlite3.connect(journal) as other:
        other.executescript("DROP TRIGGER events_remain; DELETE FROM events WHERE seq > 2")
    other.close()


def _written_anew(journal: Path) -> None:
    with sqlite3.connect(journal) as other:
        other.executescript("DROP TRIGGER events_stay; UPDATE events SET hash = lower(hex(randomblob(32)))")
    other.close()


HARMS = [(_removed, "is gone"), (_emptied, "is gone"), (_made_anew, "is another than"), (_cut, "has lost records")]
HARMS += [(_written_anew, "was written anew")]


def _keep_only(left: str, journal: Path, registry: Path) -> None:
    for name in {CHECKPOINTS, NEWEST} - {left}:
        journal.with_name(name).unlink()
    for file in registry.iterdir() if left != "registry" else ():
        file.unlink()


async def _begun(directory: Path, text: str = PLAN) -> Path:
    """Let a run go as far as it comes, and return where its journal is."""
    bench = open_bench(directory, text)
    assert (await bench.engine.drive(ANA)).kind == "waiting"
    await bench.engine.aclose()
    return bench.engine.run_store.workspace.journal


@pytest.mark.parametrize(("harm", "says"), HARMS)
@pytest.mark.parametrize("edited", [False, True], ids=["", "with another command"])
@pytest.mark.parametrize("left", [CHECKPOINTS, NEWEST, "registry"])
async def test_a_journal_that_knows_less_than_was_noted_is_refused_by_everybody_and_left_alone(
    tmp_path: Path, own_host_registry: Path, harm: Harm, says: str, edited: bool, left: str
) -> None:
    journal = await _begun(tmp_path)
    harm(journal)
    _keep_only(left, journal, own_host_registry)
    if edited:
        path = tmp_path / "plan.yaml"
        path.write_text(path.read_text().replace("echo one", "echo other"))
    before = journal.read_bytes() if journal.exists() else None
    for read_only in (True, False):
        with pytest.raises(JournalError, match=f"{says}.*noted as its newest") as refused:
            open_bench(tmp_path, read_only=read_only)
        assert "bring the newest copy" in refused.value.hint
    assert (journal.read_bytes() if journal.exists() else None) == before
    assert (tmp_path / "log").read_text().split() == ["one", "two"]


@pytest.mark.parametrize("keep", [1, 2, 3, 4])
async def test_an_older_copy_of_the_journal_never_lets_a_step_run_again(tmp_path: Path, keep: int) -> None:
    bench = open_bench(tmp_path, PLAN)
    workspace = bench.engine.run_store.workspace
    copies: list[Path] = []

    def copy(record: ev.Record) -> None:
        copies.append(tmp_path / f"copy{record.seq}")
        with sqlite3.connect(workspace.journal) as source, sqlite3.connect(copies[-1]) as target:
            source.backup(target)

    bench.engine.listen(copy)
    await bench.engine.drive(ANA)
    await bench.engine.aclose()
    _removed(workspace.journal)
    shutil.copy(copies[keep - 1], workspace.journal)
    with pytest.raises(JournalError, match="noted as its newest"):
        open_bench(tmp_path)


async def test_each_start_of_a_step_is_noted_before_it_can_run(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN)
    noted: list[str] = []

    def look(point: str) -> None:
        if point.startswith("before launch"):
            (head,) = noted_heads(bench.engine.run_store.workspace)
            noted.append(f"{head.type} {head.journal == bench.engine.run_store.journal_id}")

    object.__setattr__(bench.engine.run_store.tools, "barrier", look)
    await bench.engine.drive(ANA)
    assert noted == ["StepStarted True"] * 2
    await bench.engine.aclose()


async def test_without_journal_and_heads_the_folder_of_the_run_still_tells(
    tmp_path: Path, own_host_registry: Path
) -> None:
    journal = await _begun(tmp_path)
    _removed(journal)
    _keep_only("runs", journal, own_host_registry)
    bench = open_bench(tmp_path)
    with pytest.raises(JournalError, match="tells of a run that the journal does not know"):
        await bench.engine.drive(ANA)
    assert (tmp_path / "log").read_text().split() == ["one", "two"]
    await bench.engine.aclose()


@pytest.mark.parametrize("harm", ["journal removed", "journal exchanged", "log removed", "log emptied"])
async def test_a_journal_that_is_taken_from_under_its_driver_is_noticed_before_anything_is_written(
    tmp_path: Path, harm: str
) -> None:
    bench = open_bench(tmp_path, PLAN)
    journal = bench.engine.run_store.workspace.journal
    log = journal.with_name(journal.name + "-wal")

    def take(record: ev.Record) -> None:
        if isinstance(record.event, ev.StepStarted) and record.event.unit == "one":
            match harm:
                case "journal removed":
                    journal.unlink()
                case "journal exchanged":
                    shutil.copy(journal, tmp_path / "copy")
                    (tmp_path / "copy").replace(journal)
                case "log removed":
                    log.unlink()
                case _:
                    os.truncate(log, 0)

    bench.engine.listen(take)
    with pytest.raises(StateError, match="removed or replaced while it was in use"):
        await bench.engine.drive(ANA)
    assert bench.log == ["one"]
    await bench.engine.aclose()
    with suppress(JournalError):  # where closing it has made it whole, the run goes on
        again = open_bench(tmp_path)
        await again.engine.drive(ANA)
        assert again.log == ["one", "two"]
        await again.engine.aclose()
    assert bench.log[:1] == ["one"]
    assert bench.log.count("one") == 1
