from __future__ import annotations

import pytest
from tests.unit.health.health_fakes import result

from switchover.health.check_state import HISTORY_LENGTH, CheckState, Rule, advance, stand
from switchover_checks.api import Status

OK, WARN, CRIT, UNKNOWN, SKIPPED, PENDING = Status


def follow(
    statuses: list[Status], rule: Rule, start: CheckState | None = None, *, at: float = 100.0, step: float = 1.0
) -> CheckState:
    state = start or CheckState()
    for index, status in enumerate(statuses):
        moment = at + step * index
        state = advance(state, result(status), rule, at=moment, mono=moment)
    return state


def test_a_check_that_was_never_looked_at_is_pending() -> None:
    assert stand(CheckState(), Rule(), mono=1.0).status is PENDING


@pytest.mark.parametrize("first", [OK, WARN, CRIT, UNKNOWN])
def test_the_first_result_counts_at_once(first: Status) -> None:
    assert follow([first], Rule(fail_after=3, ok_after=3)).status is first


@pytest.mark.parametrize("bad", [WARN, CRIT, UNKNOWN])
def test_a_green_check_turns_bad_only_after_fail_after_results_in_a_row(bad: Status) -> None:
    rule = Rule(fail_after=3)
    assert follow([OK, bad, bad], rule).status is OK
    assert follow([OK, bad, bad, bad], rule).status is bad


def test_failures_that_do_not_count_yet_are_told() -> None:
    state = follow([OK, CRIT, CRIT], Rule(fail_after=3))
    assert state.pending_failures == 2
    assert follow([OK, CRIT, CRIT, CRIT], Rule(fail_after=3)).pending_failures == 0
    assert "2 of 3 before it counts" in stand(state, Rule(fail_after=3), mono=102.0).summary


def test_a_good_result_in_between_starts_the_count_again() -> None:
    assert follow([OK, CRIT, CRIT, OK, CRIT, CRIT], Rule(fail_after=3)).status is OK


def test_a_bad_check_recovers_only_after_ok_after_results_in_a_row() -> None:
    rule = Rule(ok_after=2)
    recovering = follow([CRIT, OK], rule)
    assert recovering.status is CRIT
    assert stand(recovering, rule, mono=101.0).summary == "recovering, 1 of 2 good in a row"
    assert follow([CRIT, OK, CRIT, OK], rule).status is CRIT
    assert follow([CRIT, OK, OK], rule).status is OK


def test_a_bad_check_changes_between_bad_statuses_at_once() -> None:
    rule = Rule(fail_after=5)
    assert follow([CRIT, WARN], rule).status is WARN
    assert follow([WARN, UNKNOWN], rule).status is UNKNOWN


def test_a_skipped_check_is_never_green_and_its_next_result_counts_at_once() -> None:
    rule = Rule(fail_after=3, ok_after=3)
    assert follow([OK, SKIPPED], rule).status is SKIPPED
    assert follow([OK, SKIPPED, CRIT], rule).status is CRIT
    assert follow([CRIT, SKIPPED, OK], rule).status is OK


def test_a_result_older_than_allowed_is_unknown_and_never_the_last_green() -> None:
    rule = Rule(stale_after_s=40.0)
    state = follow([OK], rule, at=100.0)
    assert stand(state, rule, mono=140.0).status is OK
    late = stand(state, rule, mono=140.1, clock_text="14:59:08")
    assert (late.status, late.summary, late.stale) == (UNKNOWN, "no result since 14:59:08", True)


def test_after_a_gap_the_old_green_defends_nothing() -> None:
    rule = Rule(fail_after=3, stale_after_s=40.0)
    state = follow([OK], rule, at=100.0)
    assert advance(state, result(CRIT), rule, at=200.0, mono=200.0).status is CRIT


def test_the_time_of_a_change_is_that_of_the_result_that_made_it() -> None:
    rule = Rule(fail_after=2)
    state = follow([OK, CRIT, CRIT, CRIT], rule, at=100.0)
    assert (state.changed_at, state.last_ok_at, state.observed_at) == (102.0, 100.0, 103.0)


def test_the_history_keeps_the_newest_results_as_they_were_observed() -> None:
    state = follow([OK, CRIT, OK], Rule(fail_after=3))
    assert state.history == (0, 2, 0)
    long = follow([WARN] * 5 + [OK] * HISTORY_LENGTH, Rule())
    assert long.history == (0,) * HISTORY_LENGTH


def test_what_is_wrong_has_been_so_since_the_first_bad_result_however_bad_the_others_were() -> None:
    state = follow([OK, CRIT, CRIT, CRIT, WARN, CRIT, OK, CRIT], Rule(fail_after=3, ok_after=2))
    assert (state.status, state.wrong_since, state.or_before) == (CRIT, 101.0, False)
    state = follow([OK, OK], Rule(fail_after=3, ok_after=2), state, at=200.0)
    assert (state.status, state.wrong_since) == (OK, None)


def test_what_is_wrong_at_the_first_look_may_have_been_so_before() -> None:
    assert follow([CRIT, CRIT], Rule()).wrong_since == 100.0
    assert follow([CRIT, CRIT], Rule()).or_before
    assert follow([SKIPPED, CRIT], Rule()).or_before
    assert not follow([OK, CRIT], Rule()).or_before
