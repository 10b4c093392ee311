"""A database that hangs, or is cut off, holds up nothing but what is owed to it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.real.conftest import Postgres
from tests.real.migration.line import Line, line_to
from tests.unit.migration.harness import ANA, OPENED, Bench, first_damage, open_bench

from switchover.errors import JournalAwayError
from switchover.migration.facts.run_state import Stage
from switchover.migration.journal import journal_line
from switchover.settings import JournalAddress

PLAN = """
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log; read line < gate; echo "$line" >> log', effect: changes}
      - {id: two, run: 'echo two >> log', effect: changes}
"""


@pytest.fixture
def line(postgres: Postgres) -> Iterator[Line]:
    with line_to(postgres.port) as line:
        yield line


@pytest.fixture
def bench(tmp_path: Path, postgres: Postgres, line: Line, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(journal_line, "_SLOW_S", 0.2)  # nobody wants to wait for what nobody has to wait for
    monkeypatch.setattr(journal_line, "_ANSWER_WITHIN_S", 1.5)
    os.mkfifo(tmp_path / "gate")
    return open_bench(tmp_path, PLAN, shared=JournalAddress(line.url(postgres.create())))


@pytest.fixture(autouse=True)
def engines_are_closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().engine.run_store.close()


async def _so(what: str, is_so: object) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # type: ignore[operator]  # noqa: ASYNC110 - threads and processes make it so
            await asyncio.sleep(0.005)


async def _began(bench: Bench) -> asyncio.Task[object]:
    driving: asyncio.Task[object] = asyncio.ensure_future(bench.engine.drive(ANA))
    await _so("the step wrote", lambda: bench.log == ["one"])
    return driving


async def _say(bench: Bench, word: str) -> None:
    await asyncio.to_thread((bench.directory / "gate").write_text, f"{word}\n")


async def test_while_the_server_hangs_the_loop_goes_on_and_the_screen_says_since_when(bench: Bench, line: Line) -> None:
    driving = await _began(bench)
    line.freeze()
    frozen_at = bench.engine.run_store.tools.clock.now()
    looking = asyncio.ensure_future(bench.engine.refresh())
    turns = 0
    while not bench.engine.outage:
        await asyncio.sleep(0)
        turns += 1
    assert not looking.done()
    assert turns > 100  # the loop never waited
    view = bench.engine.view()
    assert (view.state, view.action.kind) == ("waiting", "wait")
    assert "does not answer" in view.action.text
    assert "one is not disturbed" in view.action.text
    since = bench.engine.run_store.outage.since
    assert since is not None
    assert abs(since - frozen_at) < 1  # when it was asked, not when that was given up
    line.thaw()
    await looking
    assert bench.engine.outage == ""
    await _say(bench, "heard")
    assert getattr(await driving, "kind", "") == "done"


async def test_a_step_ends_while_the_server_hangs_and_its_end_is_recorded_once_when_it_is_back(
    bench: Bench, line: Line
) -> None:
    driving = await _began(bench)
    line.freeze()
    await _say(bench, "heard")
    await _so("it is waited for", lambda: bench.engine.run_store.outage.waiting)
    assert bench.log == ["one", "heard"]
    assert bench.stage("one") == "running"
    line.cut()
    line.thaw()
    assert getattr(await driving, "kind", "") == "done"
    assert bench.log == ["one", "heard", "two"]
    journal = bench.engine.run_store.journal
    assert journal is not None
    assert first_damage(journal) is None
    kinds = [type(record.event).__name__ for record in bench.engine.records()]
    assert kinds == ["RunStarted", "StepStarted", "StepEnded", "StepStarted", "StepEnded", "RunEnded"]


async def test_a_stop_does_not_wait_for_a_server_that_hangs(bench: Bench, line: Line) -> None:
    driving = await _began(bench)
    line.freeze()
    await asyncio.gather(bench.engine.abort(ANA, "enough"), return_exceptions=True)
    exit_record = bench.engine._runner.executor.attempt("one", 1).directory / "exit.json"
    await _so("its shim has ended it", exit_record.exists)
    assert not driving.done()
    line.cut()
    line.thaw()
    assert getattr(await driving, "kind", "") == "failed"
    assert bench.engine.state.unit("one").stage is Stage.FAILED
    assert "stopped by ana: enough" in bench.engine.state.unit("one").reason


async def test_waiting_for_a_server_that_hangs_can_be_given_up_at_once(bench: Bench, line: Line) -> None:
    driving = await _began(bench)
    line.freeze()
    await _say(bench, "heard")
    await _so("it is waited for", lambda: bench.engine.run_store.outage.waiting)
    bench.engine.interrupt(ANA, "interrupted with Ctrl-C")
    with pytest.raises(JournalAwayError):
        await driving


async def test_nothing_begins_while_the_server_hangs(bench: Bench, line: Line) -> None:
    await bench.engine.start(ANA)
    line.freeze()
    with pytest.raises(JournalAwayError, match="does not answer"):
        await bench.engine.run_step("one", ANA)
    assert bench.log == []
    line.cut()
    line.thaw()
