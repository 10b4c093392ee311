"""A step is done once what it brings about is there; and it runs only where its condition holds."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, Checks, HandClock, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_state import Stage
from switchover.migration.rules.possible import why_impossible
from switchover_checks.api import Status

PLAN = """
checks: {up: {kind: tcp, host: localhost, port: 1}}
phases:
  - id: a
    steps:
      - id: s
        run: echo s >> log
        effect: changes
        ready: [up]
        ready_within: 10s
        rollback: {run: echo undo >> log}
        on_unknown: {verify: [up]}
      - {id: t, run: echo t >> log, effect: read}
"""


def _bench(directory: Path, *statuses: Status, text: str | None = PLAN) -> Bench:
    clock = HandClock()
    return open_bench(directory, text, clock=clock, checks=Checks(clock, {"up": list(statuses)}))


async def test_the_next_step_begins_when_the_step_is_ready(tmp_path: Path) -> None:
    bench = _bench(tmp_path, Status.CRIT, Status.CRIT, Status.OK)
    await bench.engine.drive(ANA)
    last = bench.engine.state.unit("s").last
    assert last is not None
    assert (bench.log, bench.engine.state.unit("s").stage, last.ready_s >= 2) == (["s", "t"], Stage.DONE, True)
    assert any("s ready 2" in row.text for row in bench.engine.timeline())


async def test_what_is_not_ready_in_time_has_failed_and_may_run_again(tmp_path: Path) -> None:
    bench = _bench(tmp_path, Status.CRIT)
    await bench.engine.drive(ANA)
    unit = bench.engine.state.unit("s")
    assert (unit.stage, bench.log) == (Stage.FAILED, ["s"])
    assert unit.reason.startswith("not ready within 10 s: up is crit")
    bench.checks.set("up", Status.OK)
    await bench.engine.retry("s", ANA)
    await bench.engine.drive(ANA)
    assert (bench.log, bench.engine.state.stage) == (["s", "s", "t"], "done")


async def test_a_wait_goes_on_after_the_engine_was_killed_and_nothing_runs_twice(tmp_path: Path) -> None:
    bench = _bench(tmp_path, Status.CRIT)
    clock = bench.engine.run_store.tools.clock
    assert isinstance(clock, HandClock)
    clock.stands = True
    await bench.engine.start(ANA)
    task = await _until_it_waits(bench)
    assert bench.engine.view_step("s").state == "waiting"
    assert bench.engine.view_step("s").reason == "ended well, and waits until up is fine"
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await bench.engine.aclose()
    after = _bench(tmp_path, Status.OK, text=None)
    assert after.engine.action.unit == "s"
    started = next(r.event for r in after.engine.records() if isinstance(r.event, ev.StepStarted))
    assert "waiting" in why_impossible(after.engine.state, started)
    await after.engine.drive(ANA)
    assert (after.log, after.engine.state.stage) == (["s", "t"], "done")


async def test_a_wait_can_be_stopped_and_a_step_that_is_not_ready_undone(tmp_path: Path) -> None:
    bench = _bench(tmp_path, Status.CRIT)
    clock = bench.engine.run_store.tools.clock
    assert isinstance(clock, HandClock)
    clock.stands = True
    await bench.engine.start(ANA)
    task = await _until_it_waits(bench)
    await bench.engine.abort(ANA, "enough")
    await task
    assert bench.engine.state.unit("s").reason == "stopped by ana: enough"
    await bench.engine.rollback(None, ANA)
    assert bench.log == ["s", "undo"]
    assert bench.engine.state.unit("s").stage is Stage.ROLLED_BACK


async def _until_it_waits(bench: Bench) -> asyncio.Task[None]:
    waits = asyncio.Event()
    bench.engine.listen(lambda record: waits.set() if isinstance(record.event, ev.StepEnded) else None)
    task = asyncio.ensure_future(bench.engine.run_next(ANA))
    await waits.wait()
    return task


ONLY = """
vars: {engine: {ask: which?}, size: {type: int, default: 3}}
checks: {up: {kind: tcp, host: localhost, port: 1, every: 1s}}
phases:
  - id: a
    steps:
      - {id: first, run: echo rows=7, effect: read, outputs: {rows: {from: 'stdout:/rows=(.*)/', type: int}}}
      - {id: s, run: echo s >> log, effect: changes, only_if: "CONDITION", rollback: {run: echo undo >> log}}
      - {id: t, run: echo t >> log, effect: read}
"""


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        ("engine == 'pg'", True),
        ("engine == 'mysql'", False),
        ("size > 2 and up == OK", True),
        ("up != OK", False),
        ("step.first.rows == 7", True),
        ("step.first.rows > 7", False),
        ("step.first.seconds < 3600", True),
        ("step.first.state == 'skipped'", False),
        ("exists(step.first.other)", False),
    ],
)
async def test_a_step_runs_only_where_its_condition_holds(tmp_path: Path, condition: str, *, runs: bool) -> None:
    bench = _bench(tmp_path, Status.OK, text=ONLY.replace("CONDITION", condition))
    await bench.engine.drive(ANA, variables={"engine": "pg"})
    assert bench.log == (["s", "t"] if runs else ["t"])
    unit = bench.engine.state.unit("s")
    assert (unit.stage, bench.engine.state.stage) == (Stage.DONE if runs else Stage.SKIPPED, "done")
    if not runs:
        assert unit.reason.startswith(f"{condition} does not hold: ")
        assert bench.engine.view_step("s").state == "skipped"
        assert any("s skipped: " in row.text for row in bench.engine.timeline())


async def test_a_condition_is_judged_once_and_a_skipped_step_is_not_undone(tmp_path: Path) -> None:
    bench = _bench(tmp_path, Status.CRIT, text=ONLY.replace("CONDITION", "up == OK"))
    await bench.engine.drive(ANA, variables={"engine": "pg"})
    after = _bench(tmp_path, Status.OK, text=None)
    assert (after.engine.state.unit("s").stage, after.engine.state.impossible) == (Stage.SKIPPED, ())
    assert not (await after.engine.rehearse(None)).way.available
    with pytest.raises(RefusedError):
        await after.engine.retry("s", ANA)
