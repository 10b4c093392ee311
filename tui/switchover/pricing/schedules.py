"""When something is stopped every week, and how many hours of a month that leaves. Exact to the second."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from switchover.pricing.price_units import PricingError

__all__ = ["AVERAGE_MONTH_H", "WeeklySchedule", "month_hours", "parse_month", "parse_schedule"]

AVERAGE_MONTH_H = Fraction(730)
_DAY_S = 86_400
_WEEK_S = 7 * _DAY_S
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d\d)")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class WeeklySchedule:
    """When something is stopped, in seconds of a week from Monday 00:00 by the clock of `zone`. Spans are merged."""

    stopped: tuple[Span, ...]
    zone: str

    @property
    def stopped_h_week(self) -> Decimal:
        """Hours a week in which it is stopped."""
        return Decimal(sum(end - start for start, end in self.stopped)) / 3600

    def hours(self, month: tuple[int, int] | None) -> tuple[Fraction, Fraction]:
        """Return the hours on and off: of an average month of 730 hours, or of one as it really is."""
        if month is None:
            off = AVERAGE_MONTH_H * Fraction(sum(end - start for start, end in self.stopped), _WEEK_S)
            return AVERAGE_MONTH_H - off, off
        whole, off_s = 0, 0
        for start, end in _wall_clock(month, self.zone):
            whole += end - start
            off_s += _overlap(self.stopped, start, end)
        return Fraction(whole - off_s, 3600), Fraction(off_s, 3600)


def month_hours(month: tuple[int, int] | None, zone: str = "UTC") -> Fraction:
    """Return how many hours a month has: 743 in March in Paris, 730 where none is named."""
    if month is None:
        return AVERAGE_MONTH_H
    return Fraction(sum(end - start for start, end in _wall_clock(month, zone)), 3600)


def parse_month(text: str) -> tuple[int, int]:
    """Read `2026-03`. Raise `PricingError`."""
    found = re.fullmatch(r"(\d{4})-(\d\d)", text)
    if found is None or not 1970 <= int(found[1]) <= 2200 or not 1 <= int(found[2]) <= 12:
        raise PricingError(f"{text[:20]!r} is no month: write 2026-03")
    return int(found[1]), int(found[2])


def parse_schedule(windows: Sequence[str], zone: str, *, running: bool = False) -> WeeklySchedule:
    """Read windows such as `* 22:00-08:00` and `sat-sun`. With `running` they say when it runs.

    Overlapping windows count once. A window over midnight belongs to the day on which it begins. Raise `PricingError`.
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PricingError(f"there is no time zone {zone!r}: write Europe/Paris or UTC") from None
    if not windows:
        raise PricingError("a schedule has at least one window: `sat-sun` or `mon-fri 20:00-06:00`")
    spans = _merged(span for window in windows for span in _window(window))
    return WeeklySchedule(_rest(spans) if running else spans, zone)


def _window(text: str) -> Iterable[Span]:
    days, _, times = text.strip().partition(" ")
    start, end = _times(times.strip(), text)
    for day in _days(days, text):
        begin = day * _DAY_S + start
        finish = day * _DAY_S + end + (_DAY_S if end <= start else 0)
        if finish <= _WEEK_S:
            yield begin, finish
        else:
            yield begin, _WEEK_S
            yield 0, finish - _WEEK_S


def _days(text: str, window: str) -> list[int]:
    if text == "*":
        return list(range(7))
    found: list[int] = []
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise PricingError(f"{window!r}: {part!r} is no day; write mon, mon-fri, sat,sun or *")
        a, b = _DAYS.index(first), _DAYS.index(last or first)
        found += [(a + i) % 7 for i in range((b - a) % 7 + 1)]
    return found


def _times(text: str, window: str) -> Span:
    if not text:
        return 0, _DAY_S
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not dash:
        raise PricingError(f"{window!r}: a window has a begin and an end: 22:00-08:00")
    start, end = _clock(first, window), _clock(last, window)
    if start == _DAY_S:
        raise PricingError(f"{window!r}: a window that begins at 24:00 begins at 00:00 of the next day")
    if start == end:
        raise PricingError(f"{window!r}: begin and end are the same; a whole day has no times: `sat`")
    return start, end


def _clock(text: str, window: str) -> int:
    found = _TIME.fullmatch(text)
    hour, minute = (int(found["hour"]), int(found["minute"])) if found else (99, 0)
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise PricingError(f"{window!r}: {text!r} is no time of a day: 00:00 to 24:00")
    return hour * 3600 + minute * 60


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _rest(spans: Sequence[Span]) -> tuple[Span, ...]:
    edges = [0, *(edge for span in spans for edge in span), _WEEK_S]
    return tuple((a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a)


def _overlap(spans: Sequence[Span], start: int, end: int) -> int:
    """Return how many seconds of [start, end), counted from some Monday, lie in the weekly spans."""
    found = (end - start) // _WEEK_S * sum(b - a for a, b in spans)
    first = start % _WEEK_S
    last = first + (end - start) % _WEEK_S
    for shift in (0, _WEEK_S):
        found += sum(max(0, min(b + shift, last) - max(a + shift, first)) for a, b in spans)
    return found


def _wall_clock(month: tuple[int, int], zone: str) -> list[Span]:
    """Return the month as spans of local seconds since a Monday. Where the clock jumps, another begins.

    A span's length is real time. So an hour that comes twice counts twice, and one that is left out not at all.
    """
    place = ZoneInfo(zone)
    year, number = month
    after = (year + 1, 1) if number == 12 else (year, number + 1)
    begin, end = (datetime(*m, 1, tzinfo=place).astimezone(UTC) for m in (month, after))
    spans: list[Span] = []
    here = begin
    while here < end:
        ahead = _ahead(here, place)
        change = _next_change(here, end, place)
        spans.append((_monday_s(here + ahead), _monday_s(change + ahead)))
        here = change
    return spans


def _ahead(at: datetime, place: ZoneInfo) -> timedelta:
    return at.astimezone(place).utcoffset() or timedelta()


def _next_change(here: datetime, end: datetime, place: ZoneInfo) -> datetime:
    """Return when the zone's offset changes next, to the second; `end` where it does not before."""
    ahead, step = _ahead(here, place), timedelta(hours=12)
    low = here
    while low < end and _ahead(min(low + step, end), place) == ahead:
        low += step
    if low >= end:
        return end
    high = min(low + step, end)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _ahead(middle, place) == ahead else (low, middle)
    return high


def _monday_s(local: datetime) -> int:
    return round((local - datetime(1969, 12, 29, tzinfo=UTC)).total_seconds())
