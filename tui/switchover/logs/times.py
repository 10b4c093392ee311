"""When a line says that it was written: the forms of the common logs, the one that fitted last first."""

from __future__ import annotations

import re
import time
from calendar import monthrange, timegm
from collections.abc import Callable
from contextlib import suppress

__all__ = ["Times", "parse_iso"]

_Last = tuple[str, int, float, str, float | None]  # up to the fraction, its end, its unit, the zone, the whole second
_ZONE = re.compile(r" ?[Z+]| ?-\d| U")
_DIGIT = re.compile(r"\d")
_NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_MONTHS = {name: n for n, name in enumerate(_NAMES.split(), 1)}
_DAY_S = 86_400.0
_REMEMBERED = 512
_HEAD = 200  # characters in which a time is looked for
_JSON_HEAD = 2000
_EARLIEST, _LATEST = 631_152_000.0, 4_102_444_800.0  # 1990 to 2100: other numbers are no times
_ISO_WORDS = r"(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?( ?Z| ?[+-]\d\d:?\d\d| UTC\b)?"
_ISO = re.compile(_ISO_WORDS)
_ISO_FIRST = re.compile(r"\W{0,2}" + _ISO_WORDS)
_ISO_NAMED = re.compile(r"(?:time|ts|timestamp|t)=\"?" + _ISO_WORDS)
_SYSLOG = re.compile(r"(?:<\d{1,3}>)?([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? ")
_KLOG = re.compile(r"[IWEF](\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,9}) ")
_ACCESS = re.compile(r"[^\[]{0,150}\[(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\]")
_APACHE_ERROR = re.compile(r"\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\d{4})\]")
_EPOCH = re.compile(r"\[?(\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})(?=[\]\s:,]|$)")
_JSON = re.compile(
    r'"(?:ts|time|timestamp|@timestamp|datetime|date|t|asctime|eventTime)"\s*:\s*(?:"([^"]{8,40})"|(\d{9,19}(?:\.\d+)?))'
)


