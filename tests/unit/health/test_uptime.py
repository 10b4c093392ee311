from __future__ import annotations

import pytest

from switchover.health.uptime import SPANS, Uptime

NOON = 1_700_000_000.0 - 1_700_000_000.0 % 3600
HOUR, DAY, WEEK = SPANS


def test_nothing_is_known_of_what_nobody_looked_at() -> None:
    assert Uptime().shares(NOON) == (None, None, None)


def test_the_share_is_of_the_time_that_is_known() -> None:
    uptime = Uptime()
    uptime.add(NOON + 900, 600.0, fine=True)
    uptime.add(NOON + 1100, 200.0, fine=False)
    assert uptime.share(HOUR, NOON + 1100) == (0.75, 800.0)
    assert uptime.shares(NOON + 1100) == (0.75, 0.75, 0.75)


def test_what_is_older_than_the_span_no_longer_counts() -> None:
    uptime = Uptime()
    uptime.add(NOON, 60.0, fine=False)
    uptime.add(NOON + 2 * 3600, 60.0, fine=True)
    assert uptime.share(HOUR, NOON + 2 * 3600)[0] == 1.0
    assert uptime.share(DAY, NOON + 2 * 3600)[0] == pytest.approx(0.5)
    uptime.add(NOON + 2 * 86_400, 60.0, fine=True)
    assert uptime.share(DAY, NOON + 2 * 86_400)[0] == 1.0
    assert uptime.share(WEEK, NOON + 2 * 86_400)[0] == pytest.approx(2 / 3)
    assert uptime.share(WEEK, NOON + 9 * 86_400) == (None, 0.0)


def test_a_long_stretch_is_spread_over_the_time_that_it_took() -> None:
    uptime = Uptime()
    uptime.add(NOON, 12 * 3600.0, fine=False)
    uptime.add(NOON + 12 * 3600, 12 * 3600.0, fine=True)
    assert uptime.share(HOUR, NOON + 12 * 3600 - 1)[0] == 1.0
    assert uptime.share(DAY, NOON + 12 * 3600 - 1)[0] == pytest.approx(0.5, abs=0.01)


def test_many_short_stretches_lose_nothing_to_rounding() -> None:
    uptime = Uptime()
    for number in range(1000):
        uptime.add(NOON + 100 + 0.25 * number, 0.25, fine=True)
    assert uptime.share(HOUR, NOON + 400)[1] == pytest.approx(250.0, abs=0.2)


def test_a_clock_that_is_set_back_neither_fails_nor_counts_twice() -> None:
    uptime = Uptime()
    uptime.add(NOON, 60.0, fine=True)
    uptime.add(NOON - 7200, 60.0, fine=False)
    assert uptime.share(HOUR, NOON)[1] <= 120.0


def test_it_is_the_same_after_it_was_written_and_read() -> None:
    uptime = Uptime()
    uptime.add(NOON + 900, 600.0, fine=True)
    uptime.add(NOON + 1100, 200.0, fine=False)
    assert Uptime.from_bytes(uptime.to_bytes()).shares(NOON + 1100) == uptime.shares(NOON + 1100)
    assert len(uptime.to_bytes()) < 300


@pytest.mark.parametrize("data", [b"", b"x", Uptime().to_bytes()[:-9], b"\x78\x9c" + bytes(30)])
def test_what_is_no_uptime_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Uptime.from_bytes(data)
