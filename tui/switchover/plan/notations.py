"""The small notations inside a plan's texts, each parsed once: what is captured, moments, and windows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from switchover.plan.complaints import did_you_mean
from switchover_checks.language.units import parse_duration

__all__ = ["After", "Capture", "Window", "parse_capture", "parse_moment", "parse_window"]

_JSON = re.compile(r"\s*json:(?P<path>(?:\.[^.\[\]\s]+|\[-?[0-9]{1,6}\])+)\s*")
_CAPTURE = re.compile(r"\s*stdout:/(?P<pattern>.*)/\s*", re.DOTALL)
_AFTER = re.compile(r"\s*(?P<kind>phase|step)\.(?P<name>[A-Za-z_][\w-]*)\s*(?:\+\s*(?P<delay>\S+))?\s*")
_LONGEST_PATTERN = 500


@dataclass(frozen=True, slots=True)
class Capture:
    """What is taken from a step's standard output: a group of a regular expression, or a value in JSON.

    `wanted` is how the step's watcher is told: the expression, or the path behind a zero byte.
    """

    wanted: str


def parse_capture(text: str) -> Capture:
    r"""Read `stdout:/^IP=(\S+)$/` or `json:.ip.value`. Raise `ValueError` that says how one is written."""
    if text.lstrip().startswith("json:"):
        found = _JSON.fullmatch(text) if len(text) <= _LONGEST_PATTERN else None
        if found is None:
            raise ValueError("write json:.KEY.KEY or json:.KEY[0], such as json:.ip.value")
        return Capture(f"\0{found['path']}")
    match = _CAPTURE.fullmatch(text) if len(text) <= 2 * _LONGEST_PATTERN else None
    if match is None:
        raise ValueError(
            r"write stdout:/REGEX/ with one group, such as stdout:/^IP=(\S+)$/, or json:PATH, such as json:.ip.value"
        )
    if len(match["pattern"]) > _LONGEST_PATTERN:
        raise ValueError(f"this regular expression is longer than {_LONGEST_PATTERN} characters")
    try:
        pattern = re.compile(match["pattern"], re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"this regular expression cannot be read: {error}") from None
    if pattern.groups != 1:
        count = "no group" if not pattern.groups else f"{pattern.groups} groups"
        raise ValueError(
            f"this regular expression has {count} and needs exactly one, round the value; (?: ) does not count"
        )
    return Capture(match["pattern"])


@dataclass(frozen=True, slots=True)
class After:
    """A time counted from the end of a phase or a step. `kind` is phase or step."""

    kind: str
    name: str
    delay_s: float


def parse_moment(text: str) -> After | datetime:
    """Read `phase.validate + 24h`, `step.copy + 1h` or `2026-01-31T22:00Z` (UTC where no zone is given).

    Raise `ValueError` that says how one is written.
    """
    if len(text) <= 200 and (match := _AFTER.fullmatch(text)):
        return After(match["kind"], match["name"], parse_duration(match["delay"]) if match["delay"] else 0.0)
    try:
        when = datetime.fromisoformat(text[:200].strip())
    except ValueError:
        shown = text if len(text) <= 60 else text[:57] + "…"
        raise ValueError(
            f"{shown!r} is not a moment; write phase.NAME + 24h, step.NAME + 1h or 2026-01-31T22:00Z"
        ) from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = "(?i:" + "|".join(_DAYS) + ")"
_WINDOW = re.compile(
    rf"(?:(?P<days>{_DAY}(?:[-,]{_DAY})*|daily)\s+|(?P<date>\d{{4}}-\d\d-\d\d)\s+)?"
    r"(?P<from>\d\d:\d\d)\s*-\s*(?P<to>\d\d:\d\d)\s+(?P<zone>[A-Za-z][\w+-]*(?:/[\w+-]+)*)"
)
_HOW = "write such as `Sat 22:00-06:00 Europe/Paris`, `Mon-Fri 09:00-17:00 UTC` or `2026-01-31 22:00-06:00 UTC`"
_SHIFT_MIN = 180  # no change of a zone's clock is longer


@dataclass(frozen=True, slots=True)
class Window:
    """Times of the day in a zone, on some days of the week or on one date. It may go over midnight."""

    days: frozenset[int]
    day: date | None
    begins: int  # minutes after midnight
    ends: int
    zone: ZoneInfo

    def is_open(self, at: float) -> bool:
        """Whether the clock on the wall there shows a time of the window."""
        local = datetime.fromtimestamp(at, self.zone)
        minute = local.hour * 60 + local.minute
        if self.ends > self.begins:
            return self.begins <= minute < self.ends and self._is_day(local.date())
        if minute >= self.begins:
            return self._is_day(local.date())
        return minute < self.ends and self._is_day(local.date() - timedelta(days=1))

    def opens_at(self, after: float) -> float | None:
        """Return when it opens next, as epoch seconds; None where it never does again."""
        for day in self._next_days(after):
            for fold in (0, 1):
                at = self._moment(day, self.begins, fold)
                at = self._back_to_edge(at, opens=True) if self.is_open(at) else at
                if at > after and self.is_open(at) and not self.is_open(at - 1):
                    return at
        return None

    def closes_at(self, at: float) -> float | None:
        """Return when it closes, where it is open; None where it is shut."""
        if not self.is_open(at):
            return None
        for day in self._next_days(at):
            for fold in (0, 1):
                end = self._back_to_edge(self._moment(day, self.ends, fold), opens=False)
                if end > at and not self.is_open(end) and self.is_open(end - 1):
                    return end
        return None

    def _is_day(self, day: date) -> bool:
        return day == self.day if self.day is not None else day.weekday() in self.days

    def _next_days(self, after: float) -> list[date]:
        today = datetime.fromtimestamp(after, self.zone).date()
        days = [today + timedelta(days=number) for number in range(-1, 16)]
        return [self.day, self.day + timedelta(days=1)] if self.day is not None else days

    def _moment(self, day: date, minute: int, fold: int) -> float:
        day += timedelta(days=minute // 1440)
        return datetime.combine(day, time(minute // 60 % 24, minute % 60, fold=fold), self.zone).timestamp()

    def _back_to_edge(self, at: float, *, opens: bool) -> float:
        """Go back to the change, where the clock was put forward over it."""
        for _ in range(_SHIFT_MIN):
            if self.is_open(at - 1) is not opens:
                break
            at -= 60.0
        return at


@lru_cache(maxsize=256)
def parse_window(text: str) -> Window:
    """Read `Sat 22:00-06:00 Europe/Paris`. Raise `ValueError` that says how one is written."""
    match = _WINDOW.fullmatch(text.strip()) if len(text) <= 100 else None
    if match is None:
        raise ValueError(f"this is no window; {_HOW}")
    begins, ends = _minutes(match["from"]), _minutes(match["to"])
    if begins in {1440, ends}:
        raise ValueError(f"this window never opens: it ends when it begins; {_HOW}")
    try:
        day = date.fromisoformat(match["date"]) if match["date"] else None
    except ValueError:
        raise ValueError(f"this window never opens: there is no {match['date']}") from None
    window = Window(_days(match["days"]), day, begins, ends, _zone(match["zone"]))
    if day is None and window.opens_at(_A_DAY) is None:
        raise ValueError("this window never opens")
    return window


_A_DAY = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    found = int(hours) * 60 + int(minutes)
    if found > 1440 or int(minutes) > 59:
        raise ValueError(f"{text} is no time of a day")
    return found


def _days(text: str | None) -> frozenset[int]:
    found: set[int] = set()
    for part in (text or "daily").split(","):
        first, _, last = part.partition("-")
        if first == "daily":
            return frozenset(range(7))
        if "-" in last:
            raise ValueError(f"{part} are no days; write such as Mon-Fri")
        begin, end = _DAYS.index(first.title()), _DAYS.index((last or first).title())
        found |= {number % 7 for number in range(begin, end + 1 + (7 if end < begin else 0))}
    return frozenset(found)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        if not known:
            raise ValueError(f"this host knows no time zones, so not {name!r}: install tzdata") from None
        raise ValueError(
            f"there is no time zone {name!r}{did_you_mean(name, known)}; write such as Europe/Paris"
        ) from None
