"""Who is told of what, when: groups, silences, escalation, restarts; a back-set clock shortens nothing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.alerts.test_rule_language import NAMES, Facts
from tests.unit.health.health_fakes import StillClock

from switchover.alerts.alert_state import AlertEvent, AlertRule
from switchover.alerts.rules.alert_engine import AlertEngine
from switchover.alerts.rules.alert_notices import alert_words
from switchover.alerts.rules.missing_data import MissingData
from switchover.alerts.rules.silences import matches, parse_matchers
from switchover.errors import UsageError
from switchover.plan.alerting.rule_parser import parse_rule
from switchover.plan.model import AlertGroups
from switchover.snapshot import SilenceRecord


def rule(name: str, text: str = 'metric("cpu") > 80%', **keys: Any) -> AlertRule:
    parsed = parse_rule(text, NAMES)
    return AlertRule(name, text, parsed, hold_s=parsed.hold_s, keep_s=parsed.keep_s, **keys)


class Scene:
    """An engine with a clock that is moved by hand."""

    def __init__(self, *rules: AlertRule, groups: AlertGroups | None = None) -> None:
        self.clock = StillClock()
        self.engine = AlertEngine(rules, groups, self.clock)
        self.cause = ""
        self.records: dict[str, Any] = {}

    def at(self, seconds: float, **values: Any) -> list[str]:
        """Move on to so many seconds, judge, and return what is told."""
        self.clock.advance(1000.0 + seconds - self.clock.mono)
        self.engine.judge_all(Facts(**values), lambda _: False)
        said = [
            f"{event} {','.join(one.rule.name for one in tell.alerts)} -> {','.join(tell.notify)}"
            for tell in self.engine.to_tell(lambda _: self.cause)
            for event in [tell.events[0].value]
        ]
        changes = self.engine.take_changes()
        self.records.update({record.key: record for record in changes.records})
        for key in changes.over:
            self.records.pop(key, None)
        return said


def test_each_alert_is_told_at_once_where_there_are_no_groups() -> None:
    scene = Scene(rule("a", notify=("x",)), rule("b", notify=("y",)))
    assert scene.at(1, cpu=90.0) == ["fired a -> x", "fired b -> y"]
    assert scene.at(2, cpu=90.0) == []
    assert scene.at(3, cpu=10.0) == ["ended a -> x", "ended b -> y"]


def test_a_group_waits_for_more_and_keeps_its_interval_and_repeats() -> None:
    groups = AlertGroups(by=("severity",), wait=10, interval=300, repeat=3600)
    scene = Scene(rule("a"), rule("b", 'metric("wait") > 1s'), groups=groups)
    assert scene.at(0, cpu=90.0, wait=0.0) == []
    assert scene.at(9, cpu=90.0, wait=2.0) == []
    assert scene.at(10, cpu=90.0, wait=2.0) == ["fired a,b -> log"]
    assert scene.at(20, cpu=10.0, wait=2.0) == []
    assert scene.at(309, cpu=10.0, wait=2.0) == []
    assert scene.at(310, cpu=10.0, wait=2.0) == ["ended a -> log"]
    assert scene.at(3609, cpu=10.0, wait=2.0) == []
    assert scene.at(3610, cpu=10.0, wait=2.0) == ["reminded b -> log"]


def test_what_is_over_before_anybody_was_told_is_never_told() -> None:
    scene = Scene(rule("a"), groups=AlertGroups(wait=10))
    assert scene.at(0, cpu=90.0) + scene.at(5, cpu=10.0) + scene.at(20, cpu=10.0) == []


def silence(until: float, *matchers: str, ack: bool = False) -> SilenceRecord:
    return SilenceRecord("s", matchers, 0.0, 1_800_000_000.0 + until, "ann", "deploy", ack=ack)


def test_what_began_in_a_silence_and_still_holds_is_told_when_that_ends() -> None:
    scene = Scene(rule("a"))
    scene.engine.silences = [silence(100, "alertname=a*")]
    assert scene.at(1, cpu=90.0) == []
    assert scene.engine.firing[0].note == "silenced by ann: deploy"
    assert scene.at(101, cpu=90.0) == ["fired a -> log"]


def test_an_acknowledged_alert_is_not_repeated_and_its_end_is_told() -> None:
    scene = Scene(rule("a", remind_s=60.0))
    assert scene.at(1, cpu=90.0) == ["fired a -> log"]
    scene.engine.silences = [silence(1000, scene.engine.firing[0].key, ack=True)]
    assert scene.at(100, cpu=90.0) == []
    assert scene.at(200, cpu=10.0) == ["ended a -> log"]


def test_nobody_acknowledges_so_others_are_told_once() -> None:
    scene = Scene(rule("a", escalate_s=900.0, escalate_to=("phone",)))
    assert scene.at(1, cpu=90.0) == ["fired a -> log"]
    assert scene.at(900, cpu=90.0) == []
    assert scene.at(901, cpu=90.0) == ["fired a -> phone"]
    assert scene.at(2000, cpu=90.0) == []
    quiet = Scene(rule("a", escalate_s=900.0, escalate_to=("phone",)))
    quiet.at(1, cpu=90.0)
    quiet.engine.silences = [silence(5000, quiet.engine.firing[0].key, ack=True)]
    assert quiet.at(1000, cpu=90.0) == []


def test_what_another_alert_explains_is_not_told_beside_it() -> None:
    scene = Scene(rule("a"))
    scene.cause = "pg"
    assert scene.at(1, cpu=90.0) == []
    assert scene.engine.firing[0].note == "because of pg"
    scene.cause = ""
    assert scene.at(2, cpu=90.0) == ["fired a -> log"]


def again(before: Scene, *rules: AlertRule) -> Scene:
    scene = Scene(*rules)
    scene.engine.restore(before.records.values())
    return scene


def test_an_agent_after_this_one_goes_on_and_tells_nothing_twice() -> None:
    scene = Scene(rule("a"), rule("slow", 'metric("wait") > 1s for 60s'))
    assert scene.at(0, cpu=90.0, wait=2.0) == ["fired a -> log"]
    later = again(scene, rule("a"), rule("slow", 'metric("wait") > 1s for 60s'))
    assert later.at(30, cpu=90.0, wait=2.0) == []
    assert later.at(60, cpu=90.0, wait=2.0) == ["fired slow -> log"]  # its time went on over the restart
    assert later.at(61, cpu=10.0, wait=2.0) == ["ended a -> log"]


def test_what_fired_and_was_not_told_yet_is_told_by_the_next_agent() -> None:
    scene = Scene(rule("a"), groups=AlertGroups(wait=10))
    assert scene.at(0, cpu=90.0) == []
    assert again(scene, rule("a")).at(5, cpu=90.0) == ["fired a -> log"]


def test_missing_numbers_are_one_alert_for_all_rules_that_wait_for_them() -> None:
    scene = Scene(*(rule(f"r{n}") for n in range(7)), rule("other", 'metric("wait") > 1s', tells_missing=False))
    missing = MissingData(scene.engine)
    told = []
    for at in range(0, 400, 20):
        told += scene.at(at)
        missing.judge(lambda metric: f"{metric}: no answer", scene.clock.monotonic())
    assert told == ["fired no_data -> log"]
    (one,) = scene.engine.firing
    assert one.rule.message == "no data for r0, r1, r2, r3, r4 and 2 more: cpu: no answer"
    scene.at(400, cpu=1.0, wait=0.0)
    missing.judge(lambda _: "", scene.clock.monotonic())
    assert scene.at(401, cpu=1.0, wait=0.0) == ["ended no_data -> log"]


def test_each_series_of_a_prometheus_is_an_alert_and_silence_ends_none() -> None:
    scene = Scene()
    up = AlertRule("up", "up == 0", None)
    for series, firing in (
        ([({"instance": "a"}, 0.0), ({"instance": "b"}, 0.0)], 2),
        (None, 2),
        ([({"instance": "b"}, 0.0)], 1),
        ([], 0),
    ):
        scene.engine.judge_series(up, series)
        assert len(scene.engine.firing) == firing


def test_matchers_name_labels_and_a_star_stands_for_anything() -> None:
    labels = {"alertname": "api_down", "severity": "critical"}
    assert matches(parse_matchers(["api_*"]), labels)
    assert matches(parse_matchers(["name=api_down", "severity=crit*"]), labels)
    assert matches(parse_matchers(["team!=ops"]), labels)
    assert not matches(parse_matchers(["api_*", "severity=warning"]), labels)
    for wrong in ([], ["=x"], ["a b=c"], ["name="]):
        with pytest.raises(UsageError):
            parse_matchers(wrong)


def test_labels_and_value_stand_in_the_text_of_a_rule_that_was_read_from_a_prometheus() -> None:
    scene = Scene()
    up = AlertRule("up", "up == 0", None, "$labels.instance is at $value ($labels.gone) of $labels")
    scene.engine.judge_series(up, [({"instance": "a"}, 0.5)])
    (one,) = scene.engine.firing
    labels = "alertname=up, severity=critical, instance=a"
    said = f"alert fires: a is at 0.5 () of {labels} [instance=a] (now 0.5)"
    assert alert_words(one, AlertEvent.FIRED) == said
