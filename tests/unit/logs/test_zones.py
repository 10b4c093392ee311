"""A time counts in the zone that stands with it, however that is written; without one it is this host's own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from switchover.logs.reading.log_times import Times, parse_iso

NOON = 1782900000.0  # 2026-07-01T10:00:00Z


@pytest.fixture
def zone() -> Iterator[Callable[[str], None]]:
    """Put this process into another zone for one test."""
    before = os.environ.get("TZ")

    def move(name: str) -> None:
        os.environ["TZ"] = name
        time.tzset()

    yield move
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize("home", ["Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "text",
    [
        "2026-07-01 10:00:00.000 UTC [7] LOG:  a",
        "2026-07-01 10:00:00.000 GMT [7] LOG:  a",
        "2026-07-01 10:00:00.000 utc [7] LOG:  a",
        "2026-07-01 10:00:00+00 [7] LOG:  a",
        "2026-07-01 10:00:00 +00 [7] LOG:  a",
        "2026-07-01 05:00:00 -05 [7] LOG:  a",
        "2026-07-01 07:00:00 -03 [7] LOG:  a",
        "2026-07-01 07:00:00 -0300 [7] LOG:  a",
        "2026-07-01 07:00:00.000-03:00 [7] LOG:  a",
        "2026-07-01 15:30:00 +0530 [7] LOG:  a",
        "2026-07-01 15:45:00 +0545 [7] LOG:  a",
        "2026-07-01T10:00:00z a",
        "2026-07-01t10:00:00.000z a",
        "2026-07-01T10:00:00Z",
        "2026-07-01 12:00:00.000 CEST [7] LOG:  a",
        "2026-07-01 11:00:00 CET, whoever writes so in summer",
        "2026-07-01 06:00:00 EDT a",
        "2026-07-01 03:00:00,000 PDT - a",
        "2026-07-01 13:00:00 MSK: a",
        "2026-07-01 19:00:00 JST a",
        "[2026-07-01 10:00:00 UTC] a",
        "2026-07-01 10:00:00 (UTC) a",
        "2026-07-01T12:00:00.000 GMT+2 a",
        "2026-07-01T12:00:00.000 UTC+02:00 a",
        "2026-07-01 12:00:00 Europe/Berlin a",
        "[01-Jul-2026 10:00:00 UTC] PHP Warning:  a",
        "[01-Jul-2026 12:00:00 Europe/Berlin] PHP Warning:  a",
        "Wed, 01 Jul 2026 10:00:00 GMT a",
        "Wed Jul  1 12:00:00 CEST 2026 backup begins",
        "Wed  1 Jul 12:00:00 CEST 2026 backup begins",
        "Jul  1 2026 10:00:00 UTC: %SYS-5-CONFIG_I a",
        "<34>1 2026-07-01T10:00:00.000Z web app - - a",
        '1.2.3.4 - - [01/Jul/2026:12:00:00 +0200] "GET /" 200 1',
        '{"time":"2026-07-01 10:00:00 GMT","msg":"a"}',
        '{"t":{"$date":"2026-07-01T12:00:00.000+02:00"},"s":"I"}',
        'level=info ts=2026-07-01T10:00:00.000000Z msg="a"',
    ],
)
def test_the_zone_that_is_written_counts_wherever_this_host_is(
    text: str, home: str, zone: Callable[[str], None]
) -> None:
    zone(home)
    assert Times().read(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-01 12:00:00 a",
        "2026-07-01 12:00:00 INFO a",
        "2026-07-01 12:00:00 -12.5 dB",
        "2026-07-01 12:00:00 - app - a",
        "2026-07-01 12:00:00 +10% of all",
        "2026-07-01 12:00:00-123456 a number",
        "2026-07-01 12:00:00 No/Where a",
        "1:M 01 Jul 2026 12:00:00.000 * Ready to accept connections",
        "[Wed Jul 01 12:00:00.000000 2026] [core:notice] a",
        '1.2.3.4:80 [01/Jul/2026:12:00:00.000] web "GET /"',
    ],
)
def test_without_a_zone_a_time_is_of_this_host(text: str, zone: Callable[[str], None]) -> None:
    zone("Europe/Berlin")
    assert Times().read(text) == NOON


def test_a_word_of_two_countries_means_this_host_where_it_has_it(zone: Callable[[str], None]) -> None:
    text = "2026-07-01 18:00:00 CST a"
    zone("Asia/Shanghai")
    assert Times().read(text) == NOON
    zone("Europe/Berlin")
    assert Times().read(text) == NOON + 14 * 3600


def test_many_lines_of_one_second_have_their_own_zones() -> None:
    lines = [
        ("2026-07-01 10:00:00.1 UTC a", 0.1),
        ("2026-07-01 10:00:00.2 UTC a", 0.2),
        ("2026-07-01 10:00:00.3+00 a", 0.3),
        ("2026-07-01 10:00:00.4+0030 a", 0.4 - 1800),
        ("2026-07-01 10:00:00.5+00 a", 0.5),
        ("2026-07-01 10:00:00.6+00:30 a", 0.6 - 1800),
        ("2026-07-01 10:00:00.7 UTC+1 a", 0.7 - 3600),
        ("2026-07-01 10:00:00.8 CET a", 0.8 - 3600),
        ("2026-07-01 10:00:00.9z", 0.9),
    ]
    times = Times()
    assert [times.read(text) for text, _ in lines] == pytest.approx([NOON + after for _, after in lines], abs=1e-5)


def test_the_hour_that_a_clock_shows_twice_goes_on_and_not_back(zone: Callable[[str], None]) -> None:
    zone("Europe/Berlin")
    first = 1792886400.0  # 2026-10-25T00:00:00Z: the clock shows 02:00, and an hour later once more
    times = Times()
    clock = [f"02:{minute:02}:00" for minute in range(0, 60, 10)]
    read = [times.read(f"2026-10-25 {at} a") for at in [*clock, *clock, "03:00:00"]]
    assert read == [first + 600 * n for n in range(13)]


def test_a_log_that_is_read_from_within_the_second_hour_is_of_now(zone: Callable[[str], None]) -> None:
    zone("Europe/Berlin")
    second = 1792890000.0
    assert Times(lambda: second + 1900).read("2026-10-25 02:31:00 a") == second + 1860
    assert Times(lambda: second - 1700).read("2026-10-25 02:31:00 a") == second - 1740


def test_a_time_of_a_reply_is_read_in_its_zone(zone: Callable[[str], None]) -> None:
    zone("Asia/Tokyo")
    assert parse_iso("2026-07-01T12:00:00.5+02:00") == NOON + 0.5
    assert parse_iso("2026-07-01 10:00:00 UTC") == NOON
    assert parse_iso("yesterday") is None
