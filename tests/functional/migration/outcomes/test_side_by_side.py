"""Steps that run side by side: each under a watcher of its own, and nothing begins before all have ended."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts.run_state import Stage

PLAN = """
phases:
  - id: a
    steps:
      - {id: first, run: echo first >> log, effect: read}
      - {id: one, run: 'touch one; until [ -e two ]; do sleep 0.01; done; echo one >> log', effect: changes,
         parallel: both, rollback: {run: echo undo one >> log}}
      - {id: two, run: 'touch two; until [ -e one ]; do sleep 0.01; done; echo two >> log; test ! -e broken',
         effect: changes, parallel: both, rollback: {run: echo undo two >> log}}
      - {id: last, run: echo last >> log, effect: read}
"""


async def test_steps_run_side_by_side_and_the_next_one_after_both(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN)
    await bench.engine.drive(ANA)
    assert (bench.log[0], set(bench.log[1:3]), bench.log[3:]) == ("first", {"one", "two"}, ["last"])
    assert bench.engine.state.stage == "done"
    again = open_bench(tmp_path)
    assert again.engine.state.impossible == ()


async def test_a_failure_lets_the_others_end_and_stops_before_the_next(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    bench = open_bench(tmp_path, PLAN)
    await bench.engine.drive(ANA)
    stages = [bench.engine.state.unit(step).stage for step in ("one", "two", "last")]
    assert stages == [Stage.DONE, Stage.FAILED, Stage.PENDING]
    (tmp_path / "broken").unlink()
    await bench.engine.retry("two", ANA)
    assert bench.log.count("one") == 1, "only the failed one ran again"
    await bench.engine.drive(ANA)
    assert (bench.log[-1], bench.engine.state.stage) == ("last", "done")


async def test_a_step_that_ends_well_beside_a_failed_one_makes_no_running_run_of_it(tmp_path: Path) -> None:
    quick = PLAN.replace("; until [ -e one ]; do sleep 0.01; done", "")
    slow = quick.replace("touch one; until [ -e two ]; do sleep 0.01; done", "sleep 0.3")
    (tmp_path / "broken").touch()
    bench = open_bench(tmp_path, slow)
    await bench.engine.drive(ANA)
    state = bench.engine.state
    assert (state.unit("one").stage, state.unit("two").stage) == (Stage.DONE, Stage.FAILED)
    assert (state.stage, state.reason) == (Stage.FAILED, state.unit("two").reason)
    await bench.engine.retry("two", ANA)
    assert bench.engine.state.unit("two").stage is Stage.FAILED
    (tmp_path / "broken").unlink()
    await bench.engine.retry("two", ANA)
    assert bench.engine.state.stage is Stage.RUNNING


async def test_what_ran_side_by_side_is_undone_in_reverse_of_its_start(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    bench = open_bench(tmp_path, PLAN)
    await bench.engine.drive(ANA)
    order = [step for step in bench.engine.state.order if step in ("one", "two")]
    await bench.engine.rollback(None, ANA)
    assert (tmp_path / "log").read_text().splitlines()[-2:] == [f"undo {step}" for step in reversed(order)]


WAITING = PLAN.replace("[ -e two ]", "[ -e go ]").replace("[ -e one ]", "[ -e go ]")


async def test_after_the_engine_is_killed_both_are_found_again_and_none_runs_twice(tmp_path: Path) -> None:
    open_bench(tmp_path, WAITING).engine.run_store.close()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            asyncio.run(open_bench(tmp_path).engine.drive(ANA))
        os._exit(0)
    _wait_for(tmp_path / "one")
    _wait_for(tmp_path / "two")
    os.kill(pid, signal.SIGKILL)
    _reap(pid)
    bench = open_bench(tmp_path)
    await bench.engine.recover()
    assert set(bench.engine.state.open_units) == {"one", "two"}
    with pytest.raises(RefusedError):
        await bench.engine.run_step("one", ANA)
    (tmp_path / "go").touch()
    await bench.engine.settled()
    await bench.engine.drive(ANA)
    assert sorted(bench.log) == ["first", "last", "one", "two"]
    assert (bench.engine.state.stage, bench.engine.state.impossible) == ("done", ())


async def test_a_stop_ends_all_that_runs(tmp_path: Path) -> None:
    bench: Bench = open_bench(tmp_path, WAITING)
    driving = asyncio.ensure_future(bench.engine.drive(ANA))
    while not ((tmp_path / "one").exists() and (tmp_path / "two").exists()):  # noqa: ASYNC110 - files, not events
        await asyncio.sleep(0.01)
    await bench.engine.abort(ANA, "enough")
    await driving
    assert {bench.engine.state.unit(step).stage for step in ("one", "two")} == {Stage.FAILED}
    assert bench.log == ["first"]


def _reap(pid: int) -> None:
    os.waitpid(pid, 0)


def _wait_for(path: Path) -> None:
    give_up = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < give_up, path
        time.sleep(0.005)
