"""Records that are lost or another's: what is not there proves nothing, and what runs is found all the same."""

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, Checks, open_bench

from switchover.clock import SystemClock
from switchover.errors import RefusedError, StateError
from switchover.migration.facts import events as ev
from switchover.migration.steps.attempt import AttemptFolder
from switchover_checks.api import Status

SLOW = """
checks: {up: {kind: tcp, host: localhost, port: 1, every: 15s}}
phases:
  - id: a
    steps:
      - id: s
        run: 'echo s >> log; touch up; while ! [ -e go ]; do sleep 0.01; done; echo end >> log'
        effect: creates
        on_unknown: %s
"""
VERIFY = "{verify: [up]}"
Harm = Callable[[Path], None]


def _bench(directory: Path, text: str | None = None, **more: object) -> Bench:
    return open_bench(directory, text, checks=Checks(SystemClock(), {"up": [Status.OK]}), **more)  # type: ignore[arg-type]


def _attempt(directory: Path) -> Path:
    (place,) = directory.glob("state/workspaces/*/runs/1/s.1")
    return place


def _wait_for(path: Path) -> None:
    give_up = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < give_up, path
        time.sleep(0.005)


def _start_and_kill_engine(directory: Path, on_unknown: str = "rerun") -> None:
    _bench(directory, SLOW % on_unknown).engine.run_store.close()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            asyncio.run(_bench(directory).engine.drive(ANA))
        os._exit(0)
    _wait_for(directory / "up")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _kinds(bench: Bench) -> list[str]:
    return [type(record.event).__name__ for record in bench.engine.records()]


def _folder_gone(place: Path) -> None:
    shutil.rmtree(place)


def _runs_gone(place: Path) -> None:
    shutil.rmtree(place.parents[1])


def _files_gone(place: Path) -> None:
    for file in place.iterdir():
        file.unlink()


def _emptied(place: Path) -> None:
    for file in place.iterdir():
        os.truncate(file, 0)


def _claim_gone(place: Path) -> None:
    (place / "claim").unlink()


def _as_it_was_set_aside(place: Path) -> None:
    """Leave what an older copy of the folder would hold."""
    _files_gone(place)
    for name in (".claim", ".started", ".exit"):
        (place / name).write_bytes(b" " * 4096)


def _a_file_in_its_place(place: Path) -> None:
    shutil.rmtree(place)
    place.write_text("")


HARMS: list[Harm] = [_folder_gone, _runs_gone, _files_gone, _emptied, _claim_gone, _as_it_was_set_aside]
ALL_HARMS = [(harm, "rerun") for harm in (*HARMS, _a_file_in_its_place)]
ALL_HARMS += [(_folder_gone, "ask"), (_folder_gone, VERIFY), (_as_it_was_set_aside, VERIFY)]


@pytest.mark.parametrize("harm", HARMS)
async def test_a_step_whose_records_are_taken_while_it_runs_ends_as_it_really_ended(tmp_path: Path, harm: Harm) -> None:
    bench = _bench(tmp_path, SLOW % "rerun")
    driving = asyncio.ensure_future(bench.engine.drive(ANA))
    await asyncio.to_thread(_wait_for, tmp_path / "up")
    harm(_attempt(tmp_path))
    (tmp_path / "go").touch()
    assert (await driving).kind == "done"
    assert bench.log == ["s", "end"]
    assert _kinds(bench).count("StepEnded") == 1
    await bench.engine.aclose()


@pytest.mark.parametrize("harm", HARMS)
def test_a_step_whose_records_are_taken_while_nobody_drives_is_found_and_ends_as_it_really_ended(
    tmp_path: Path, harm: Harm
) -> None:
    _start_and_kill_engine(tmp_path)
    harm(_attempt(tmp_path))

    async def resume() -> None:
        bench = _bench(tmp_path)
        assert bench.engine.lost_sight_of() == ()
        await bench.engine.recover(BEN)
        assert bench.engine.busy == "step s"
        (tmp_path / "go").touch()
        await bench.engine.settled()
        assert bench.stage("s") == "done"
        assert (await bench.engine.drive(BEN)).kind == "done"
        assert bench.log == ["s", "end"]
        await bench.engine.aclose()

    asyncio.run(asyncio.wait_for(resume(), 60))


@pytest.mark.parametrize(("harm", "on_unknown"), ALL_HARMS)
def test_without_records_and_watcher_it_is_unknown_and_never_run_beside_itself(
    tmp_path: Path, harm: Harm, on_unknown: str
) -> None:
    _start_and_kill_engine(tmp_path, on_unknown)
    owner = json.loads((_attempt(tmp_path) / "claim").read_bytes())
    harm(_attempt(tmp_path))
    os.kill(owner["shim"], signal.SIGKILL)

    async def resume() -> None:
        bench = _bench(tmp_path)
        async with asyncio.timeout(30):
            while not bench.engine.lost_sight_of():  # noqa: ASYNC110 - another process ends
                await asyncio.sleep(0.005)
        assert (await bench.engine.drive(BEN)).kind == "unknown"
        assert "still ran then: pid" in bench.engine.state.unit("s").reason
        for choice in ("done", "retry", "rollback"):
            with pytest.raises(RefusedError, match="still runs without its watcher"):
                await bench.engine.resolve("s", choice, "because", BEN)
        assert _kinds(bench)[-1] == "StepUnknown"
        assert bench.log == ["s"]
        await bench.engine.aclose()

    try:
        asyncio.run(asyncio.wait_for(resume(), 60))
    finally:
        (tmp_path / "go").touch()


