"""What was told by an agent before this one is told by the next one neither again nor too little."""

from __future__ import annotations

import math

from tests.unit.alerts.test_alert_engine import Scene, again, rule

from switchover.alerts.alert_state import AlertRule
from switchover.alerts.rules.missing_data import MissingData

POD = {"instance": "a:1", "pod": "x,y"}
UP = AlertRule("up", "up == 0", None)


def asked(scene: Scene, at: float, *series: dict[str, str], answered: bool = True) -> list[str]:
    scene.clock.advance(1000.0 + at - scene.clock.mono)
    scene.engine.judge_series(UP, [(one, math.nan) for one in series] if answered else None)
    return scene.at(at)


def test_a_series_of_a_prometheus_that_goes_on_is_not_told_again() -> None:
    scene = Scene()
    assert asked(scene, 0, POD) == ["fired up -> log"]
    later = again(scene)
    assert asked(later, 30, answered=False) == []
    assert asked(later, 60, POD) == []
    assert later.engine.firing[0].fired_at == scene.engine.firing[0].fired_at
    assert asked(later, 90) == ["ended up -> log"]
    assert later.records == {}


def test_a_series_that_ended_while_no_agent_ran_is_told_as_over() -> None:
    scene = Scene()
    assert asked(scene, 0, POD) == ["fired up -> log"]
    later = again(scene)
    before = scene.engine.firing[0]
    later.clock.advance(60)
    later.engine.judge_series(UP, [])
    (tell,) = later.engine.to_tell(lambda _: "")
    (one,) = tell.alerts
    assert (one.firing_key, one.labels) == (before.firing_key, before.labels)


def test_who_was_called_in_by_one_agent_is_not_called_in_by_the_next() -> None:
    made = rule("a", escalate_s=900.0, escalate_to=("phone",))
    scene = Scene(made)
    assert scene.at(1, cpu=90.0) == ["fired a -> log"]
    assert again(scene, made).at(901, cpu=90.0) == ["fired a -> phone"]
    assert scene.at(901, cpu=90.0) == ["fired a -> phone"]
    assert again(scene, made).at(1000, cpu=90.0) == []


def test_a_reason_that_names_other_numbers_each_time_is_told_once() -> None:
    scene = Scene(rule("a"))
    missing = MissingData(scene.engine)
    told = []
    for at in range(0, 600, 20):
        told += scene.at(at)
        missing.judge(lambda _, at=at: f"it answered 503 after {at} ms", scene.clock.monotonic())  # type: ignore[misc]
    assert told == ["fired no_data -> log"]