class Times:
    """Reads times for one source, which writes them in one form mostly. `now` tells which year a syslog line is of."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._last: _Last | None = None
        self._known: dict[tuple[str, str | None], float | None] = {}
        self._forms: list[Callable[[str], float | None]] = [
            self._iso,
            self._access,
            self._syslog,
            self._klog,
            self._named,
            self._apache_error,
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
        if at is not None and match[2]:
            begin, end = match.span(2)
            self._last = (
                text[:begin],
                end,
                10.0 ** (end - begin),
                text[end : match.end()],
                self._known[match[1], match[3]],
            )
        return at

    def _named(self, text: str) -> float | None:
        match = _ISO_NAMED.search(text, 0, _HEAD)
        return None if match is None else self._from_iso(match)

    def _from_iso(self, match: re.Match[str]) -> float | None:
        second, fraction, zone = match.groups()
        key = (second, zone)
        try:
            base = self._known[key]
        except KeyError:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            base = self._known[key] = _whole_second(second, zone)
        if base is None or fraction is None:
            return base
        return base + float(f".{fraction}")

    def _syslog(self, text: str) -> float | None:
        match = _SYSLOG.match(text)
        if match is None or match[1] not in _MONTHS:
            return None
        return self._without_year(_MONTHS[match[1]], int(match[2]), match.group(3, 4, 5), match[6])

    def _klog(self, text: str) -> float | None:
        match = _KLOG.match(text)
        if match is None or not 1 <= int(match[1]) <= 12:
            return None
        return self._without_year(int(match[1]), int(match[2]), match.group(3, 4, 5), match[6])

    def _without_year(self, month: int, day: int, clock: tuple[str, ...], fraction: str | None) -> float | None:
        now = self._now()
        year = time.localtime(now).tm_year
        for tried in (year, year - 1):
            at = _local(tried, month, day, *map(int, clock))
            if at is not None and at <= now + _DAY_S:
                return at + (float(f".{fraction}") if fraction else 0.0)
        return None

    def _access(self, text: str) -> float | None:
        match = _ACCESS.match(text)
        if match is None or match[2] not in _MONTHS:
            return None
        day, month, year, hour, minute, second, zone = match.groups()
        return _whole_second(f"{year}-{_MONTHS[month]:02d}-{day} {hour}:{minute}:{second}", zone)

    def _apache_error(self, text: str) -> float | None:
        match = _APACHE_ERROR.match(text)
        if match is None or match[1] not in _MONTHS:
            return None
        at = _local(int(match[7]), _MONTHS[match[1]], *map(int, match.group(2, 3, 4, 5)))
        return at if at is None or not match[6] else at + float(f".{match[6]}")

    def _epoch(self, text: str) -> float | None:
        match = _EPOCH.match(text)
        return None if match is None else _from_number(match[1])

    def _json(self, text: str) -> float | None:
        match = _JSON.search(text, 0, _JSON_HEAD)
        if match is None:
            return None
        if match[2]:
            return _from_number(match[2])
        iso = _ISO.match(match[1])
        return self._from_iso(iso) if iso is not None else None


def parse_iso(text: str) -> float | None:
    """Return the epoch seconds of an ISO 8601 time; None where it is none."""
    match = _ISO.match(text)
    if match is None:
        return None
    base = _whole_second(match[1], match[3])
    return base if base is None or match[2] is None else base + float(f".{match[2]}")


def _same_second(text: str, last: _Last) -> float | None:
    """Return the time of a line that begins as the last one did, up to the fraction: nearly all of them, when many."""
    head, end, unit, zone, base = last
    fraction = text[len(head) : end]
    if base is None or not fraction.isdecimal() or not text.startswith(zone, end):
        return None
    after = text[end : end + 3]
    if after[:1].isdecimal() or (not zone and _ZONE.match(after) is not None):
        return None
    return base + int(fraction) / unit


def _from_number(number: str) -> float | None:
    value = float(number)
    for unit in (1.0, 1e3, 1e6, 1e9):
        if _EARLIEST <= value / unit <= _LATEST:
            return value / unit
    return None


def _whole_second(text: str, zone: str | None) -> float | None:
    """Return the time of `2026-01-31T14:02:31` (any separators); without a zone it is this host's own."""
    parts = (int(text[:4]), int(text[5:7]), int(text[8:10]), int(text[11:13]), int(text[14:16]), int(text[17:19]))
    if not _is_real(*parts):
        return None
    if zone is None:
        return _local(*parts)
    zone = zone.strip().replace(":", "")
    at = float(timegm(parts))
    if zone not in {"Z", "UTC"}:
        ahead = int(zone[1:3]) * 3600 + int(zone[3:5]) * 60
        at = at - ahead if zone[0] == "+" else at + ahead
    return _sensible(at)


def _is_real(year: int, month: int, day: int, hour: int, minute: int, second: int) -> bool:
    """Tell whether the calendar has such a day and the clock such a moment; a leap second and 24:00:00 count."""
    if not (1 <= month <= 12 and 1 <= day <= 31 and minute <= 59 and second <= 60):
        return False
    if day > 28 and (month == 2 or day == 31) and day > monthrange(year or 4, month)[1]:
        return False
    return hour <= 23 or (hour, minute, second) == (24, 0, 0)


def _sensible(at: float) -> float | None:
    """Return a time that a log can be of; a zero of some language, `0001-01-01`, is none."""
    return at if _EARLIEST <= at <= _LATEST else None


def _local(year: int, month: int, day: int, hour: int, minute: int, second: int) -> float | None:
    if not _is_real(year, month, day, hour, minute, second):
        return None
    with suppress(ValueError, OverflowError):
        return _sensible(time.mktime((year, month, day, hour, minute, second, 0, 0, -1)))
    return None
