from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchover.pricing.price_units import PricingError
from switchover.pricing.schedules import AVERAGE_MONTH_H, month_hours, parse_month, parse_schedule

PARIS = "Europe/Paris"
ZONES = (
    "UTC", PARIS, "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Kolkata",
    "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Asia/Tehran",
    "Atlantic/Azores", "America/Havana", "Europe/London", "Asia/Tokyo", "Africa/Cairo", "America/Santiago",
    "Antarctica/Troll",
)  # fmt: skip


def test_nights_and_weekends_are_counted_once_where_they_meet() -> None:
    nights, weekend, both = ["* 22:00-08:00"], ["sat-sun"], ["* 22:00-08:00", "sat-sun"]
    assert [parse_schedule(w, PARIS).stopped_h_week for w in (nights, weekend, both)] == [70, 48, 98]


def test_hours_of_an_average_month_are_exact() -> None:
    on, off = parse_schedule(["* 22:00-08:00", "sat-sun"], PARIS).hours(None)
    assert (on, on + off) == (Fraction(730 * 70, 168), AVERAGE_MONTH_H)
    assert round(float(parse_schedule(["sat-sun"], PARIS).hours(None)[1]), 2) == 208.57


def test_a_year_of_office_hours_in_paris_has_3654_hours() -> None:
    office = parse_schedule(["mon-fri 08:00-22:00"], PARIS, running=True)
    hours = [office.hours((2026, month))[0] for month in range(1, 13)]
    assert hours == [308, 280, 308, 308, 294, 308, 322, 294, 308, 308, 294, 322]
    assert sum(hours) == 3654


def test_a_month_is_as_long_as_its_clock_makes_it() -> None:
    assert [month_hours((2026, m), PARIS) for m in (3, 10)] == [743, 745]
    lord_howe = [month_hours((2026, m), "Australia/Lord_Howe") for m in (4, 10)]
    assert lord_howe == [Fraction(1441, 2), Fraction(1487, 2)]


def test_an_hour_that_comes_twice_counts_twice_and_one_that_is_left_out_not_at_all() -> None:
    sunday = parse_schedule(["sun 02:00-03:00"], PARIS)
    assert [sunday.hours((2026, m))[1] for m in (3, 10)] == [4, 5]
    nights = parse_schedule(["* 22:00-08:00"], PARIS)
    assert [nights.hours((2026, m))[1] for m in (3, 10)] == [309, 311]


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_minute = st.integers(0, 1439)


@st.composite
def windows(draw: st.DrawFn) -> list[str]:
    found = []
    for _ in range(draw(st.integers(1, 4))):
        a, b = draw(_minute), draw(_minute)
        times = "" if a == b else f" {a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}"
        found.append(f"{draw(st.sampled_from((*_DAYS, 'mon-fri', 'fri-mon', '*')))}{times}")
    return found


@settings(max_examples=60, deadline=None)
@given(windows(), st.sampled_from(ZONES), st.integers(2020, 2030), st.integers(1, 12))
def test_on_and_off_are_the_month_to_the_second_and_never_more_than_a_week_is_off(
    chosen: list[str], zone: str, year: int, month: int
) -> None:
    schedule = parse_schedule(chosen, zone)
    on, off = schedule.hours((year, month))
    place = ZoneInfo(zone)
    after = (year + month // 12, month % 12 + 1)
    begin, end = (datetime(*m, 1, tzinfo=place).astimezone(UTC) for m in ((year, month), after))
    assert on + off == Fraction(int((end - begin).total_seconds()), 3600) == month_hours((year, month), zone)
    assert 0 <= schedule.stopped_h_week <= 168
    assert parse_schedule(chosen, zone, running=True).hours((year, month)) == (off, on)


@settings(max_examples=12, deadline=None)
@given(windows(), st.sampled_from(ZONES), st.integers(1, 12))
def test_what_is_off_is_what_the_clock_on_the_wall_says(chosen: list[str], zone: str, month: int) -> None:
    schedule, place = parse_schedule(chosen, zone), ZoneInfo(zone)
    at, off = datetime(2026, month, 1, tzinfo=place).astimezone(UTC), 0
    end = datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=place).astimezone(UTC)
    while at < end:
        local = at.astimezone(place)
        second = local.weekday() * 86_400 + local.hour * 3600 + local.minute * 60
        off += any(a <= second < b for a, b in schedule.stopped)
        at += timedelta(minutes=1)
    assert schedule.hours((2026, month))[1] == Fraction(off, 60)


@pytest.mark.parametrize("text", ["* 25:00-08:00", "* 24:30-25:00", "* 22:00", "someday", "sat 8-9", "mon 24:00-02:00"])
def test_a_window_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(PricingError):
        parse_schedule([text], PARIS)


@pytest.mark.parametrize("text", ["2026-13", "2026", "26-01", "2026-1", "march"])
def test_a_month_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PricingError):
        parse_month(text)
