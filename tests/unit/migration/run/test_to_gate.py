"""One key runs all steps up to the next gate: it stops where a person is needed, where one fails, and on a word."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, open_bench

from switchover.errors import RefusedError, StateError
from switchover.migration.facts import events as ev

PLAN = """
phases:
  - id: a
    steps:
      - {id: one, run: echo one >> log, effect: creates, rollback: {run: 'true'}}
      - {id: two, run: TWO, effect: creates, rollback: {run: 'true'}}
      - {id: three, run: echo three >> log, effect: creates, rollback: {run: 'true'}}
    GATE
  - id: b
    steps: [{id: four, run: echo four >> log, effect: read}]
"""
GATE = 'gate: {human: "Go on?"}'


def plan(two: str = "echo two >> log", gate: str = GATE) -> str:
    return PLAN.replace("TWO", two).replace("GATE", gate)


def log(directory: Path) -> list[str]:
    path = directory / "log"
    return path.read_text().split() if path.exists() else []


async def test_all_steps_run_up_to_the_gate_and_none_behind_it(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, plan())
    await bench.engine.start(ANA)
    await bench.engine.run_to_gate(ANA)
    assert log(tmp_path) == ["one", "two", "three"]
    assert (bench.engine.action.kind, bench.engine.action.phase) == ("gate", "a")
    assert bench.engine.view().to_gate is False
    assert bench.engine.holder() is None
    with pytest.raises(RefusedError, match="gate a comes next"):
        await bench.engine.run_to_gate(ANA)
    await bench.engine.aclose()


@pytest.mark.parametrize(
    "second",
    [
        "{id: two, checklist: [look], effect: read}",
        "{id: two, run: 'true', effect: read, confirm: {text: do it}}",
        "{id: two, run: 'true', effect: destroys, rollback: {run: 'true'}}",
    ],
)
async def test_it_stops_before_what_a_person_is_asked_for(tmp_path: Path, second: str) -> None:
    line = next(line for line in plan().splitlines() if "id: two" in line)
    bench = open_bench(tmp_path, plan().replace(line, f"      - {second}"))
    await bench.engine.start(ANA)
    await bench.engine.run_to_gate(ANA)
    assert log(tmp_path) == ["one"]
    assert bench.engine.action.unit == "two"
    with pytest.raises(RefusedError):
        await bench.engine.run_to_gate(ANA)
    await bench.engine.aclose()


async def test_it_stops_where_a_step_fails(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, plan("exit 1"))
    await bench.engine.start(ANA)
    await bench.engine.run_to_gate(ANA)
    assert log(tmp_path) == ["one"]
    assert bench.engine.action.kind == "failed"
    await bench.engine.aclose()


async def test_stopped_after_a_step_that_step_ends_and_no_other_begins(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, plan())
    await bench.engine.start(ANA)
    began: list[bool] = []

    def stop(record: ev.Record) -> None:
        if isinstance(record.event, ev.StepStarted) and record.event.unit == "two":
            began.append(bench.engine.view().to_gate)
            bench.engine.stop_after_step()

    bench.engine.listen(stop)
    await bench.engine.run_to_gate(ANA)
    assert began == [True]
    assert log(tmp_path) == ["one", "two"]
    assert bench.engine.action.unit == "three"
    with pytest.raises(RefusedError):
        bench.engine.stop_after_step()
    await bench.engine.aclose()


async def test_an_abort_ends_the_step_and_no_other_begins(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, plan("echo two >> log; exec sleep 600"))
    await bench.engine.start(ANA)
    running = asyncio.Event()

    def hear(record: ev.Record) -> None:
        if isinstance(record.event, ev.StepStarted) and record.event.unit == "two":
            running.set()

    bench.engine.listen(hear)
    going = asyncio.ensure_future(bench.engine.run_to_gate(ANA))
    await running.wait()
    with pytest.raises(RefusedError):
        await bench.engine.run_step("three", ANA)
    await bench.engine.abort(ANA, "enough")
    with suppress(StateError):  # on a busy machine it is ended before its command was executed
        await going
    assert "three" not in log(tmp_path)
    assert not bench.engine.state.finished
    assert bench.engine.action.unit == "two"
    await bench.engine.aclose()


async def test_an_abort_between_two_steps_lets_none_begin_and_leaves_the_run_open(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, plan())
    await bench.engine.start(ANA)
    bench.engine._runner.to_gate = True  # as it is between two steps: nothing runs, and the next is about to
    await bench.engine.abort(ANA, "enough")
    assert bench.engine.view().to_gate is False
    assert not bench.engine.state.finished
    assert log(tmp_path) == []
    await bench.engine.abort(ANA, "enough")  # where none is about to begin, it is the run that ends
    assert bench.engine.state.finished
    await bench.engine.aclose()


async def test_one_that_only_watches_runs_nothing(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, plan())
    await bench.engine.start(ANA)
    await bench.engine.aclose()
    watching = open_bench(tmp_path, read_only=True)
    with pytest.raises(RefusedError, match="read-only"):
        await watching.engine.run_to_gate(ANA)
    await watching.engine.aclose()
