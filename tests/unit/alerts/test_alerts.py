"""When a rule fires, and ends, and that nothing ends on silence."""

from __future__ import annotations

from typing import Any

from switchover.alerts.alert_state import AlertEvent, AlertRule, AlertState, follow

FIRED, ENDED = AlertEvent.FIRED, AlertEvent.ENDED
Told = list[tuple[float, bool | None]]


def events(rule: AlertRule, told: Told) -> list[tuple[float, AlertEvent]]:
    state, found = AlertState(), []
    for now, truth in told:
        state, event = follow(rule, state, truth, now)
        if event is not None:
            found.append((now, event))
    return found


def rule(**keys: Any) -> AlertRule:
    return AlertRule("down", "api == CRIT", **keys)


def every(seconds: int, until: int, truth: bool | None = True, since: int = 0) -> Told:
    return [(float(t), truth) for t in range(since, until, seconds)]


def test_a_rule_fires_once_when_it_has_held_long_enough() -> None:
    assert events(rule(hold_s=120), every(10, 300)) == [(120.0, FIRED)]


def test_a_rule_without_a_time_fires_at_once_and_may_fire_again() -> None:
    told: Told = [(0.0, False), (1.0, True), (5.0, False), (9.0, True)]
    assert events(rule(), told) == [(1.0, FIRED), (5.0, ENDED), (9.0, FIRED)]


def test_a_short_recovery_starts_the_time_again() -> None:
    assert events(rule(hold_s=120), [(0.0, True), (100.0, True), (110.0, False), (120.0, True), (200.0, True)]) == []


def test_what_nobody_knows_neither_begins_nor_ends_an_alert() -> None:
    assert events(rule(), [(0.0, True), *every(60, 6000, None, 60)]) == [(0.0, FIRED)]
    assert events(rule(), every(60, 6000, None)) == []


def test_what_nobody_knows_does_not_shorten_the_time_that_a_rule_has_to_hold() -> None:
    assert events(rule(hold_s=120), [(0.0, True), (60.0, None), (119.0, None), (121.0, True)]) == [(121.0, FIRED)]


def test_an_alert_kept_firing_ends_only_after_a_quiet_time() -> None:
    told: Told = [(0.0, True), (10.0, False), (100.0, False), (110.0, True), (120.0, False), (239.0, False)]
    assert events(rule(keep_s=120), told) == [(0.0, FIRED)]
    assert events(rule(keep_s=120), [*told, (240.0, False)]) == [(0.0, FIRED), (240.0, ENDED)]


def test_one_that_comes_and_goes_is_held_until_it_is_calm() -> None:
    told: Told = [(float(t), t // 60 % 2 == 0) for t in range(0, 1200, 60)]
    found = events(rule(), told)
    assert len(found) <= 6  # then its end is not believed any more
    assert found[-1][1] is FIRED
    assert events(rule(), [*told, *every(60, 4000, False, 1200)])[-1][1] is ENDED


def test_missing_numbers_fire_only_where_the_rule_says_so() -> None:
    assert events(rule(fires_without_data=True), every(60, 600, None)) == [(300.0, FIRED)]
