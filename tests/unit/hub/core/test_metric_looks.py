"""A metric at a gate means fresh values; `since` and `until` say when it is measured at all."""

from pathlib import Path

import pytest
from tests.unit.health.health_fakes import HEAD, FakeRunner
from tests.unit.hub.hub_fakes import stage

from switchover.errors import PlanError
from switchover.plan.loader.load import load_plan_text
from switchover.snapshot import MetricRow, MigrationView, PhaseView, Snapshot
from switchover_checks.api import Metric, Result, Status

PLAN = """
checks:
  api: {kind: tcp, port: 1, every: 100ms, since: run}
metrics:
  load: {kind: host, metric: load, every: 100ms, crit: "BOUND"}
  late: {kind: host, metric: load, every: 100ms, since: go}
  delay: {kind: check, check: api, metric: connect, unit: ms}
  wf: {each: {m: [load, memory]}, kind: host, metric: "{{ each.m }}", every: 100ms}
phases:
  - {id: look, gate: {require: [load, wf, delay]}}
  - {id: go, gate: {require: [api]}}
"""


def answering(value: float | None) -> FakeRunner:
    metrics = (Metric("connect", value, "ms"),) if value is not None else ()
    return FakeRunner({"api": Result(Status.OK, "fine", metrics=metrics)})


def written(text: str, directory: Path) -> str:
    """Return the plan without its head, its loop written out as the loader does."""
    load_plan_text(HEAD + text, directory / "plan.yaml")
    loop = '  wf: {each: {m: [load, memory]}, kind: host, metric: "{{ each.m }}", every: 100ms}\n'
    members = "".join(f'  "wf[{m}]": {{kind: host, metric: {m}, every: 100ms}}\n' for m in ("load", "memory"))
    return text.replace(loop, members)


def row(snapshot: Snapshot, name: str) -> MetricRow:
    return next(one for one in snapshot.metrics if one.name == name)


async def test_a_metric_is_measured_when_a_gate_asks_and_a_loop_of_them_as_one(tmp_path: Path) -> None:
    live = stage(written(PLAN.replace("BOUND", "100000"), tmp_path), tmp_path, runner=answering(7.0))
    evaluator = live.hub._watcher.evaluator
    assert evaluator is not None
    found = await evaluator.evaluate(["load", "wf", "delay", "api"])
    assert {name: one.status for name, one in found.items()} == dict.fromkeys(("load", "wf", "delay", "api"), Status.OK)
    assert found["delay"].result.metrics == (Metric("value", 7.0, "ms"),)
    assert found["wf"].result.summary == "2 as expected"


async def test_a_metric_without_a_value_or_out_of_its_bounds_is_not_fine(tmp_path: Path) -> None:
    live = stage(written(PLAN.replace("BOUND", "-1:-0.5"), tmp_path), tmp_path, runner=answering(None))
    evaluator = live.hub._watcher.evaluator
    assert evaluator is not None
    found = await evaluator.evaluate(["load", "delay"])
    assert found["load"].status is Status.CRIT
    assert found["load"].result.summary.endswith("outside -1:-0.5")
    assert found["delay"].status is Status.UNKNOWN
    assert found["delay"].result.summary == "the last result of api has no 'connect'; it has none"


async def test_a_metric_is_not_measured_before_its_time_and_says_so(tmp_path: Path) -> None:
    async with stage(written(PLAN.replace("BOUND", "100000"), tmp_path), tmp_path, runner=answering(1.0)) as live:
        seen = await live.until(lambda s: row(s, "host.load").latest is not None)
        assert (row(seen, "late").latest, row(seen, "late").status) == (None, "pending")
        assert row(seen, "late").note == "watched from phase go on"
        live.engine.said = MigrationView(
            phases=(PhaseView("look", "Look", "done"), PhaseView("go", "Go", "running", started_at=1.0))
        )
        live.hub.engine_changed()
        await live.until(lambda s: row(s, "late").latest is not None)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("since: go}", "since: og}", "metrics.late.since: there is no phase 'og'; known: go, look, run"),
        ("since: go}", "since: go, until: look}", "phase 'look' ends before phase 'go' starts: never watched"),
        ("[load, wf", "[laod, wf", "there is no check or service 'laod'; did you mean 'load'?"),
    ],
)
def test_a_name_that_is_not_there_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(PlanError) as wrong:
        load_plan_text(HEAD + PLAN.replace("BOUND", "1").replace(old, new), tmp_path / "p")
    assert any(said in str(problem) for problem in wrong.value.problems), wrong.value.problems
