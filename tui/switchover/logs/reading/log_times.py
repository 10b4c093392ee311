"""When a line says that it was written: the forms of the common logs, the one that fitted last first."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from switchover.logs.reading.moments import from_number, local_moments, moments_of
from switchover.zones import ZONE

__all__ = ["Times", "parse_iso"]

_Last = tuple[str, int, float, str, float]  # up to the fraction, its end, its unit, the zone, the whole second
_ZONE = re.compile(ZONE)
_DIGIT = re.compile(r"\d")
_NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_MONTHS = {name: n for n, name in enumerate(_NAMES.split(), 1)}
_MONTH = f"({_NAMES.replace(' ', '|')})"
_DAY_S = 86_400.0
_BACK_S = 900.0  # by which lines of one log may stand in another order than their times
_REMEMBERED = 512
_HEAD = 200  # characters in which a time is looked for
_JSON_HEAD = 2000
_CLOCK = r"(\d\d):(\d\d):(\d\d)"
_FRACTION = r"(?:[.,](\d{1,9}))?"
_ISO_WORDS = rf"(\d{{4}}[-/]\d\d[-/]\d\d[Tt ]\d\d:\d\d:\d\d){_FRACTION}({ZONE})?"
_ISO = re.compile(_ISO_WORDS)
_ISO_FIRST = re.compile(rf"(?:<\d{{1,3}}>\d? ?|\W{{0,2}}){_ISO_WORDS}")
_ISO_NAMED = re.compile(rf"(?:time|ts|timestamp|t)=\"?{_ISO_WORDS}")
_SYSLOG = re.compile(rf"(?:<\d{{1,3}}>)?[*.]?{_MONTH} ([ \d]\d) (?:(\d{{4}}) )?{_CLOCK}{_FRACTION}({ZONE})?:? ")
_KLOG = re.compile(rf"[IWEF](\d\d)(\d\d) {_CLOCK}\.(\d{{1,9}}) ")
_ACCESS = re.compile(rf"[^\[]{{0,150}}\[(\d\d)/{_MONTH}/(\d{{4}}):{_CLOCK}{_FRACTION}({ZONE})?\]")
_DAY_FIRST = re.compile(  # PHP, Redis, mail
    rf"(?:\d+:[A-Z] |\[|[A-Z][a-z]{{2}}, )?(\d\d)[- ]{_MONTH}[- ](\d{{4}}) {_CLOCK}{_FRACTION}({ZONE})?"
)
_DATE = re.compile(  # Apache's errors, and what `date` writes
    rf"\W?[A-Z][a-z]{{2}} (?:{_MONTH} ([ \d]\d)|([ \d]\d) {_MONTH}) {_CLOCK}{_FRACTION}({ZONE})? (\d{{4}})\b"
)
_EPOCH = re.compile(r"\[?(\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})(?=[\]\s:,]|$)")
_JSON = re.compile(
    r'"(?:ts|time|timestamp|@timestamp|datetime|date|t|asctime|eventTime)"\s*:\s*'
    r'(?:\{"\$date":\s*)?(?:"([^"]{8,60})"|(\d{9,19}(?:\.\d+)?))'
)


class Times:
    """Reads times for one source, which writes them in one form mostly. `now` tells which year a syslog line is of.

    In autumn a clock shows an hour twice. `second_pass` says which one is meant; without it the lines before tell.
    """

    def __init__(self, now: Callable[[], float] = time.time, *, second_pass: bool | None = None) -> None:
        self._now = now
        self._second_pass = second_pass
        self._before: float | None = None
        self._last: _Last | None = None
        self._known: dict[tuple[str, str | None], tuple[float, ...]] = {}
        self._forms: list[Callable[[str], float | None]] = [
            self._iso,
            self._access,
            self._syslog,
            self._klog,
            self._named,
            self._date,
            self._day_first,
            self._epoch,
        ]

    def read(self, text: str) -> float | None:
        """Return the time at the head of a line (epoch seconds); None where it has none."""
        if text[:1] == "{":
            return self._json(text)
        known = self._last
        if known is not None and text.startswith(known[0]):
            at = _same_second(text, known)
            if at is not None:
                return at
        if _DIGIT.search(text, 0, _HEAD) is None:
            return None
        for number, form in enumerate(self._forms):
            at = form(text)
            if at is not None:
                if number:
                    self._forms.insert(0, self._forms.pop(number))
                return at
        return None

    def _iso(self, text: str) -> float | None:
        match = _ISO_FIRST.match(text)
        if match is None:
            return None
        at = self._from_iso(match)
        if at is not None and match[2] and self._before is not None:
            begin, end = match.span(2)
            self._last = (text[:begin], end, 10.0 ** (end - begin), text[end : match.end()], self._before)
        return at

    def _named(self, text: str) -> float | None:
        match = _ISO_NAMED.search(text, 0, _HEAD)
        return None if match is None else self._from_iso(match)

    def _from_iso(self, match: re.Match[str]) -> float | None:
        second, fraction, zone = match.groups()
        key = (second, zone)
        try:
            found = self._known[key]
        except KeyError:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = _whole_second(second, zone)
        return self._choose(found, fraction)

    def _choose(self, found: tuple[float, ...], fraction: str | None) -> float | None:
        """Return the moment that is meant: of two, the one that fits the line before."""
        if not found:
            return None
        at = found[0]
        if len(found) > 1 and self._is_second(found):
            at = found[1]
        self._before = at
        return at + float(f".{fraction}") if fraction else at

    def _is_second(self, found: tuple[float, ...]) -> bool:
        if self._second_pass is not None:
            return self._second_pass
        if self._before is None:
            return abs(found[1] - self._now()) < _BACK_S
        return found[0] < self._before - _BACK_S

    def _without_year(self, month: int, day: int, clock: tuple[str, ...], fraction: str | None) -> float | None:
        now = self._now()
        year = time.localtime(now).tm_year
        for tried in (year, year - 1):
            found = local_moments((tried, month, day, *_three(clock)))
            if found and found[0] <= now + _DAY_S:
                return self._choose(found, fraction)
        return None

    def _syslog(self, text: str) -> float | None:
        match = _SYSLOG.match(text)
        if match is None:
            return None
        month, day, year, *clock, fraction, zone = match.groups()
        if not year and not zone:
            return self._without_year(_MONTHS[month], int(day), tuple(clock), fraction)
        whole = int(year) if year else time.gmtime(self._now()).tm_year
        at = self._on_day((whole, _MONTHS[month], int(day)), tuple(clock), fraction, zone)
        if at is not None and not year and at > self._now() + _DAY_S:
            at = self._on_day((whole - 1, _MONTHS[month], int(day)), tuple(clock), fraction, zone)
        return at

    def _klog(self, text: str) -> float | None:
        match = _KLOG.match(text)
        if match is None or not 1 <= int(match[1]) <= 12:
            return None
        return self._without_year(int(match[1]), int(match[2]), match.group(3, 4, 5), match[6])

    def _access(self, text: str) -> float | None:
        return self._day_month_year(_ACCESS.match(text))

    def _day_first(self, text: str) -> float | None:
        return self._day_month_year(_DAY_FIRST.match(text))

    def _day_month_year(self, match: re.Match[str] | None) -> float | None:
        if match is None:
            return None
        day, month, year, *clock, fraction, zone = match.groups()
        return self._on_day((int(year), _MONTHS[month], int(day)), tuple(clock), fraction, zone)

    def _date(self, text: str) -> float | None:
        match = _DATE.match(text)
        if match is None:
            return None
        month, day, day_first, month_then, *clock, fraction, zone, year = match.groups()
        date = (int(year), _MONTHS[month or month_then], int(day or day_first))
        return self._on_day(date, tuple(clock), fraction, zone)

    def _on_day(
        self, date: tuple[int, int, int], clock: tuple[str, ...], fraction: str | None, zone: str | None
    ) -> float | None:
        return self._choose(moments_of((*date, *_three(clock)), zone), fraction)

    def _epoch(self, text: str) -> float | None:
        match = _EPOCH.match(text)
        return None if match is None else from_number(match[1])

    def _json(self, text: str) -> float | None:
        match = _JSON.search(text, 0, _JSON_HEAD)
        if match is None:
            return None
        if match[2]:
            return from_number(match[2])
        iso = _ISO.match(match[1])
        return self._from_iso(iso) if iso is not None else None


def parse_iso(text: str) -> float | None:
    """Return the epoch seconds of an ISO 8601 time; None where it is none."""
    match = _ISO.match(text)
    found = () if match is None else _whole_second(match[1], match[3])
    return found[0] + float(f".{match[2] or 0}") if match is not None and found else None


def _same_second(text: str, last: _Last) -> float | None:
    """Return the time of a line that begins like the last one, up to the fraction. Most lines do."""
    head, end, unit, zone, base = last
    fraction = text[len(head) : end]
    if not fraction.isdecimal() or not text.startswith(zone, end):
        return None
    behind = text[end + len(zone) : end + len(zone) + 3]
    if zone:  # which may go on: +00 is not +0030, nor UTC+2 UTC
        return None if behind[:1].isalnum() or behind[:1] in ":+-/%." else base + int(fraction) / unit
    if behind[:1].isdecimal() or _ZONE.match(text, end) is not None:
        return None
    return base + int(fraction) / unit


def _three(clock: tuple[str, ...]) -> tuple[int, int, int]:
    hour, minute, second = clock
    return int(hour), int(minute), int(second)


def _whole_second(text: str, zone: str | None) -> tuple[float, ...]:
    """Return the moments of `2026-01-31T14:02:31` (any separators); without a zone it is this host's own."""
    parts = (int(text[:4]), int(text[5:7]), int(text[8:10]), int(text[11:13]), int(text[14:16]), int(text[17:19]))
    return moments_of(parts, zone)
