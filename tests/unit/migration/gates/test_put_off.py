"""A run that is put off: it goes on at its time, not before, not after it has expired, and as the plan was."""

from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, Checks, HandClock, open_bench

from switchover.errors import RefusedError, UsageError

PLAN = """
vars: {n: {default: "1"}}
phases:
  - id: a
    steps: [{id: one, run: 'echo one >> log', effect: changes, rollback: not_needed}]
  - id: b
    steps: [{id: two, run: 'echo two >> log', effect: changes, rollback: not_needed, confirm: {text: do two}}]
"""
HOUR = 3600.0


def _open(folder: Path, clock: HandClock, text: str | None = None, *, read_only: bool = False) -> Bench:
    return open_bench(folder, text, clock=clock, checks=Checks(clock, {}), read_only=read_only)


async def _put_off(bench: Bench, clock: HandClock, until: str = "", new: bool = False) -> None:
    await bench.engine.put_off(ANA, clock.now() + HOUR, clock.now() + 2 * HOUR, until, {}, new=new)


async def test_it_begins_at_its_time_and_not_before(tmp_path: Path) -> None:
    clock = HandClock()
    bench = _open(tmp_path, clock, PLAN)
    await _put_off(bench, clock, "a")
    assert "goes on by itself at 2027-01-15T09:00:00Z, as far as phase a, says ana" in bench.engine.view().put_off
    clock.advance(HOUR - 1)
    assert not bench.engine.appointment_due
    clock.advance(1)
    assert bench.engine.appointment_due
    await bench.engine.keep_appointment()
    assert bench.log == ["one"]
    assert bench.engine.view().put_off == ""
    assert bench.engine.view().started_by == str(ANA)


async def test_what_wants_something_typed_waits_for_a_person_then(tmp_path: Path) -> None:
    clock = HandClock()
    bench = _open(tmp_path, clock, PLAN)
    await _put_off(bench, clock)
    clock.advance(HOUR)
    await bench.engine.keep_appointment()
    assert bench.log == ["one"]
    assert bench.engine.view().put_off.endswith("two waits for its confirmation")
    assert not bench.engine.appointment_due
    await bench.engine.run_step("two", BEN, "do two")
    assert bench.log == ["one", "two"]
    assert bench.engine.view().put_off == ""


async def test_another_process_keeps_it_where_the_first_has_died(tmp_path: Path) -> None:
    clock = HandClock()
    bench = _open(tmp_path, clock, PLAN)
    await _put_off(bench, clock, "a")
    await bench.engine.aclose()
    clock.advance(HOUR)
    again = _open(tmp_path, clock)
    assert again.engine.appointment_due
    await again.engine.keep_appointment()
    assert again.log == ["one"]


async def test_after_it_has_expired_it_does_not_begin_and_says_so(tmp_path: Path) -> None:
    clock = HandClock()
    bench = _open(tmp_path, clock, PLAN)
    await _put_off(bench, clock)
    clock.advance(2 * HOUR + 1)
    await bench.engine.keep_appointment()
    assert bench.log == []
    assert not bench.engine.state.exists
    assert "it was not begun, because nothing could begin it before 2027-01-15T10:00:00Z" in bench.engine.view().put_off


async def test_a_plan_that_was_edited_meanwhile_is_not_begun(tmp_path: Path) -> None:
    clock = HandClock()
    bench = _open(tmp_path, clock, PLAN)
    await _put_off(bench, clock)
    path = tmp_path / "plan.yaml"
    path.write_text(path.read_text().replace("echo one", "echo ONE"))
    clock.advance(HOUR)
    await bench.engine.keep_appointment()
    assert bench.log == []
    assert "the plan's file was edited since" in bench.engine.view().put_off


async def test_an_open_run_goes_on_by_the_plan_that_was_frozen(tmp_path: Path) -> None:
    clock = HandClock()
    bench = _open(tmp_path, clock, PLAN)
    await bench.engine.start(ANA)
    await _put_off(bench, clock, "a")
    path = tmp_path / "plan.yaml"
    path.write_text(path.read_text().replace("echo one", "echo ONE"))
    clock.advance(HOUR)
    await bench.engine.keep_appointment()
    assert bench.log == ["one"]


async def test_it_can_be_taken_back(tmp_path: Path) -> None:
    clock = HandClock()
    bench = _open(tmp_path, clock, PLAN)
    await _put_off(bench, clock)
    assert "goes on by itself" in await bench.engine.cancel_appointment()
    clock.advance(HOUR)
    assert not bench.engine.appointment_due
    with pytest.raises(RefusedError, match="nothing is put off"):
        await bench.engine.cancel_appointment()


async def test_what_can_come_of_nothing_is_refused(tmp_path: Path) -> None:
    clock = HandClock()
    bench = _open(tmp_path, clock, PLAN)
    now = clock.now()
    for at, expires, said in ((now, now + 1, "is over already"), (now + 5, now + 5, "would expire before it begins")):
        with pytest.raises(RefusedError, match=said):
            await bench.engine.put_off(ANA, at, expires, "", {}, new=False)
    with pytest.raises(UsageError, match="no phase 'c'"):
        await _put_off(bench, clock, "c")
    assert bench.engine.view().put_off == ""


async def test_it_is_refused_where_nothing_may_be_changed(tmp_path: Path) -> None:
    clock = HandClock()
    _open(tmp_path, clock, PLAN)
    reader = _open(tmp_path, clock, read_only=True)
    with pytest.raises(RefusedError, match="read-only"):
        await _put_off(reader, clock)


async def test_a_file_that_is_none_of_ours_puts_nothing_off(tmp_path: Path) -> None:
    clock = HandClock()
    bench = _open(tmp_path, clock, PLAN)
    await _put_off(bench, clock)
    file = bench.engine.run_store.workspace.directory / "appointment.json"
    for text in ("", "[]", '{"at": "soon"}'):
        file.write_text(text)
        assert not bench.engine.appointment_due
        assert bench.engine.view().put_off == ""
