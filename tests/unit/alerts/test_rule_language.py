"""What a rule may say, what it means, and that a mistake is named with its column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from switchover.plan.alerting.rule_parser import RuleNames, parse_rule
from switchover.plan.alerting.rule_tokens import RuleError
from switchover.plan.alerting.rule_values import WINDOW_FUNCTIONS
from switchover.plan.conditions import Condition
from switchover_checks.api import Status

NAMES = RuleNames(
    frozenset({"api", "running[pg]", "running"}),
    {
        "cpu": "%",
        "mem[a]": "B",
        "wait": "s",
        "wait_ms": "ms",
        "hits": "",
        "evicted": "/min",
        "net": "B/s",
        "usd": "USD",
    },
)


class Facts:
    def __init__(self, **values: Any) -> None:
        self.values: Mapping[str, Any] = {"statuses": {}, "points": {}, "scales": {}, **values}

    def value(self, metric: str) -> float | None:
        return self.values.get(metric)

    def window(self, metric: str, seconds: float, function: str) -> float | None:
        return WINDOW_FUNCTIONS[function](self.values["points"].get(metric, []), 10.0)

    def scale(self, metric: str) -> float:
        return float(self.values["scales"].get(metric, 1.0))

    def status(self, condition: Condition) -> Status | None:
        return self.values["statuses"].get(condition.subject)  # type: ignore[no-any-return]

    def cost(self, name: str) -> float | None:
        return self.values.get(f"cost_{name}")


def holds(text: str, **values: Any) -> bool | None:
    return parse_rule(text, NAMES).holds(Facts(**values))


@pytest.mark.parametrize(
    ("text", "values", "truth"),
    [
        ('metric("cpu") > 80%', {"cpu": 81.0}, True),
        ('metric("cpu") > 80%', {"cpu": 80.0}, False),
        ('metric("cpu") > 80%', {}, None),
        ('metric("wait") > 500ms', {"wait": 0.6}, True),
        ('metric("wait_ms") > 1.0s', {"wait_ms": 900.0}, False),
        ('metric("wait_ms") > 1.0s', {"wait_ms": 1100.0}, True),
        ('metric("mem[a]") >= 1GiB', {"mem[a]": float(2**30)}, True),
        ('metric("hits") > 1s', {"hits": 1500.0, "scales": {"hits": 0.001}}, True),
        ('metric("hits") > 80', {"hits": 81.0}, True),
        ('metric("hits") > -5', {"hits": -4.0}, True),
        ('metric("evicted") > 100/min', {"evicted": 101.0}, True),
        ('metric("usd") > 50', {"usd": 51.0}, True),
        ("api == CRIT", {"statuses": {"api": Status.CRIT}}, True),
        ("api == crit", {"statuses": {"api": Status.OK}}, False),
        ("api != OK", {"statuses": {"api": Status.UNKNOWN}}, True),
        ("api == CRIT", {"statuses": {"api": Status.PENDING}}, None),
        ("running[pg] == CRIT", {}, False),
        ('api == CRIT and metric("cpu") > 80%', {"statuses": {"api": Status.OK}}, False),
        ('api == CRIT or metric("cpu") > 80%', {"statuses": {"api": Status.OK}}, None),
        ('api == CRIT or metric("cpu") > 80%', {"statuses": {"api": Status.CRIT}}, True),
        ('not (metric("cpu") > 80%)', {"cpu": 1.0}, True),
        ('not (metric("cpu") > 80%)', {}, None),
        ('metric("mem[a]") / metric("mem[a]") > 0.5', {"mem[a]": 3.0}, True),
        ('metric("hits") / (metric("hits") - 2) > 1', {"hits": 2.0}, None),
        ('metric("hits") > metric("hits")', {"hits": 2.0}, False),
        ('delta(metric("hits"), 10m) > 0', {"points": {"hits": [1.0, 4.0]}}, True),
        ('delta(metric("hits"), 10m) > 0', {}, None),
        ('avg(metric("cpu"), 5m) > 80%', {"points": {"cpu": [80.0, 90.0]}}, True),
        ('max(metric("cpu"), 5m) > 85%', {"points": {"cpu": [80.0, 90.0]}}, True),
        ('min(metric("cpu"), 5m) > 85%', {"points": {"cpu": [80.0, 90.0]}}, False),
        ('rate(metric("hits"), 1m) > 1/s', {"points": {"hits": [100.0, 120.0, 5.0]}}, True),
        ('rate(metric("hits"), 1m) > 2/s', {"points": {"hits": [100.0, 120.0, 5.0]}}, False),
        ('count(metric("hits"), 1m) < 3', {"points": {"hits": [1.0]}}, True),
        ('absent(metric("hits"), 5m)', {}, True),
        ('absent(metric("hits"), 5m)', {"points": {"hits": [0.0]}}, False),
        ("cost.share > 110%", {"cost_share": 120.0}, True),
        ("cost.share > 110%", {}, None),
    ],
)
def test_what_a_rule_means(text: str, values: dict[str, Any], truth: bool | None) -> None:
    assert holds(text, **values) is truth


def test_for_clear_and_keep_are_read_in_any_order() -> None:
    rule = parse_rule('metric("cpu") > 80% clear 75% keep 2m for 5m', NAMES)
    assert (rule.hold_s, rule.keep_s, rule.metrics) == (300.0, 120.0, ("cpu",))
    assert [rule.clears(Facts(cpu=value)) for value in (76.0, 75.0, None)] == [True, False, None]
    assert rule.value(Facts(cpu=81.0)) == 81.0
    assert parse_rule("api == CRIT for 2m", NAMES).subjects == ("api",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('metric("cpu") > 80', "its values are in %; write the unit, such as 80% (column 17 of"),
        ('metric("cpu") > 5m', "its values are in %, which is no time"),
        ('metric("usd") > 5m', "its values are in USD, which is no time"),
        ('metric("hits") > 5/min', "nobody knows the unit of its values"),
        ('metric("cpus") > 80%', "there is no metric 'cpus'; did you mean 'cpu'? (column 8 of"),
        ('metric("mem") > 1GiB', "there is no metric 'mem'; write mem[a]"),
        ("metric(cpu) > 80%", 'the name of a metric stands in quotes: metric("cpu")'),
        ("cpu > 80%", "write cpu == CRIT, or cpu != OK; a metric is written metric('cpu')"),
        ("api == DOWN", "'DOWN' is no status; choose from OK, WARN, CRIT, UNKNOWN, SKIPPED, PENDING"),
        ("apo == CRIT", "there is no check or service 'apo'; did you mean 'api'?"),
        ("api = CRIT", "'=' means nothing here; write == to compare"),
        ('metric("cpu")', "this is a number, not something that holds or not; compare it"),
        ('avg(metric("cpu")) > 80%', "avg needs a time: avg(metric('cpu'), 5m)"),
        ('metric("cpu") > metric("wait")', "values in % are compared with values in s"),
        ('metric("cpu") > 80% for ever', "'ever' is not a duration"),
        ('metric("cpu") > 80% clear 75', "its values are in %; write the unit"),
        ("api == CRIT clear 5", "clear needs a rule of one comparison"),
        ("api == CRIT for 1m for 2m", "'for' stands twice"),
        ("cost.shar > 110%", "there is no cost.shar; did you mean 'share'?"),
        ("cost.pace > 110%", "cost.pace is not there yet"),
        ("api == CRIT and", "expected metric"),
        ("(" * 40 + "api == CRIT" + ")" * 40, "nested too deeply"),
        ("x" * 2000, "longer than 1000 characters"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(RuleError) as error:
        parse_rule(text, NAMES)
    assert problem in str(error.value)
    assert "(column " in str(error.value)