@pytest.mark.parametrize(("harm", "on_unknown"), ALL_HARMS)
def test_a_step_that_ended_and_whose_records_are_lost_is_asked_about(
    tmp_path: Path, harm: Harm, on_unknown: str
) -> None:
    _start_and_kill_engine(tmp_path, on_unknown)
    (tmp_path / "go").touch()
    _wait_for(_attempt(tmp_path) / "exit.json")
    harm(_attempt(tmp_path))
    is_told = harm is _claim_gone

    async def resume() -> None:
        bench = _bench(tmp_path)
        outcome = await bench.engine.drive(BEN)
        if is_told:  # its exit record is there, and says how it ended
            assert (outcome.kind, bench.log) == ("done", ["s", "end"])
            return
        assert outcome.kind == "unknown"
        assert "nobody can say whether it ran" in outcome.text
        assert "StepNotStarted" not in _kinds(bench)
        assert (await bench.engine.drive(BEN)).kind == "unknown"
        assert bench.log == ["s", "end"]
        await bench.engine.aclose()

    asyncio.run(asyncio.wait_for(resume(), 60))


@pytest.mark.parametrize("is_noted", [True, False])
def test_only_a_note_that_names_no_remote_client_lets_a_lost_step_begin_again(
    tmp_path: Path, *, is_noted: bool
) -> None:
    _start_and_kill_engine(tmp_path)
    place = _attempt(tmp_path)
    os.kill(json.loads((place / "claim").read_bytes())["shim"], signal.SIGKILL)
    os.kill(json.loads((place / "started.json").read_bytes())["pid"], signal.SIGKILL)
    if not is_noted:
        (place / "remote.json").unlink()
    (tmp_path / "go").touch()

    async def resume() -> None:
        bench = _bench(tmp_path)
        outcome = await bench.engine.drive(BEN)
        assert outcome.kind == ("done" if is_noted else "unknown")
        assert bench.log.count("s") == (2 if is_noted else 1)
        assert is_noted or "the note of what it began elsewhere is gone" in bench.engine.state.unit("s").reason
        await bench.engine.aclose()

    asyncio.run(asyncio.wait_for(resume(), 60))


@pytest.mark.parametrize("other", ["journal", "started"])
def test_an_exit_record_of_something_else_is_not_believed(tmp_path: Path, other: str) -> None:
    _start_and_kill_engine(tmp_path, "ask")
    (tmp_path / "go").touch()
    record = _attempt(tmp_path) / "exit.json"
    _wait_for(record)
    record.write_text(json.dumps(json.loads(record.read_bytes()) | {other: "0" * 32}))
    outcome = asyncio.run(asyncio.wait_for(_bench(tmp_path).engine.drive(BEN), 60))
    assert outcome.kind == "unknown"


async def test_records_name_the_journal_and_what_announced_them(tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    bench = _bench(tmp_path, SLOW % "ask")
    await bench.engine.drive(ANA)
    (started,) = [record for record in bench.engine.records() if isinstance(record.event, ev.StepStarted)]
    assert bench.engine.run_store.journal is not None
    wanted = {"journal": bench.engine.run_store.journal.journal_id, "started": started.hash}
    for name in ("claim", "started.json", "exit.json"):
        found = json.loads((_attempt(tmp_path) / name).read_bytes())
        assert {key: found[key] for key in wanted} == wanted
    await bench.engine.aclose()


async def test_a_place_is_never_used_twice(tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    bench = _bench(tmp_path, SLOW % "ask")
    await bench.engine.start(ANA)
    runs = bench.engine.run_store.workspace.run_directory("1")
    left = AttemptFolder.of(runs, "s", 1).prepare().directory  # an engine died before it announced anything
    before = sorted((path.name, path.stat().st_ino) for path in left.iterdir())
    await bench.engine.drive(ANA)
    assert bench.log == ["s", "end"]
    assert (runs / "s.2" / "exit.json").exists()
    assert sorted((path.name, path.stat().st_ino) for path in left.iterdir()) == before
    await bench.engine.aclose()


@pytest.mark.parametrize("name", ["claim", "exit.json", "out-0000000000000000"])
async def test_no_step_begins_where_its_place_tells_of_an_attempt_that_the_journal_does_not_know(
    tmp_path: Path, name: str
) -> None:
    bench = _bench(tmp_path, SLOW % "ask")
    await bench.engine.start(ANA)
    left = AttemptFolder.of(bench.engine.run_store.workspace.run_directory("1"), "s", 1).prepare().directory
    (left / name).write_text("{}")
    with pytest.raises(StateError, match="tells of an attempt that the journal does not know"):
        await bench.engine.drive(ANA)
    assert bench.log == []
    await bench.engine.aclose()
