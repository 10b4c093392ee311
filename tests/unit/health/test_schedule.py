from __future__ import annotations

from collections import Counter
from itertools import pairwise

from switchover.health.schedule import Schedule


def beats(schedule: Schedule[str], until: float, now: float = 0.0) -> list[tuple[float, str]]:
    found = []
    while (wait := schedule.wait(now)) is not None and now + wait <= until:
        now += wait
        found += [(now, key) for key in schedule.due(now)]
    return found


def test_everything_is_looked_at_within_two_seconds_of_the_start() -> None:
    schedule: Schedule[str] = Schedule()
    for index in range(500):
        schedule.add(f"c{index}", 15.0, 0.0)
    assert {key for _, key in beats(schedule, 2.0)} == {f"c{index}" for index in range(500)}


def test_things_of_one_period_do_not_come_as_a_herd() -> None:
    schedule: Schedule[str] = Schedule()
    for index in range(500):
        schedule.add(f"c{index}", 15.0, 0.0)
    later = [at for at, _ in beats(schedule, 120.0) if at > 60.0]
    in_a_second = Counter(int(at) for at in later)
    assert max(in_a_second.values()) <= 100  # 33 would be perfectly even, 500 a herd


def test_each_comes_again_after_its_period() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("fast", 2.0, 0.0)
    schedule.add("slow", 10.0, 0.0)
    found = beats(schedule, 100.0)
    fast = [at for at, key in found if key == "fast"]
    slow = [at for at, key in found if key == "slow"]
    assert (len(fast), len(slow)) == (51, 11)
    assert all(abs((b - a) - 2.0) < 1e-6 for a, b in pairwise(fast[1:]))
    assert all(abs((b - a) - 10.0) < 1e-6 for a, b in pairwise(slow[1:]))


def test_beats_missed_while_the_machine_slept_are_left_out() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("check", 1.0, 0.0)
    schedule.due(0.0)
    assert schedule.due(3600.0) == ["check"]
    assert schedule.due(3600.0) == []
    assert schedule.wait(3600.0) == 1.0


def test_something_can_be_asked_for_sooner_but_not_later() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("check", 60.0, 0.0)
    assert schedule.due(0.0) == ["check"]
    schedule.soon("check", 5.0)
    schedule.soon("check", 30.0)
    schedule.soon("unheard of", 1.0)
    assert schedule.due(4.0) == []
    assert schedule.due(5.0) == ["check"]


def test_an_empty_schedule_waits_for_nothing() -> None:
    assert Schedule[str]().wait(0.0) is None
