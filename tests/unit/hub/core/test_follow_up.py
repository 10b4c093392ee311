"""What was done is looked at at once, not when its rhythm comes round."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.quiet_hub import QuietHub
from tests.unit.health.health_fakes import FakeRunner
from tests.unit.hub.hub_fakes import Stage, stage

from switchover.health.probing import Evaluator
from switchover.hub.core.follow_up import FollowUp
from switchover.migration.facts.operator import Operator
from switchover_checks.api import Status

OK, CRIT = Status.OK, Status.CRIT
ANA = Operator("ana", "bastion", "pts/1")
PLAN = """
services: {web: {kind: process, pid_file: web.pid, every: 1h}}
checks:
  a: {kind: tcp, port: 1, every: 1h}
  of_web: {kind: tcp, port: 2, every: 1h, service: web}
  other: {kind: tcp, port: 3, every: 1h}
troubleshooting:
  - symptom: it is down
    when: a == CRIT
    solutions:
      - {text: look, run: "true", effect: read}
      - {text: mend it, run: "touch mended", effect: changes}
      - {text: fail, run: "exit 3", effect: changes}
"""


def times(runner: FakeRunner, name: str) -> int:
    return sum(spec.name == name for spec in runner.asked)


async def seen(live: Stage, holds: Callable[[], bool]) -> None:
    await live.until(lambda _: holds())


async def test_after_a_solution_its_checks_are_looked_at_at_once(tmp_path: Path) -> None:
    runner = FakeRunner({"a": CRIT})
    async with stage(PLAN, tmp_path, runner=runner) as live:
        await live.until(lambda s: bool(s.problems) and s.known_issues[0].matches)
        await live.until(lambda s: all(row.observed_at is not None for row in s.checks))
        assert (times(runner, "a"), times(runner, "other")) == (1, 1)
        await live.hub.triage.solve("plan:0", "a", 0, "", ANA)
        assert times(runner, "a") == 1, "what only reads changes nothing"
        runner.answers["a"] = OK
        await live.hub.triage.solve("plan:0", "a", 1, "yes", ANA)
        mended = await live.until(lambda s: s.checks[0].status == "ok")
        assert not [problem for problem in mended.problems if problem.check == "a"]
        assert times(runner, "other") == 1


async def test_one_that_failed_may_have_changed_something_all_the_same(tmp_path: Path) -> None:
    runner = FakeRunner({"a": CRIT})
    async with stage(PLAN, tmp_path, runner=runner) as live:
        await live.until(lambda s: bool(s.problems) and s.known_issues[0].matches)
        assert (await live.hub.triage.solve("plan:0", "a", 2, "yes", ANA))[1] == 3
        await seen(live, lambda: times(runner, "a") == 2)


def follow_up(live: Stage, evaluator: Evaluator | None, *pauses: float) -> FollowUp:
    return FollowUp(evaluator, live.hub._services, QuietHub(), pauses=pauses)


async def test_the_checks_of_a_service_are_looked_at_too_and_what_is_not_well_again(tmp_path: Path) -> None:
    runner = FakeRunner({"of_web": CRIT})
    live = stage(PLAN, tmp_path, runner=runner)
    after = follow_up(live, live.hub._evaluator, 0.0, 0.0)
    after.begin(["web"])
    for task in list(after._under_way):
        await task
    assert (times(runner, "of_web"), times(runner, "a"), times(runner, "other")) == (3, 0, 0)
    assert live.inventory.states["web"].observed_mono is not None
    runner.answers["of_web"] = OK
    after.begin(["web", "a"], only_checks=True)
    for task in list(after._under_way):
        await task
    assert (times(runner, "of_web"), times(runner, "a")) == (4, 1)


async def test_without_a_plan_there_are_no_checks_to_look_at(tmp_path: Path) -> None:
    live = stage("checks: {}\n", tmp_path)
    after = follow_up(live, None)
    after.begin(["docker:web", ""])
    for task in list(after._under_way):
        await task
    await after.aclose()
