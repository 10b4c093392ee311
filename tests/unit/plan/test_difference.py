"""What differs between two plans, as a person names it."""

from pathlib import Path

from switchover.plan.loader.load import load_plan_text
from switchover.plan.model import Plan
from switchover.plan.plan_difference import compare, unified

HEAD = "schema: 1\nid: p\ntitle: A plan\n"
ONE = "{id: one, run: 'true', effect: changes}"
TWO = "{id: two, run: 'true', effect: changes}"
THREE = "{id: three, run: 'true', effect: changes}"


def _plan(steps: list[str], rest: str = "") -> Plan:
    text = HEAD + rest + f"phases: [{{id: a, steps: [{', '.join(steps)}]}}]\n"
    return load_plan_text(text, Path("plan.yaml")).plan


def _texts(before: Plan, after: Plan) -> list[str]:
    return [change.text for change in compare(before, after)]


def test_the_same_plan_has_no_difference() -> None:
    assert _texts(_plan([ONE, TWO]), _plan([ONE, TWO])) == []


def test_steps_that_came_went_changed_and_moved_are_told_apart() -> None:
    before = _plan([ONE, TWO, THREE])
    assert _texts(before, _plan([ONE, THREE])) == ["step two removed"]
    assert _texts(_plan([ONE]), before) == ["step two added", "step three added"]
    assert _texts(before, _plan([ONE, TWO.replace("'true'", "'false'"), THREE])) == ["step two changed (run)"]
    assert _texts(before, _plan([TWO, THREE, ONE])) == ["step one moved"]


def test_a_changed_value_stands_beside_the_one_before() -> None:
    changed = compare(_plan([ONE]), _plan([ONE.replace("'true'", "'false'")]))[0]
    assert changed.details == (("run", "true", "false"),)


def test_checks_and_ways_back_are_named() -> None:
    checks = "checks: {up: {kind: tcp, host: a, port: 1, every: 5s}}\n"
    assert _texts(_plan([ONE]), _plan([ONE], checks)) == ["check up added"]
    assert _texts(_plan([ONE], checks), _plan([ONE], checks.replace("host: a", "host: b"))) == [
        "check up changed (host)"
    ]
    ways = "rollbacks: {quick: {title: Back, within: 5m, steps: [{run: 'true'}]}}\n"
    assert _texts(_plan([ONE], ways), _plan([ONE], ways.replace("5m", "9m"))) == ["way back quick changed (within)"]


def test_line_by_line_only_what_differs() -> None:
    assert unified("a\nb\n", "a\nb\n") == ()
    assert "-b" in unified("a\nb\n", "a\nc\n")
