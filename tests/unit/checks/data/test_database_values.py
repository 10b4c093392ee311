"""Dates, times and intervals: equal where they are equal, different where they only look alike."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from switchover_checks.data.database_values import day_of, hour_of, interval_of, moment_of


@pytest.mark.parametrize(
    "same",
    [
        ("1 mon", "P1M", "1 month", "@ 1 mon", "0-1", "P0Y1M", "+1 mons"),
        ("1 year", "12 mons", "P1Y", "1-0", "P12M", "1 yr"),
        ("30 days", "P30D", "@ 30 days", timedelta(days=30), "30 d"),
        ("1 day -02:00:00", "P1DT-2H", "1 -2:00:00", "@ 1 day -2 hours", "1 day -2 hours"),
        ("1 year 2 mons 3 days 04:05:06.7", "P1Y2M3DT4H5M6.7S", "1-2 3 4:05:06.7",
         "@ 1 year 2 mons 3 days 4 hours 5 mins 6.7 secs", "1 year 2 months 3 days 4 hours 5 minutes 6.7 seconds"),
        ("-1 mons", "@ 1 mon ago", "-0-1", "P-1M", "-P1M"),
        ("00:00:00", "PT0S", "P0D", "0 days", "@ 0"),
        ("14 days", "P2W", "2 weeks"),
        ("36:00:00", "PT36H", "36 hours", "PT36H0M", "PT35.5H30M"),
        ("1 day 12:00:00", "1.5 days", "P1.5D", timedelta(hours=36)),
        ("00:00:00.000001", "PT0.000001S", "1 microsecond"),
        ("infinity", "Infinity", "+infinity"),
    ],
)  # fmt: skip
def test_an_interval_is_the_same_in_every_style(same: tuple[Any, ...]) -> None:
    assert len({interval_of(value) for value in same}) == 1, [interval_of(v) for v in same]


@pytest.mark.parametrize(
    "values",
    [
        ("1 mon", "30 days", "PT720H"),
        ("1 year", "365 days", "P1Y1D"),
        ("1 day", "24:00:00"),
        ("infinity", "-infinity", "178000000 years"),
        ("PT1M", "P1M"),
        ("00:00:00.000001", "00:00:00.000002"),
    ],
)
def test_intervals_that_only_look_alike_differ(values: tuple[Any, ...]) -> None:
    assert len({interval_of(value) for value in values}) == len(values)


@pytest.mark.parametrize("value", ["", "P", "PT", "soon", "3 fortnights", "1:2:3:4", None, b"x", 7, "P1Y2"])
def test_what_is_no_interval_stays_as_it_is(value: Any) -> None:
    assert interval_of(value) == value


@pytest.mark.parametrize(
    ("values", "one"),
    [
        (("infinity", "Infinity", "inf", float("inf")), "infinity"),
        (("-infinity", "-inf", float("-inf")), "-infinity"),
        (("2026-01-01 10:00:00", "2026-01-01T10:00:00Z", "2026-01-01 11:00:00+01", 1767261600),
         datetime(2026, 1, 1, 10, tzinfo=UTC)),
        (("10000-01-01 00:00:00+00", "10000-01-01T00:00:00Z", "10000-01-01"), "10000-01-01 00:00:00"),
        (("0044-03-15 10:00:00.500 BC", "0044-03-15T10:00:00.5 BC"), "0044-03-15 BC 10:00:00.5"),
        (("0000-00-00",), "0000-00-00 00:00:00"),
        (("never",), "never"),
    ],
)  # fmt: skip
def test_a_moment_is_the_same_however_it_is_written(values: tuple[Any, ...], one: Any) -> None:
    assert [moment_of(value) for value in values] == [one] * len(values)


def test_a_day_may_be_endless_or_far() -> None:
    assert day_of("-infinity") == day_of(float("-inf")) == "-infinity"
    assert (
        day_of("2026-01-01")
        == day_of("2026-01-01T00:00:00")
        == day_of(datetime(2026, 1, 1, tzinfo=UTC))
        == date(2026, 1, 1)
    )
    assert day_of("12026-01-01") == "12026-01-01" != day_of("2026-01-01")
    assert day_of("0044-03-15 BC") != day_of("0044-03-15")


def test_the_end_of_a_day_is_not_its_beginning() -> None:
    assert hour_of("24:00") == hour_of("24:00:00") == hour_of("24:00:00.000") != hour_of("00:00:00")
    assert hour_of("08:30") == hour_of("8:30:00.0")
    assert hour_of("10:00:00+02") == hour_of("10:00:00+02:00") == hour_of("10:00+0200") != hour_of("10:00:00")
    assert hour_of("10:00:00Z") == hour_of("10:00:00+00") == hour_of("10:00:00-00:00")
    assert hour_of("noon") == "noon"


def test_the_parts_of_an_interval_stay_apart() -> None:
    assert interval_of("1 mon") == "1 months 0 days 0 us"
    assert interval_of("1.5 mons") == "1 months 15 days 0 us"
    assert interval_of("-1 days +02:00:00") == "0 months -1 days 7200000000 us"
