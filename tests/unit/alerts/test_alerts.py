from __future__ import annotations

from switchover.alerts.alert_state import AlertEvent, AlertRule, AlertState, follow
from switchover.plan.conditions import parse_condition
from switchover_checks.api import Status

OK, WARN, CRIT, UNKNOWN, SKIPPED, PENDING = Status


def events(rule: AlertRule, told: list[tuple[float, Status | None]]) -> list[tuple[float, AlertEvent]]:
    state = AlertState()
    found = []
    for now, status in told:
        state, event = follow(rule, state, status, now)
        if event is not None:
            found.append((now, event))
    return found


def rule(when: str, remind: float | None = None) -> AlertRule:
    return AlertRule("down", when, parse_condition(when), remind_s=remind)


def test_a_rule_fires_once_when_its_condition_has_held_long_enough() -> None:
    told = [(float(t), CRIT) for t in range(0, 200, 10)]
    assert events(rule("api == CRIT for 2m"), [(0.0, OK), *told]) == [(120.0, AlertEvent.FIRED)]


def test_a_rule_without_a_time_fires_at_once() -> None:
    assert events(rule("api == CRIT"), [(0.0, OK), (1.0, CRIT)]) == [(1.0, AlertEvent.FIRED)]


def test_a_short_recovery_starts_the_time_again() -> None:
    told = [(0.0, CRIT), (100.0, CRIT), (110.0, OK), (120.0, CRIT), (200.0, CRIT)]
    assert events(rule("api == CRIT for 2m"), [*told]) == []


def test_it_ends_when_the_condition_no_longer_holds_and_may_fire_again() -> None:
    assert events(rule("api == CRIT"), [(0.0, CRIT), (5.0, OK), (9.0, CRIT)]) == [
        (0.0, AlertEvent.FIRED),
        (5.0, AlertEvent.ENDED),
        (9.0, AlertEvent.FIRED),
    ]


def test_it_reminds_in_its_rhythm_for_as_long_as_it_lasts() -> None:
    told: list[tuple[float, Status | None]] = [(float(t), CRIT) for t in range(0, 1500, 60)]
    assert events(rule("api == CRIT", 600), told) == [
        (0.0, AlertEvent.FIRED),
        (600.0, AlertEvent.REMINDED),
        (1200.0, AlertEvent.REMINDED),
    ]


def test_without_remind_it_tells_once() -> None:
    assert len(events(rule("api == CRIT"), [(float(t), CRIT) for t in range(0, 10_000, 60)])) == 1


def test_a_check_that_is_skipped_ends_no_alert() -> None:
    assert events(rule("api == CRIT"), [(0.0, CRIT), (1.0, SKIPPED), (2.0, PENDING), (3.0, CRIT)]) == [
        (0.0, AlertEvent.FIRED)
    ]


def test_a_check_that_is_no_longer_watched_ends_its_alert() -> None:
    told: list[tuple[float, Status | None]] = [(0.0, CRIT), (1.0, None)]
    assert events(rule("api == CRIT"), told) == [(0.0, AlertEvent.FIRED), (1.0, AlertEvent.ENDED)]


def test_not_ok_holds_for_everything_bad_but_not_for_what_was_never_looked_at() -> None:
    unhappy = rule("running[pg] != OK")
    for status in (WARN, CRIT, UNKNOWN, SKIPPED):
        assert events(unhappy, [(0.0, status)]) == [(0.0, AlertEvent.FIRED)]
    for harmless in (OK, PENDING, None):
        assert events(unhappy, [(0.0, harmless)]) == []
