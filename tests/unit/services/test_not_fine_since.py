from __future__ import annotations

from dataclasses import replace

from switchover.services.not_fine_since import FINE, Wrong, wrong_after
from switchover.services.provider_api import Observation, ProcessState
from switchover_checks.api import Status

FINE_NOW = Observation(ProcessState.RUNNING, Status.OK)
SICK = Observation(ProcessState.RUNNING, Status.CRIT, "unhealthy")
WAITS = Observation(ProcessState.STOPPED, Status.CRIT, "restarting, exit 1, 4 times", restarts=4)
UP_AGAIN = Observation(ProcessState.RUNNING, Status.WARN, "restarted 4 times", restarts=4)
SETTLING = Observation(ProcessState.RUNNING, Status.OK, restarts=4)


def after(*looks: tuple[float, Observation]) -> Wrong:
    wrong = FINE
    for number, (at, seen) in enumerate(looks):
        wrong = wrong_after(wrong, seen, at, first=number == 0)
    return wrong


def test_what_was_wrong_when_it_was_seen_first_may_have_been_so_before() -> None:
    assert after((100, SICK)) == Wrong(100, or_before=True)
    assert after((100, FINE_NOW), (110, SICK)) == Wrong(110)


def test_what_the_source_knows_of_the_past_counts_also_when_it_is_told_later() -> None:
    assert after((100, replace(SICK, since=40.0))) == Wrong(40)
    assert after((100, SICK), (101, replace(SICK, since=40.0))) == Wrong(40)
    assert after((100, SICK), (101, replace(SICK, since=40.0, since_or_before=True))) == Wrong(40, or_before=True)
    assert after((100, replace(SICK, since=900.0))) == Wrong(100)  # its clock is ahead


def test_a_source_that_forgets_does_not_move_the_begin() -> None:
    bound = [(100.0 + n, replace(SICK, since=90.0 + n, since_or_before=True)) for n in range(5)]
    assert after(*bound) == Wrong(90, or_before=True)


def test_a_crash_loop_began_with_its_first_fall() -> None:
    fell = replace(WAITS, since=100.0, restarts=0)
    looks = [
        (99.0, FINE_NOW),
        (100.0, fell),
        (101.0, UP_AGAIN),
        (111.0, SETTLING),
        (115.0, replace(WAITS, since=115.0)),
    ]
    assert after(*looks) == Wrong(100)


def test_what_has_been_well_for_a_while_fails_anew() -> None:
    assert after((1, FINE_NOW), (100, WAITS), (110, SETTLING), (171, WAITS)) == Wrong(171)
    assert after((1, FINE_NOW), (100, SICK), (110, FINE_NOW), (115, SICK)) == Wrong(115)
    assert after((1, FINE_NOW), (100, WAITS), (110, SETTLING), (180, SETTLING)) == FINE
