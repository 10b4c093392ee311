from __future__ import annotations

import pytest

from switchover.health.check_failures import KEPT_FAILURES
from switchover.health.check_state import CheckState, Rule, advance, stand
from switchover_checks.api import Finding, Result, Status

RULE = Rule(stale_after_s=1e6)
EVERY_S = 60.0


def result(status: Status, said: str = "") -> Result:
    finding = Finding("disk", "room", said or status.label, status)
    return Result.of([finding], evidence={"stderr": said} if said else {})


def after(*statuses: Status, rule: Rule = RULE) -> tuple[CheckState, float]:
    state, mono = CheckState(), 0.0
    for number, status in enumerate(statuses):
        mono = EVERY_S * number
        state = advance(state, result(status), rule, at=1e9 + mono, mono=mono)
    return state, mono


OK, CRIT, WARN, UNKNOWN, SKIPPED = Status.OK, Status.CRIT, Status.WARN, Status.UNKNOWN, Status.SKIPPED


def test_six_changes_within_half_an_hour_are_unsteady_and_held_at_what_was_bad() -> None:
    state, mono = after(OK, CRIT, OK, CRIT, OK, CRIT, OK)
    stands = stand(state, RULE, mono=mono)
    assert (stands.status, stands.changes) == (CRIT, 6)
    assert stands.summary.startswith("unsteady, 6 changes in 30 m; now ok: ")


def test_five_changes_are_not_too_many() -> None:
    state, mono = after(OK, CRIT, OK, CRIT, OK, CRIT)
    assert stand(state, RULE, mono=mono).changes == 0


def test_what_is_steady_for_long_enough_is_fine_again() -> None:
    state, mono = after(OK, CRIT, OK, CRIT, OK, CRIT, OK)
    assert stand(state, RULE, mono=mono + 1500).status is CRIT
    assert stand(state, RULE, mono=mono + 1800).status is OK


def test_a_worse_status_counts_at_once_though_it_is_unsteady() -> None:
    state, mono = after(OK, WARN, OK, WARN, OK, WARN, OK, CRIT)
    assert stand(state, RULE, mono=mono).status is CRIT


@pytest.mark.parametrize("between", [SKIPPED, WARN, UNKNOWN])
def test_only_becoming_fine_or_not_fine_is_a_change(between: Status) -> None:
    state, mono = after(CRIT, between, CRIT, between, CRIT, between, CRIT, between, CRIT)
    assert stand(state, RULE, mono=mono).changes == 0


def test_what_does_not_count_yet_is_no_change() -> None:
    rule = Rule(fail_after=2, stale_after_s=1e6)
    state, mono = after(*[OK, CRIT] * 10, OK, rule=rule)
    assert stand(state, rule, mono=mono).status is OK


def test_an_old_result_is_unknown_also_where_it_was_unsteady() -> None:
    rule = Rule(stale_after_s=100.0)
    state, mono = after(OK, CRIT, OK, CRIT, OK, CRIT, OK, rule=rule)
    assert stand(state, rule, mono=mono + 101).stale


def test_each_failure_is_kept_once_with_its_first_result_in_full() -> None:
    state = CheckState()
    for number, (status, said) in enumerate(
        [(CRIT, "full"), (CRIT, "still full"), (OK, ""), (CRIT, "again"), (WARN, "w")]
    ):
        state = advance(state, result(status, said), RULE, at=100.0 + number, mono=number)
    newest, before, first = state.failures_kept
    assert (newest.status, newest.over, newest.evidence) == ("warn", False, (("stderr", "w"),))
    assert (before.status, before.over, before.times) == ("crit", True, 1)
    assert (first.at, first.until, first.times, first.over) == (100.0, 101.0, 2, True)
    assert first.findings[0].observed == "full"


def test_no_more_than_the_newest_failures_are_kept() -> None:
    state, _ = after(*[CRIT, OK] * (KEPT_FAILURES + 3))
    assert len(state.failures_kept) == KEPT_FAILURES


def test_what_was_skipped_neither_ends_nor_makes_a_failure() -> None:
    state, _ = after(CRIT, SKIPPED, CRIT)
    (one,) = state.failures_kept
    assert (one.times, one.over) == (2, False)
