"""A run that goes by an edited plan: what may change, what follows from it, and what others see of it."""

import asyncio
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, Checks, HandClock, open_bench, plan_file

from switchover.errors import LockedError, PlanError, RefusedError
from switchover_checks.api import Status

PLAN = """
checks: {rows: {kind: tcp, host: localhost, port: 1}}
phases:
  - id: a
    steps:
      - {id: one, run: echo one >> log, effect: changes, rollback: {run: echo undo-one >> log}}
    gate: {human: "All well?", require: [rows]}
  - id: b
    steps:
      - {id: two, run: echo two >> log, effect: changes, confirm: {text: two}}
"""


def _open(directory: Path, text: str | None = None) -> Bench:
    clock = HandClock()
    return open_bench(directory, text, clock=clock, checks=Checks(clock, {"rows": [Status.OK]}))


async def _at_the_gate(directory: Path) -> Bench:
    bench = _open(directory, PLAN)
    await bench.engine.drive(ANA)
    assert bench.engine.action.kind == "human"
    return bench


async def test_an_edit_shows_at_once_and_changes_nothing_by_itself(tmp_path: Path) -> None:
    bench = await _at_the_gate(tmp_path)
    assert not bench.engine.plan_edited
    plan_file(tmp_path, PLAN.replace("echo two", "echo second"))
    assert bench.engine.plan_edited
    found = await bench.engine.difference()
    assert [(c.kind, c.what, c.name, c.touches) for c in found.changes] == [("changed", "step", "two", "")]
    await bench.engine.drive(ANA, confirmations={"a": "go", "two": "two"})
    assert bench.log == ["one", "two"]


async def test_adopted_it_is_journalled_with_who_and_why_and_read_again_by_all(tmp_path: Path) -> None:
    bench = await _at_the_gate(tmp_path)
    before = bench.engine.state.plan_digest
    plan_file(tmp_path, PLAN.replace("echo two", "echo second"))
    beside = _open(tmp_path)
    await bench.engine.rebase(ANA, reason="a slip")
    assert not bench.engine.plan_edited
    row = bench.engine.timeline()[-1].text
    assert row == "ana adopted the edited plan (a slip): step two changed (run)"
    assert bench.engine.state.plan_digest != before
    await beside.engine.refresh()
    assert beside.engine.loaded.plan.step("two").run == "echo second >> log"
    await bench.engine.drive(ANA, confirmations={"a": "go", "two": "two"})
    assert bench.log == ["one", "second"]


async def test_a_gate_that_needs_something_else_is_looked_at_again(tmp_path: Path) -> None:
    bench = await _at_the_gate(tmp_path)
    plan_file(tmp_path, PLAN.replace("All well?", "All really well?"))
    await bench.engine.rebase(ANA)
    assert bench.engine.action.kind == "gate"


async def test_a_gate_that_has_passed_cannot_change(tmp_path: Path) -> None:
    bench = await _at_the_gate(tmp_path)
    await bench.engine.answer_gate("a", ANA, True)
    plan_file(tmp_path, PLAN.replace("All well?", "All really well?"))
    with pytest.raises(RefusedError, match=r"gate a has passed and cannot change \(human\)"):
        await bench.engine.rebase(ANA)


async def test_while_another_drives_or_a_step_runs_nothing_is_adopted(tmp_path: Path) -> None:
    bench = await _at_the_gate(tmp_path)
    plan_file(tmp_path, PLAN.replace("echo two", "echo second"))
    beside = _open(tmp_path)
    async with beside.engine.hold(BEN):
        with pytest.raises(LockedError, match="ben"):
            await bench.engine.rebase(ANA)
    async with bench.engine.hold(ANA):
        await bench.engine.answer_gate("a", ANA, True)
        running = asyncio.ensure_future(bench.engine.run_step("two", ANA, "two"))
        await asyncio.sleep(0)
        with pytest.raises(RefusedError, match="step two is going on"):
            await bench.engine.rebase(ANA)
        await running


async def test_what_was_seen_is_what_is_adopted(tmp_path: Path) -> None:
    bench = await _at_the_gate(tmp_path)
    plan_file(tmp_path, PLAN.replace("echo two", "echo second"))
    seen = await bench.engine.difference()
    plan_file(tmp_path, PLAN.replace("echo two", "echo worse"))
    with pytest.raises(RefusedError, match="edited again"):
        await bench.engine.rebase(ANA, digest=seen.digest)


async def test_target_and_id_cannot_change(tmp_path: Path) -> None:
    bench = await _at_the_gate(tmp_path)
    plan_file(tmp_path, "target: elsewhere\n" + PLAN)
    with pytest.raises(RefusedError, match="the plan's target is another: elsewhere"):
        await bench.engine.rebase(ANA)


async def test_once_a_rollback_was_begun_the_plan_stays(tmp_path: Path) -> None:
    bench = await _at_the_gate(tmp_path)
    plan_file(tmp_path, PLAN.replace("echo two", "echo second"))
    await bench.engine.rollback(None, ANA)
    assert bench.log == ["one", "undo-one"]


async def test_another_run_begins_with_the_edited_file_without_a_new_engine(tmp_path: Path) -> None:
    bench = await _at_the_gate(tmp_path)
    await bench.engine.drive(ANA, confirmations={"a": "go", "two": "two"})
    plan_file(tmp_path, PLAN.replace("echo two", "echo second"))
    assert bench.engine.plan_edited
    await bench.engine.drive(ANA, new=True, confirmations={"a": "go", "two": "two"})
    assert bench.log == ["one", "two", "one", "second"]


async def test_another_run_does_not_begin_with_a_file_that_has_errors(tmp_path: Path) -> None:
    bench = await _at_the_gate(tmp_path)
    await bench.engine.drive(ANA, confirmations={"a": "go", "two": "two"})
    plan_file(tmp_path, PLAN.replace("effect: changes", "effect: chanegs"))
    with pytest.raises(PlanError):
        await bench.engine.start(ANA, new=True)
    assert (await bench.engine.difference()).problems
