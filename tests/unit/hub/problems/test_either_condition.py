"""A known issue may show in one check or another: any of them proposes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.health.health_fakes import HEAD, plan

from switchover.clock import SystemClock
from switchover.errors import PlanError
from switchover.hub.problems.known_issues import KnownIssues
from switchover.plan.conditions import Condition, parse_alternatives
from switchover.plan.loader.load import load_plan_text
from switchover_checks.api import Status

PLAN = """
checks: {search: {kind: tcp, port: 1, every: 1s}, health: {kind: tcp, port: 2, every: 1s}}
troubleshooting: [{symptom: Slow, when: WHEN}]
"""


@pytest.mark.parametrize(("bad", "matches"), [("search", True), ("health", True), ("other", False)])
def test_either_check_proposes_it(bad: str, matches: bool) -> None:
    issues = KnownIssues(plan(PLAN.replace("WHEN", "search == CRIT or health == CRIT")), SystemClock())
    (view,) = issues.of_plan(lambda one: Status.CRIT if one.subject == bad else Status.OK)
    assert (view.matches, issues.subjects) == (matches, (("search", "health"),))


def test_the_time_at_the_end_counts_for_all() -> None:
    both = parse_alternatives("search == CRIT or health != OK for 1m")
    assert both == (Condition("search", True, Status.CRIT, 60.0), Condition("health", False, Status.OK, 60.0))


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("search == CRIT or haelth == CRIT", "there is no check or service 'haelth'; did you mean 'health'?"),
        ("search == CRIT or", "is not a condition"),
        ("search == CRIT and health == CRIT", "is not a condition"),
    ],
)
def test_what_is_no_condition_is_refused(tmp_path: Path, when: str, said: str) -> None:
    with pytest.raises(PlanError, match=r"troubleshooting\[0\]\.when") as wrong:
        load_plan_text(HEAD + PLAN.replace("WHEN", when), tmp_path / "p")
    assert said in str(wrong.value.problems[0])
