"""The small languages inside a plan: conditions, targets, captured outputs, moments."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from switchover.plan.conditions import Condition, parse_condition
from switchover.plan.notations import After, parse_capture, parse_moment
from switchover.plan.promises.targets import parse_target
from switchover_checks.api import Status


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("api_up == CRIT", Condition("api_up", True, Status.CRIT, 0.0)),
        ("api_up==crit for 2m", Condition("api_up", True, Status.CRIT, 120.0)),
        ("running[pg] != OK for 1h30m", Condition("running[pg]", False, Status.OK, 5400.0)),
    ],
)
def test_a_condition_is_read(text: str, condition: Condition) -> None:
    assert parse_condition(text) == condition


@pytest.mark.parametrize(
    "text", ["", "api_up", "api_up = CRIT", "api_up == DOWN", "api_up == CRIT for ever", "a == OK b"]
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ
        parse_condition(text)


def test_a_condition_does_not_hold_for_what_was_never_looked_at() -> None:
    condition = parse_condition("api_up != OK")
    assert condition.holds(Status.CRIT)
    assert not condition.holds(Status.OK)
    assert not condition.holds(Status.PENDING)
    assert not condition.holds(None)


@pytest.mark.parametrize(
    ("text", "before", "after", "kept"),
    [
        ("after <= before / 5", 500, 100, True),
        ("after <= before / 5", 500, 101, False),
        ("after < 100", 0, 99.9, True),
        ("10 < after < 20", 0, 20, False),
        ("after < before and not after == 0", 2, 0, False),
        ("abs(after - before) <= 1 or after < -5", 10, 11, True),
        ("after <= min(before, 50) * 2", 500, 100, True),
    ],
)
def test_a_target_is_judged(text: str, before: float, after: float, kept: bool) -> None:
    assert parse_target(text).holds(before, after) is kept


@pytest.mark.parametrize(
    ("text", "unit", "after", "kept"),
    [
        ("after < 1s", "", 0.9, True),
        ("after < 1s", "", 1.0, False),
        ("after < 1s", "ms", 900, True),
        ("after < 1m30s", "s", 89.9, True),
        ("after <= 20MiB", "MiB", 20, True),
        ("after <= 20MiB", "", 21000000, False),
        ("after < 5%", "%", 4.9, True),
        ("after < 5%", "", 0.049, True),
        ("after < before + 100ms", "", 10.05, True),
    ],
)
def test_a_target_with_units_is_judged_in_those_of_its_values(text: str, unit: str, after: float, kept: bool) -> None:
    assert parse_target(text, unit).holds(10.0, after) is kept


@pytest.mark.parametrize(("text", "unit"), [("after < 1s + 20MiB", ""), ("after < 1s", "MiB"), ("after < 1parsec", "")])
def test_units_that_measure_something_else_are_refused(text: str, unit: str) -> None:
    with pytest.raises(ValueError, match="target"):
        parse_target(text, unit)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "after",
        "after + 1",
        "before > 5",
        "after < now",
        "after < before ** 9999",
        "after < 10 ** 10 ** 10",
        "__import__('os').system('id') < after",
        "after.real < 1",
        "after < True",
        "after in [1]",
        "(lambda: after)() < 1",
        "after < 1e999",
        "max() < after",
        "abs(1, 2) < after",
        "'\\d' < after",
        "1 is after",
        "5or after < 1",
        "min(after) < 1",
        "after < " + "(" * 300 + "1" + ")" * 300,
        "after < " + "-" * 5000 + "1",
    ],
)
def test_what_is_no_target_is_refused_and_never_run(text: str) -> None:
    with pytest.raises(ValueError, match=r"target|longer|proves nothing"):
        parse_target(text)


@pytest.mark.parametrize(("before", "after"), [(0.0, 1.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_a_target_without_an_answer_is_neither_kept_nor_missed(before: float, after: float) -> None:
    with pytest.raises(ValueError, match="has no answer"):
        parse_target("after / before < 2").holds(before, after)


def test_an_output_is_captured_line_by_line() -> None:
    capture = parse_capture(r"stdout:/^IP=(\S+)$/")
    assert re.compile(capture.wanted, re.MULTILINE).findall("x\nIP=10.0.0.7\nIPX=1") == ["10.0.0.7"]
    assert parse_capture("stdout:/a/(b)/").wanted == "a/(b)"
    assert parse_capture(" json:.a-b[0].c ").wanted == "\0.a-b[0].c"


@pytest.mark.parametrize(
    "text",
    [
        "json:",
        "json:a",
        "json:.a..b",
        "json:.a[x]",
        "json:.a b",
        "stdout:/x/",
        "stdout:/(x)(y)/",
        "stdout:/(/",
        "stderr:/(x)/",
        "(x)",
        "stdout:/(" + "x" * 600 + ")/",
    ],
)
def test_what_captures_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"regular expression|stdout:/REGEX/|json:.KEY"):
        parse_capture(text)


def test_a_moment_is_read() -> None:
    assert parse_moment("phase.validate + 24h") == After("phase", "validate", 86400.0)
    assert parse_moment("step.copy") == After("step", "copy", 0.0)
    assert parse_moment("2026-01-31T22:00Z") == datetime(2026, 1, 31, 22, tzinfo=UTC)
    assert parse_moment("2026-01-31T22:00") == datetime(2026, 1, 31, 22, tzinfo=UTC)
    assert parse_moment("2026-01-31T22:00+01:00") == datetime(2026, 1, 31, 21, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "tomorrow", "validate + 24h", "phase.validate + soon", "phase.validate - 1h"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ
        parse_moment(text)
