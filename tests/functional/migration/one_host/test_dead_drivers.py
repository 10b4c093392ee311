"""A driver that dies between a record and its note neither holds a target for ever nor leaves it free."""

import asyncio
import os
import select
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, open_bench

from switchover.clock import SystemClock
from switchover.errors import LockedError
from switchover.migration.facts import events as ev
from switchover.migration.journal.host_registry import HostRegistry, Notes
from switchover.migration.journal.sqlite_journal import Journal
from switchover.migration.steps.shim_records import start_time
from switchover.migration.steps.spawn import Launcher
from switchover.migration.steps.traces import open_process

PLAN = """
%s
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log', effect: changes}
      - {id: two, checklist: [{text: look, evidence: text}]}
"""


def _home(tmp_path: Path, name: str, text: str | None = PLAN % "") -> Bench:
    (tmp_path / name).mkdir(exist_ok=True)
    return open_bench(tmp_path / name, text)


async def _through(bench: Bench) -> None:
    assert (await bench.engine.drive(ANA, ticks={"two": "seen"})).kind == "done"
    await bench.engine.aclose()


def _in_a_child(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        with suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _die_at(point: str) -> Callable[[str], None]:
    return lambda passed: os.kill(os.getpid(), signal.SIGKILL) if passed == point else None


def _killed(tmp_path: Path, name: str, point: str, *, back: bool = False) -> None:
    """Drive a run to its end in a process of its own, which kills itself at a point."""

    async def drive() -> None:
        bench = _home(tmp_path, name, None)
        object.__setattr__(bench.engine.run_store.tools, "barrier", _die_at(point))
        if back:
            await bench.engine.rollback(None, ANA)
        await bench.engine.drive(ANA, ticks={"two": "seen"})

    assert _in_a_child(lambda: asyncio.run(drive())) == -signal.SIGKILL


def _lose(registry: Path) -> None:
    for file in registry.glob("*.json"):
        file.unlink()


def _noted(registry: Path) -> list[tuple[int, bool]]:
    """Return how far each run is noted, and whether it is noted as over."""
    notes = HostRegistry.of(registry, "p", "").own_notes()
    return [(run.head.seq, run.is_over) for run in notes.runs]


async def test_a_run_that_ended_before_its_note_does_not_hold_the_target(
    tmp_path: Path, own_host_registry: Path
) -> None:
    await _home(tmp_path, "ana").engine.aclose()
    _killed(tmp_path, "ana", "after RunEnded")
    assert not _noted(own_host_registry)[0][1], "the note came before the kill"
    second = _home(tmp_path, "ben")
    assert second.engine.run_store.held_elsewhere == ""
    await _through(second)
    assert second.log == ["one"]


async def test_whoever_drives_next_renews_the_note_of_a_driver_that_died(
    tmp_path: Path, own_host_registry: Path
) -> None:
    await _home(tmp_path, "ana").engine.aclose()
    _killed(tmp_path, "ana", "after RunEnded")
    again = _home(tmp_path, "ana", None)
    assert (await again.engine.drive(ANA)).text == "run 1 is done"
    assert _noted(own_host_registry) == [(5, True)]
    _lose(own_host_registry)
    await again.engine.drive(ANA)
    assert _noted(own_host_registry) == [(5, True)]
    await again.engine.aclose()


@pytest.mark.parametrize("harm", ["gone", "another", "edited", "cut", "open", "forged", "noted otherwise"])
async def test_a_note_is_overruled_only_by_a_whole_journal_that_holds_what_was_noted(
    tmp_path: Path, own_host_registry: Path, harm: str
) -> None:
    first = _home(tmp_path, "ana")
    await first.engine.aclose()
    _killed(tmp_path, "ana", "after StepStarted" if harm in ("open", "forged") else "after RunEnded")
    path = first.engine.run_store.workspace.journal
    with closing(sqlite3.connect(path)) as journal:
        journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for trigger in ("events_stay", "events_remain", "id_stays"):
            journal.execute(f"DROP TRIGGER {trigger}")
        match harm:
            case "another":
                journal.execute("UPDATE journal SET id = 'ff'")
            case "edited":
                journal.execute("UPDATE events SET at = at + 1 WHERE seq = 2")
            case "cut":
                journal.execute("DELETE FROM events WHERE seq = 3")
        journal.commit()
    if harm == "gone":
        path.unlink()
    elif harm == "forged":  # an end while a step runs, which no engine writes; its hashes are right
        made = Journal.open(path, SystemClock())
        assert made is not None
        with made:
            made.append("1", ev.RunEnded("done", ANA))
    elif harm == "noted otherwise":  # the journal went another way since
        registry = HostRegistry.of(own_host_registry, "p", "")
        (note,) = registry.own_notes().runs
        registry.write(Notes(runs=(replace(note, head=replace(note.head, hash="0" * 64)),)))
    second = _home(tmp_path, "ben")
    with pytest.raises(LockedError, match="held by run 1"):
        await second.engine.drive(BEN)
    assert second.log == []
    await second.engine.aclose()


@pytest.mark.parametrize("point", ["before RunStarted", "after RunStarted"])
async def test_a_driver_that_dies_at_its_first_record_holds_the_target_where_that_is_on_record(
    tmp_path: Path, point: str
) -> None:
    await _home(tmp_path, "ana").engine.aclose()
    _killed(tmp_path, "ana", point)
    second = _home(tmp_path, "ben")
    if point == "after RunStarted":
        with pytest.raises(LockedError, match="held by run 1"):
            await second.engine.drive(BEN)
        await second.engine.aclose()
        assert second.log == []
    else:
        await _through(second)
        assert second.log == ["one"]
    first = _home(tmp_path, "ana", None)
    await _through(first)
    assert first.log == ["one"]


async def test_a_run_that_is_gone_back_on_holds_its_target_again_and_not_one_that_is_held(tmp_path: Path) -> None:
    text = (PLAN % "").replace("effect: changes", "effect: changes, rollback: {run: 'echo undone >> log'}")
    await _through(_home(tmp_path, "ana", text))
    second = _home(tmp_path, "ben", text)
    await second.engine.drive(BEN)
    again = _home(tmp_path, "ana", None)
    with pytest.raises(LockedError, match="held by run 1"):
        await again.engine.rollback(None, ANA, accept=("two",))
    assert again.log == ["one"]
    await second.engine.abort(BEN, "given up")
    await second.engine.aclose()
    _killed(tmp_path, "ana", "after RollbackStarted", back=True)
    third = _home(tmp_path, "ben", None)
    with pytest.raises(LockedError, match="held by run 1"):
        await third.engine.drive(BEN, new=True)
    await third.engine.aclose()
    await again.engine.aclose()


async def test_an_open_run_holds_what_it_was_begun_on_whatever_the_edited_file_names(tmp_path: Path) -> None:
    first = _home(tmp_path, "ana", PLAN % "target: shop")
    await first.engine.drive(ANA)
    await first.engine.aclose()
    path = tmp_path / "ana" / "plan.yaml"
    path.write_text(path.read_text().replace("target: shop", "target: mail"))
    again, shop = _home(tmp_path, "ana", None), _home(tmp_path, "ben", PLAN % "target: shop")
    async with again.engine.hold(ANA):
        with pytest.raises(LockedError, match="the target shop is driven by ana"):
            await shop.engine.drive(BEN)
        await _through(_home(tmp_path, "cy", PLAN % "target: mail"))
    await again.engine.drive(ANA, ticks={"two": "seen"})
    await again.engine.aclose()
    with pytest.raises(LockedError, match="is over already"):
        await shop.engine.drive(BEN)
    assert (await shop.engine.drive(BEN, new=True, ticks={"two": "seen"})).kind == "done"
    await shop.engine.aclose()


def test_a_launcher_ends_with_its_engine_whatever_holds_its_line_open() -> None:
    ready, telling = os.pipe()
    engine = os.fork()
    if engine == 0:
        launcher = Launcher()
        launcher.warm_up()
        if (holder := os.fork()) == 0:  # it inherits the engine's end of the line, and lives on
            signal.pause()
        os.write(telling, f"{launcher.pid} {holder}".encode())
        signal.pause()
    os.close(telling)
    launcher_pid, holder = map(int, os.read(ready, 99).split())
    os.close(ready)
    ends = os.pidfd_open(launcher_pid)
    try:
        os.kill(engine, signal.SIGKILL)
        os.waitpid(engine, 0)
        assert select.select([ends], [], [], 60)[0], "it lives on"
    finally:
        os.close(ends)
        os.kill(holder, signal.SIGKILL)


def test_a_watcher_that_was_killed_is_gone_before_anybody_has_reaped_it() -> None:
    pid = os.fork()
    if pid == 0:
        signal.pause()
    began = start_time(pid)
    living = open_process(pid, began)
    assert living is not None
    os.kill(pid, signal.SIGKILL)
    assert select.select([living], [], [], 60)[0]
    assert open_process(pid, began) is None
    os.close(living)
    os.waitpid(pid, 0)
