"""Gates, over a clock that is set by hand."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, Checks, HandClock, Reading, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts.events import GateBroken, GatePassed, GateWaits
from switchover_checks.api import Status

OK, WARN, CRIT, UNKNOWN, SKIPPED = Status.OK, Status.WARN, Status.CRIT, Status.UNKNOWN, Status.SKIPPED


def _plan(gate: str) -> str:
    return f"""
    checks:
      up: {{kind: tcp, host: localhost, port: 1}}
      rows: {{kind: tcp, host: localhost, port: 2}}
    promises:
      speed:
        {{title: Speed, unit: ms, before: {{value: up.time}}, after: {{value: rows.time}}, target: after <= before / 2}}
      unused: {{title: Unused, before: {{value: 1}}, after: {{value: rows.time}}, target: "after < before"}}
    phases:
      - id: a
        gate: {gate}
    """


async def _bench(directory: Path, gate: str, **statuses: list[Status]) -> tuple[Bench, HandClock]:
    clock = HandClock()
    checks = Checks(clock, {"up": [OK], "rows": [OK]}, {"up": {"time": 100.0}, "rows": {"time": 10.0}})
    bench = open_bench(directory, _plan(gate), clock=clock, checks=checks)
    await bench.engine.start(ANA)
    checks.statuses.update(statuses)
    return bench, clock


async def test_all_required_ok_opens_the_gate(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, "{require: [up, rows]}")
    assert await bench.engine.check_gate("a", ANA)
    assert bench.engine.state.stage == "done"
    await bench.engine.aclose()


@pytest.mark.parametrize("status", [WARN, CRIT, UNKNOWN, SKIPPED, Status.PENDING])
async def test_anything_but_ok_keeps_it_shut_and_says_why(tmp_path: Path, status: Status) -> None:
    bench, _ = await _bench(tmp_path, "{require: [up, rows]}", rows=[status])
    assert not await bench.engine.check_gate("a", ANA)
    view = bench.engine.view()
    gate = view.phases[0].gate
    assert gate is not None
    assert gate.state == ("decide" if status in (WARN, UNKNOWN) else "failed")
    assert "rows" in gate.reason
    assert [r.status for r in gate.requirements] == ["ok", status.label]
    assert view.action.kind == ("decide" if status in (WARN, UNKNOWN) else "gate")
    await bench.engine.aclose()


async def test_a_check_without_a_reading_and_an_old_reading_pass_no_gate(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, "{require: [up]}")
    bench.checks.age = 5.0
    assert not await bench.engine.check_gate("a", ANA)
    assert "not looked at anew" in bench.engine.state.gate("a").reason
    bench.checks.statuses.clear()
    assert not await bench.engine.check_gate("a", ANA)
    assert "was not looked at" in bench.engine.state.gate("a").reason
    await bench.engine.aclose()


async def test_a_gate_waits_for_green_but_not_for_ever(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, "{require: [up], within: 60s, every: 10s}", up=[CRIT, CRIT, OK])
    began = clock.mono
    assert await bench.engine.check_gate("a", ANA)
    assert clock.mono - began == 20
    await bench.engine.aclose()


@pytest.mark.parametrize("asked", ["require: [up]", "require: [rows], prove: [speed]"])
async def test_a_look_without_an_answer_does_not_outlast_the_whole_wait(tmp_path: Path, asked: str) -> None:
    bench, _ = await _bench(tmp_path, f"{{{asked}, within: 100ms, every: 100ms}}")
    answer = bench.checks.evaluate
    looks = itertools.count()

    async def hang(names: Sequence[str]) -> Mapping[str, Reading]:
        if "prove" not in asked or next(looks) % 2:  # a look at what is required, then one at what is measured
            await asyncio.Event().wait()
        return await answer(names)

    bench.checks.evaluate = hang  # type: ignore[method-assign]
    assert not await bench.engine.check_gate("a", ANA)
    wanted = "up is unknown: had not answered" if "up" in asked else "speed could not be measured in time"
    assert wanted in bench.engine.state.gate("a").reason
    await bench.engine.aclose()


async def test_the_wait_ends_when_its_time_is_over(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, "{require: [up], within: 60s, every: 10s}", up=[CRIT])
    began = clock.mono
    assert not await bench.engine.check_gate("a", ANA)
    assert clock.mono - began == 60
    await bench.engine.aclose()


async def test_a_broken_hold_starts_anew(tmp_path: Path) -> None:
    statuses = [OK, OK, CRIT, OK]
    bench, clock = await _bench(tmp_path, "{require: [up], hold: 30s, within: 60s, every: 10s}", up=statuses)
    began = clock.mono
    assert await bench.engine.check_gate("a", ANA)
    assert clock.mono - began == 60  # green at 0 and 10, red at 20, then 30 s green from 30 on
    passed = [r.event for r in bench.engine.records() if isinstance(r.event, GatePassed)]
    assert passed[0].held_s == 30
    await bench.engine.aclose()


async def test_a_clock_set_back_or_forward_never_shortens_a_hold(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, "{require: [up], hold: 100s, within: 10s, every: 10s}")
    began = clock.mono
    waits = 0

    async def wait(seconds: float) -> None:
        nonlocal waits
        waits += 1
        clock.advance(seconds)
        clock.wall += -100_000 if waits == 1 else 500_000 if waits == 2 else 0
        await asyncio.sleep(0)

    object.__setattr__(bench.engine.run_store.tools, "wait", wait)
    assert await bench.engine.check_gate("a", ANA)
    assert clock.mono - began == 100
    await bench.engine.aclose()


async def test_abort_stops_a_gate_that_waits(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, "{require: [up], within: 1h, every: 1s}", up=[CRIT])
    waiting = await bench.engine.submit(bench.engine.check_gate("a", ANA))
    while bench.checks.looks < 3:  # noqa: ASYNC110 - what is awaited is the gate's own work
        await asyncio.sleep(0)
    clock.stands = True
    await bench.engine.abort(BEN, "not today")
    assert await waiting is False
    assert bench.engine.state.gate("a").reason == "stopped by ben: not today"
    assert bench.engine.busy == ""
    await bench.engine.aclose()


async def test_a_person_says_go_and_the_gate_is_looked_at_again_then(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, '{require: [up], human: "All well?"}', up=[OK, CRIT, OK])
    assert not await bench.engine.check_gate("a", ANA)
    assert bench.engine.action.kind == "human"
    with pytest.raises(RefusedError, match="no longer green"):
        await bench.engine.answer_gate("a", BEN, True)
    assert not await bench.engine.check_gate("a", ANA)
    assert await bench.engine.answer_gate("a", BEN, True, "looked at it")
    assert bench.engine.state.gate("a").answered_by == "ben"
    await bench.engine.aclose()


async def test_no_go_keeps_the_gate_shut(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, '{human: "Go?"}')
    await bench.engine.check_gate("a", ANA)
    assert not await bench.engine.answer_gate("a", BEN, False, "too late today")
    assert bench.engine.state.gate("a").reason == "ben said no-go: too late today"
    await bench.engine.aclose()


async def test_a_promise_is_proved_with_both_values_on_record(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, "{require: [up], prove: [speed]}")
    assert await bench.engine.check_gate("a", ANA)
    measured = bench.engine.state.measurements["speed"]
    assert (measured.before, measured.after, measured.state) == (100.0, 10.0, "met")
    view = bench.engine.view().promises[0]
    assert (view.before, view.after, view.state) == (100.0, 10.0, "met")
    await bench.engine.aclose()


async def test_before_is_what_was_measured_at_the_start(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, "{prove: [speed]}")
    bench.checks.metrics = {"up": {"time": 1.0}, "rows": {"time": 60.0}}
    assert not await bench.engine.check_gate("a", ANA)
    assert "speed is missed: after <= before / 2, with before 100 and after 60" in bench.engine.state.gate("a").reason
    await bench.engine.aclose()


async def test_what_cannot_be_measured_is_never_proved(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, "{prove: [speed]}")
    bench.checks.metrics = {}
    assert not await bench.engine.check_gate("a", ANA)
    assert "could not be measured (after)" in bench.engine.state.gate("a").reason
    await bench.engine.aclose()


async def test_a_missed_promise_is_measured_again_and_shuts_the_gate_once_its_wait_is_over(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, "{require: [up], prove: [speed], within: 60s, every: 10s}")
    bench.checks.metrics["rows"]["time"] = 90.0
    began = clock.mono
    assert not await bench.engine.check_gate("a", ANA)
    assert clock.mono - began == 60
    assert "speed is missed: after <= before / 2" in bench.engine.state.gate("a").reason


async def test_a_promise_that_is_missed_does_not_break_the_hold(tmp_path: Path) -> None:
    bench, clock = await _bench(
        tmp_path, "{require: [up], prove: [speed], hold: 30s, within: 60s, every: 10s}", rows=[OK]
    )
    bench.checks.metrics["rows"]["time"] = 90.0
    began = clock.mono

    async def wait(seconds: float) -> None:
        clock.advance(seconds)
        if clock.mono - began >= 50:
            bench.checks.metrics["rows"]["time"] = 10.0
        await asyncio.sleep(0)

    object.__setattr__(bench.engine.run_store.tools, "wait", wait)
    assert await bench.engine.check_gate("a", ANA)
    assert clock.mono - began == 50
    assert not [r for r in bench.engine.records() if isinstance(r.event, GateBroken)]


@pytest.mark.parametrize("within", [", within: 60s, every: 10s", ""])
async def test_a_check_that_flaps_shuts_the_gate_once_its_wait_is_over(tmp_path: Path, within: str) -> None:
    bench, clock = await _bench(tmp_path, f"{{require: [up], hold: 30s{within}}}", up=[OK, CRIT] * 1000)
    began = clock.mono
    assert not await bench.engine.check_gate("a", ANA)
    assert clock.mono - began <= 80
    assert "up is crit" in bench.engine.state.gate("a").reason


async def test_a_hold_that_is_green_when_the_wait_is_over_is_let_go_on(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, "{require: [up], hold: 60s, within: 20s, every: 10s}", up=[CRIT, OK])
    began = clock.mono
    assert await bench.engine.check_gate("a", ANA)
    assert clock.mono - began == 70


async def test_what_a_gate_waits_for_is_on_record_while_it_waits(tmp_path: Path) -> None:
    """So that every other process can say it too; what changes all the time is not written down all the time."""
    statuses = [CRIT, UNKNOWN] * 1000
    bench, _ = await _bench(tmp_path, "{require: [up, rows], within: 10m, every: 5s}", up=[CRIT], rows=statuses)
    seen = []

    async def wait(seconds: float) -> None:
        other = open_bench(tmp_path, clock=bench.checks.clock)
        gate = other.engine.view().phases[0].gate
        assert gate is not None
        seen.append((gate.state, gate.reason, gate.deadline_at))
        bench.checks.clock.advance(seconds)  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    object.__setattr__(bench.engine.run_store.tools, "wait", wait)
    assert not await bench.engine.check_gate("a", ANA)
    state, reason, deadline = seen[0]
    assert (state, "up is crit" in reason, deadline) == ("waiting", True, 1_800_000_000.0 + 600)
    assert {s for s, _, _ in seen} == {"waiting"}
    assert len(seen) > 100
    assert 2 <= len([r for r in bench.engine.records() if isinstance(r.event, GateWaits)]) <= 30


async def test_a_gate_whose_watcher_died_does_not_say_that_it_waits(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, "{require: [up], within: 1h, every: 5s}", up=[CRIT])

    waiting = asyncio.Event()

    async def wait(_seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    object.__setattr__(bench.engine.run_store.tools, "wait", wait)
    task = await bench.engine.submit(bench.engine.check_gate("a", ANA))
    await waiting.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    view = open_bench(tmp_path, clock=bench.checks.clock).engine.view()
    gate = view.phases[0].gate
    assert gate is not None
    assert gate.reason == "nobody watches it now; it waited for: up is crit: up is crit"
    assert (view.state, view.action.kind) == ("waiting", "gate")


async def _with_backup(directory: Path) -> Bench:
    """A step whose work its gate needs, done; by now the gate finds it too old."""
    clock = HandClock()
    text = """
    checks: {dump: {kind: tcp, host: localhost, port: 1}}
    phases:
      - id: a
        steps:
          - {id: save, run: 'echo save >> log', effect: creates}
          - {id: ask, checklist: [look]}
        gate: {require: [dump], hold: 30s}
    """
    bench = open_bench(directory, text, clock=clock, checks=Checks(clock, {"dump": [CRIT]}))
    assert (await bench.engine.drive(ANA, ticks={"ask": "looked"})).kind == "failed"
    assert bench.log == ["save"]
    return bench


async def test_a_done_step_whose_work_its_gate_needs_runs_again_on_a_persons_word(tmp_path: Path) -> None:
    bench = await _with_backup(tmp_path)
    assert [s.choices for s in bench.engine.view().phases[0].steps] == [("retry",), ("retry",)]
    await bench.engine.drive(ANA)
    assert bench.log == ["save"]
    bench.checks.set("dump", OK)
    assert (await bench.engine.drive(ANA, retry=("save",))).kind == "done"
    assert bench.log == ["save", "save"]
    assert "save may run again, says ana" in [row.text for row in bench.engine.timeline()]


async def test_what_the_gate_saw_before_that_no_longer_counts(tmp_path: Path) -> None:
    bench = await _with_backup(tmp_path)
    await bench.engine.retry("save", ANA)
    assert bench.stage("save") == "done"
    assert bench.engine.state.gate("a").stage == "pending"
    await bench.engine.retry("ask", ANA)
    assert bench.engine.action.kind == "checklist"
    assert bench.engine.view_step("ask").checklist[0].done is False


async def test_once_its_gate_has_passed_a_done_step_does_not_run_again(tmp_path: Path) -> None:
    bench = await _with_backup(tmp_path)
    bench.checks.set("dump", OK)
    await bench.engine.drive(ANA)
    with pytest.raises(RefusedError, match="save has not failed: it is done"):
        await bench.engine.retry("save", ANA)
