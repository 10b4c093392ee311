from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from switchover.health.calendar_file import CalendarError, spans_in

PARIS = ZoneInfo("Europe/Paris")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def calendar(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:a", *lines, "END:VEVENT", "END:VCALENDAR"]).encode()


def spans(data: bytes, since: str, until: str) -> list[str]:
    found = spans_in(data, at(since), at(until))
    return [
        f"{datetime.fromtimestamp(a, PARIS):%m-%d %H:%M}-{datetime.fromtimestamp(b, PARIS):%H:%M}" for a, b in found
    ]


START = "DTSTART;TZID=Europe/Paris:20260301T020000"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("DTEND;TZID=Europe/Paris:20260301T040000",), ["03-01 02:00-04:00"]),
        (("DURATION:PT1H30M",), ["03-01 02:00-03:30"]),
        (("DTEND:20260301T030000Z",), ["03-01 02:00-04:00"]),
        (("DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=SU"), ["03-01 02:00-03:00", "03-08 02:00-03:00"]),
        (("DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"), ["03-01 02:00-03:00", "03-02 02:00-03:00"]),
        (("DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20260302"), ["03-01 02:00-03:00", "03-02 02:00-03:00"]),
        (
            ("DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Paris:20260302T020000"),
            ["03-01 02:00-03:00", "03-03 02:00-03:00"],
        ),
        (("DURATION:PT1H", "RDATE;TZID=Europe/Paris:20260305T120000"), ["03-01 02:00-03:00", "03-05 12:00-13:00"]),
        (("DURATION:PT1H", "STATUS:CANCELLED"), []),
        (("DURATION:PT0S",), []),
        (("DURATION:PT1H", "BEGIN:VALARM", "TRIGGER:-PT15M", "DURATION:PT9H", "END:VALARM"), ["03-01 02:00-03:00"]),
        (("DURATION:PT", " 1H"), ["03-01 02:00-03:00"]),
    ],
)
def test_events_come_when_calendars_say(lines: tuple[str, ...], expected: list[str]) -> None:
    assert spans(calendar(START, *lines), "2026-02-28T00:00", "2026-03-09T00:00") == expected


def test_it_keeps_to_the_clock_on_the_wall_where_summer_begins() -> None:
    data = calendar("DTSTART;TZID=Europe/Paris:20260328T120000", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    assert spans(data, "2026-03-28T00:00", "2026-03-30T00:00") == ["03-28 12:00-13:00", "03-29 12:00-13:00"]


def test_one_that_was_moved_comes_only_where_it_was_moved_to() -> None:
    weekly = calendar(START, "DURATION:PT1H", "RRULE:FREQ=WEEKLY").decode()
    moved = calendar(
        "RECURRENCE-ID;TZID=Europe/Paris:20260308T020000", "DTSTART;TZID=Europe/Paris:20260309T020000", "DURATION:PT1H"
    ).decode()
    found = spans((weekly + "\n" + moved).encode(), "2026-03-01T00:00", "2026-03-14T00:00")
    assert found == ["03-01 02:00-03:00", "03-09 02:00-03:00"]


def test_a_long_series_is_found_though_it_began_years_ago() -> None:
    data = calendar("DTSTART:20100101T230000Z", "DURATION:PT3H", "RRULE:FREQ=DAILY")
    assert spans(data, "2026-01-05T01:00", "2026-01-05T02:00") == ["01-05 00:00-03:00"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no calendar"),
        (b"<html>", "no calendar"),
        (calendar("DURATION:PT1H"), "no DTSTART"),
        (calendar("DTSTART:yesterday", "DURATION:PT1H"), "yesterday"),
        (calendar("DTSTART:20261301T000000Z", "DURATION:PT1H"), "20261301"),
        (calendar("DTSTART;TZID=W. Europe Standard Time:20260101T000000", "DURATION:PT1H"), "IANA"),
        (calendar(START, "DURATION:an hour"), "DURATION"),
        (calendar(START, "DURATION:PT1H", "RRULE:FREQ=SECONDLY"), "SECONDLY"),
        (calendar(START, "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=x"), "RRULE"),
        (b"BEGIN:VCALENDAR" + b"x" * (4 << 20), "4 MiB"),
    ],
)
def test_what_cannot_be_read_is_told(data: bytes, why: str) -> None:
    with pytest.raises(CalendarError, match=why):
        spans_in(data, at("2026-03-01T00:00"), at("2026-03-02T00:00"))
