"""A backup is newer than the run or a step, and is kept for a while after the run's end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.health.health_fakes import FakeRunner, StillClock, plan, scope_of

from switchover.health.probing import CheckObservation, Evaluator
from switchover.plan.variables import Scope
from switchover.services.inventory import Inventory
from switchover_checks.api import Status
from switchover_checks.kinds.files.backup_series import newer_findings

PLAN = """
checks:
  saved: {kind: backup, path: a.tar, max_age: 1h, newer_than: SINCE, keep_for: 30d, since: run}
phases:
  - {id: one, steps: [{id: dump, run: 'true'}]}
"""
BEGAN = 1_800_000_000.0


async def look(since: str, *, now: float = BEGAN, **scope: object) -> tuple[CheckObservation, dict[str, object]]:
    loaded, runner = plan(PLAN.replace("SINCE", since)), FakeRunner()
    clock = StillClock(now)

    def where() -> Scope:
        return replace(scope_of(loaded), **scope)  # type: ignore[arg-type]

    evaluator = Evaluator(loaded, where, runner, Inventory({}, (), lambda name: name, clock), clock)
    (seen,) = (await evaluator.evaluate(["saved"])).values()
    return seen, dict(runner.asked[0].config) if runner.asked else {}


@pytest.mark.parametrize(
    ("since", "moments", "asked"),
    [
        ("run", {"run": BEGAN - 60, "dump": BEGAN - 30}, BEGAN - 60),
        ("dump", {"run": BEGAN - 60, "dump": BEGAN - 30}, BEGAN - 30),
        ("copy", {"run": BEGAN - 60, "copy[a]": BEGAN - 30, "copy[b]": BEGAN - 10}, BEGAN - 10),
    ],
)
async def test_it_is_asked_for_the_moment_at_which_that_began(
    since: str, moments: dict[str, float], asked: float
) -> None:
    _, config = await look(since, moments=moments)
    assert float(str(config["newer_than"])) == asked


@pytest.mark.parametrize(("since", "said"), [("run", "waits for the run to begin"), ("dump", "step dump to begin")])
async def test_until_then_it_is_pending(since: str, said: str) -> None:
    seen, config = await look(since, moments={} if since == "run" else {"run": BEGAN})
    assert (seen.status, config) == (Status.PENDING, {})
    assert said in seen.result.summary


async def test_after_the_run_its_age_does_not_count_but_it_must_be_there_as_long_as_it_is_kept() -> None:
    _, config = await look("run", now=BEGAN + 29 * 86400, moments={"run": 1.0}, run_ended_at=BEGAN)
    assert config == {"path": "a.tar", "keep_for": "30d"}
    seen, config = await look("run", now=BEGAN + 31 * 86400, moments={"run": 1.0}, run_ended_at=BEGAN)
    assert (seen.status, config) == (Status.SKIPPED, {})
    assert seen.result.summary.startswith("was to be kept until ")


def test_what_was_written_before_is_not_the_backup_of_this_run() -> None:
    (older,) = newer_findings(str(BEGAN), BEGAN - 2)
    (newer,) = newer_findings(str(BEGAN), BEGAN + 2)
    (open_,) = newer_findings("run", BEGAN)
    assert [one.status for one in (older, newer, open_)] == [Status.CRIT, Status.OK, Status.UNKNOWN]
    assert newer_findings(None, BEGAN) == []
