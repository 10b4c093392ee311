from __future__ import annotations

from tests.unit.health.health_fakes import StillClock

from switchover.hub.core.throttle import Throttle


def test_a_few_urgent_pieces_of_news_follow_each_other_at_once() -> None:
    pace = Throttle(StillClock())
    assert max(pace.pause(publish_now=True) for _ in range(4)) <= 0.01


def test_a_storm_of_urgent_news_comes_down_to_twenty_a_second() -> None:
    clock = StillClock()
    pace = Throttle(clock)
    began, count = clock.monotonic(), 0
    while clock.monotonic() - began < 10:
        clock.advance(pace.pause(publish_now=True))
        count += 1
    assert 190 <= count <= 220


def test_after_a_quiet_while_news_is_published_at_once_again() -> None:
    clock = StillClock()
    pace = Throttle(clock)
    while pace.pause(publish_now=True) < 0.05:
        pass
    clock.advance(1.0)
    assert pace.pause(publish_now=True) <= 0.01
