"""Promises: when each side is measured, what could not be, and what a person may let pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, Checks, HandClock, open_bench

from switchover.cli.plan_test.stand_ins import CaseReading
from switchover.errors import RefusedError
from switchover.migration.facts.events import PromisesMeasured
from switchover.migration.rules.measured_promises import measure
from switchover.plan.model import Promise
from switchover_checks.api import Metric, Result, Status

PLAN = """
checks:
  old: {{kind: tcp, host: localhost, port: 1}}
  new: {{kind: tcp, host: localhost, port: 2}}
promises:
  speed: {promise}
phases:
  - {{id: look, steps: [{{id: seen, run: 'true', effect: read}}]}}
  - id: move
    steps:
      - {{id: copy, run: 'true', effect: changes, rollback: not_needed}}
      - {{id: tune, run: 'true', effect: changes, rollback: not_needed}}
  - id: prove
    gate: {gate}
  - {{id: last, steps: [{{id: over, run: 'true', effect: read}}]}}
"""
SPEED = "{title: S, before: {value: old.time}, after: {value: new.time}, target: after < before}"
PROVED = "{require: [old, new], prove: [speed]}"
LOOSE = "{require: [old, new]}"


def bench_of(directory: Path, promise: str = SPEED, gate: str = PROVED, **metrics: dict[str, float]) -> Bench:
    clock = HandClock()
    checks = Checks(clock, {"old": [Status.OK], "new": [Status.OK]}, dict(metrics))
    return open_bench(directory, PLAN.format(promise=promise, gate=gate), clock=clock, checks=checks)


async def test_a_value_is_measured_as_its_phase_ends_and_not_again(tmp_path: Path) -> None:
    promise = SPEED.replace("old.time", "old.time, in: look").replace("new.time", "new.time, in: move")
    bench = bench_of(tmp_path, promise, old={"time": 100.0}, new={"time": 10.0})
    await bench.engine.start(ANA)
    assert (bench.engine.state.baseline, bench.engine.state.afters) == ({}, {})
    await bench.engine.run_next(ANA)
    bench.checks.metrics["old"]["time"] = 90.0
    await bench.engine.run_next(ANA)
    assert bench.engine.state.baseline == {"speed": 90.0}
    await bench.engine.run_next(ANA)
    bench.checks.metrics["old"]["time"] = 1.0
    await bench.engine.run_next(ANA)
    bench.checks.metrics["new"]["time"] = 500.0
    await bench.engine.drive(ANA)
    view = bench.engine.view().promises[0]
    assert (view.before, view.after, view.state, bench.engine.state.stage) == (90.0, 10.0, "met", "done")


async def test_what_no_gate_proves_is_measured_at_the_end_all_the_same(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, gate=LOOSE, old={"time": 100.0}, new={"time": 500.0})
    await bench.engine.drive(ANA)
    assert (bench.engine.view().promises[0].state, bench.engine.state.stage) == ("missed", "done")
    told = [row.text for row in bench.engine.timeline() if "speed is missed" in row.text]
    assert told == ["measured speed is missed"]


async def test_what_could_not_be_measured_is_said_before_the_first_change(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, new={"time": 10.0})
    await bench.engine.start(ANA)
    await bench.engine.run_next(ANA)
    with pytest.raises(RefusedError, match="copy is the first change, and could not be measured before it: speed"):
        await bench.engine.run_next(ANA)
    assert bench.stage("copy") == "pending"
    bench.checks.metrics["old"] = {"time": 80.0}
    await bench.engine.run_next(ANA)
    assert (bench.engine.state.baseline, bench.stage("copy")) == ({"speed": 80.0}, "done")


async def test_a_person_may_waive_what_could_not_be_measured_with_a_reason(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, gate=LOOSE, new={"time": 10.0})
    await bench.engine.start(ANA)
    await bench.engine.run_next(ANA)
    await bench.engine.waive("speed", ANA, "the old side is down", 3600.0)
    await bench.engine.drive(ANA)
    assert (bench.engine.state.stage, bench.engine.view().promises[0].state) == ("done", "unknown")


async def test_a_promise_that_blocks_nothing_opens_the_gate_and_is_missed_in_the_report(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, SPEED.replace("target", "blocks: false, target"), old={"time": 1.0}, new={"time": 10.0})
    await bench.engine.drive(ANA)
    measured = bench.engine.state.measurements["speed"]
    assert (measured.state, measured.let_pass, bench.engine.state.stage) == ("missed", "it blocks nothing", "done")


async def test_a_missed_promise_may_be_acknowledged_with_a_reason(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, old={"time": 1.0}, new={"time": 10.0})
    assert (await bench.engine.drive(ANA)).kind == "failed"
    await bench.engine.acknowledge("speed", ANA, "good enough")
    await bench.engine.drive(ANA)
    measured = bench.engine.state.measurements["speed"]
    assert (measured.state, measured.let_pass, bench.engine.state.stage) == (
        "missed",
        "ana: good enough",
        "done",
    )


@pytest.mark.parametrize(("take", "counts"), [("median", 10.5), ("p95", 19.0)])
async def test_of_several_samples_the_median_or_the_95th_of_a_hundred_counts(
    tmp_path: Path, take: str, counts: float
) -> None:
    bench = bench_of(
        tmp_path, SPEED.replace("target", f"samples: 20, take: {take}, target"), old={"time": 0.0}, new={"time": 1.0}
    )
    read = bench.checks._read

    def rising(name: str) -> object:
        bench.checks.metrics["old"]["time"] += 1.0
        return read(name)

    bench.checks._read = rising  # type: ignore[assignment, method-assign]
    await bench.engine.start(ANA)
    assert bench.engine.state.baseline == {"speed": counts}


async def test_a_promise_may_be_about_the_time_of_a_step_and_need_no_before(tmp_path: Path) -> None:
    promise = "{title: S, unit: s, after: {value: step.copy.seconds, in: move}, target: after < 60}"
    bench = bench_of(tmp_path, promise)
    await bench.engine.drive(ANA)
    view = bench.engine.view().promises[0]
    assert (view.before, view.state) == (None, "met")
    assert view.after is not None
    assert sum(isinstance(r.event, PromisesMeasured) for r in bench.engine.records()) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("old.time", "old.time, in: lok", "there is no phase 'lok'; did you mean 'look'?"),
        ("new.time", "step.cpy.seconds", "there is no step 'cpy'; did you mean 'copy'?"),
        ("new.time", "step.copy.rows", "there is no output of the step copy 'rows'"),
        ("target", "take: mean, target", "expected 'median' or 'p95'"),
        ("target", "samples: 0, target", "expected at least 1"),
    ],
)
def test_a_mistake_in_a_promise_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    from switchover.errors import PlanError

    with pytest.raises(PlanError) as refused:
        bench_of(tmp_path, SPEED.replace(old, new))
    assert said in "\n".join(map(str, refused.value.problems))


@pytest.mark.parametrize(
    ("target", "unit", "is_measured", "value"),
    [("after < 1s", "ms", 900.0, 0.9), ("after < before", "ms", 900.0, 900.0), ("after < 5%", "%", 3.0, 0.03)],
)
def test_a_value_is_turned_into_the_unit_that_its_target_speaks_of(
    target: str, unit: str, is_measured: float, value: float
) -> None:
    promise = Promise.model_validate({"title": "S", "after": {"value": "new.time"}, "target": target})
    seen = CaseReading(Status.OK, Result(Status.OK, "", metrics=(Metric("time", is_measured, unit),)), 1.0)
    assert measure("new.time", {"new": seen}, promise) == pytest.approx(value)


async def test_a_promise_may_speak_of_a_metric_of_the_plan(tmp_path: Path) -> None:
    promise = "{title: S, before: {value: ram}, after: {value: 'mem[b]', in: move}, target: after <= before / 2}"
    metrics = "metrics: {ram: {kind: host, metric: load}, mem: {each: {s: [b]}, kind: host, metric: load}}\n"
    clock = HandClock()
    fine = {name: [Status.OK] for name in ("old", "new", "ram", "mem[b]")}
    checks = Checks(clock, fine, {"ram": {"value": 9.0}, "mem[b]": {"value": 4.0}})
    text = metrics.replace("{", "{{").replace("}", "}}") + PLAN
    bench = open_bench(tmp_path, text.format(promise=promise, gate=PROVED), clock=clock, checks=checks)
    await bench.engine.drive(ANA)
    view = bench.engine.view().promises[0]
    assert (view.before, view.after, view.state) == (9.0, 4.0, "met")


@pytest.mark.parametrize(("has", "value"), [((), 0.4), ((Metric("time", 0.1, "s"),), 0.1)])
def test_the_time_of_a_check_is_its_own_or_how_long_the_look_took(has: tuple[Metric, ...], value: float) -> None:
    promise = Promise.model_validate({"title": "S", "after": {"value": "new.time"}, "target": "after < 1s"})
    seen = CaseReading(Status.OK, Result(Status.OK, "", metrics=has), 1.0, 0.4)
    assert measure("new.time", {"new": seen}, promise) == value
