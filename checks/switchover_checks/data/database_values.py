"""Dates, times and intervals of different databases in one form each, also those for which Python has no value.

PostgreSQL knows infinity, years before Christ and beyond 9999, 24:00 and months apart from days. Equal values get equal
text or equal Python values; what cannot be read stays as it is, and differs.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from fractions import Fraction
from typing import Any

__all__ = ["day_of", "hour_of", "interval_of", "moment_of"]

_ENDLESS = {
    "infinity": "infinity",
    "+infinity": "infinity",
    "inf": "infinity",
    "-infinity": "-infinity",
    "-inf": "-infinity",
}
_HOUR = re.compile(
    r"(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,6})0*)?)?\s*(Z|[+-]\d\d(?::?\d\d)?(?::?\d\d)?)?", re.IGNORECASE
)
_FAR = re.compile(
    r"(?P<day>\d+-\d\d-\d\d)(?:[ T](?P<hour>\d\d:\d\d:\d\d(?:\.\d+)?))?(?P<zone>Z|[+-]00(?::?00)?)?(?P<bc> BC)?"
)


def _endless(value: Any) -> str | None:
    if isinstance(value, str):
        return _ENDLESS.get(value.strip().lower())
    if isinstance(value, float) and math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    return None


def moment_of(value: Any) -> Any:
    """Return a point in time in UTC; without a zone it is taken to be UTC. Numbers count seconds since 1970."""
    if (endless := _endless(value)) is not None:
        return endless
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return _far(value.strip())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            value = datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return value
    if isinstance(value, datetime):
        try:
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:
            return value.isoformat()
    return value


def day_of(value: Any) -> Any:
    """Return a day."""
    if (endless := _endless(value)) is not None:
        return endless
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip()).date()
        except ValueError:
            return _far(value.strip()).removesuffix(" 00:00:00")
    return value


def _far(text: str) -> str:
    """Write a day or a moment that Python does not know in one form."""
    match = _FAR.fullmatch(text)
    if match is None:
        return text
    hour = match["hour"] or "00:00:00"
    hour = hour.rstrip("0").rstrip(".") if "." in hour else hour
    return f"{match['day']}{match['bc'] or ''} {hour}"


def hour_of(value: Any) -> Any:
    """Return a time of day as text of one form, to the microsecond, with its zone where it has one."""
    if isinstance(value, clock_time):
        value = value.isoformat()
    if isinstance(value, timedelta):
        value = str(value)
    match = _HOUR.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return value
    hours, minutes, seconds, part, zone = match.groups()
    return f"{int(hours):02}:{minutes}:{seconds or '00'}.{(part or '').ljust(6, '0')}{_zone(zone)}"


def _zone(text: str | None) -> str:
    if not text:
        return ""
    digits = "" if text in "zZ" else text[1:].replace(":", "")
    return ("-" if text[0] == "-" and digits.strip("0") else "+") + digits.ljust(6, "0")


_MONTHS = {"year": 12, "yr": 12, "y": 12, "month": 1, "mon": 1, "decade": 120, "century": 1200, "centurie": 1200,
           "millennium": 12000, "millennia": 12000}  # fmt: skip
_DAYS = {"day": 1, "d": 1, "week": 7, "w": 7}
_MICROS = {"hour": 3_600_000_000, "hr": 3_600_000_000, "h": 3_600_000_000, "minute": 60_000_000, "min": 60_000_000,
           "m": 60_000_000, "second": 1_000_000, "sec": 1_000_000, "s": 1_000_000, "millisecond": 1000, "msec": 1000,
           "ms": 1000, "microsecond": 1, "usec": 1, "us": 1}  # fmt: skip
_ISO = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<year>[+-]?[\d.,]+)Y)?(?:(?P<month>[+-]?[\d.,]+)M)?(?:(?P<week>[+-]?[\d.,]+)W)?"
    r"(?:(?P<day>[+-]?[\d.,]+)D)?"
    r"(?:T(?:(?P<hour>[+-]?[\d.,]+)H)?(?:(?P<minute>[+-]?[\d.,]+)M)?(?:(?P<second>[+-]?[\d.,]+)S)?)?",
    re.IGNORECASE,
)
_WORD = re.compile(
    r"\s*(?:(?P<clock>[+-]?\d+:\d\d(?::\d\d(?:\.\d+)?)?)|(?P<years>[+-]?\d+-\d+)"
    r"|(?P<count>[+-]?\d+(?:\.\d*)?|[+-]?\.\d+)\s*(?P<unit>[A-Za-z]+)?)"
)


def interval_of(value: Any) -> Any:
    """Return an interval as its months, days and microseconds: `1 mon` is not `30 days`.

    Reads how PostgreSQL writes them (all four styles), ISO 8601 and the SQL standard.
    """
    if (endless := _endless(value)) is not None:
        return endless
    if isinstance(value, timedelta):
        return _shown(Fraction(0), Fraction(value.days), Fraction(value.seconds * 1_000_000 + value.microseconds))
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        parts = _of_iso(text) if "P" in text[:2].upper() else _of_words(text)
    except (ValueError, ZeroDivisionError):
        parts = None
    return _shown(*parts) if parts is not None else value


def _of_iso(text: str) -> tuple[Fraction, Fraction, Fraction] | None:
    match = _ISO.fullmatch(text)
    if match is None or text.upper().endswith(("P", "T")):
        return None
    sign = -1 if match["sign"] == "-" else 1

    def part(name: str) -> Fraction:
        return sign * Fraction((match[name] or "0").replace(",", "."))

    micros = sum((part(name) * _MICROS[name] for name in ("hour", "minute", "second")), Fraction(0))
    return part("year") * 12 + part("month"), part("week") * 7 + part("day"), micros


def _of_words(text: str) -> tuple[Fraction, Fraction, Fraction] | None:
    ago = text.endswith(" ago")
    text = text.removeprefix("@").removesuffix(" ago").strip()
    months, days, micros = Fraction(0), Fraction(0), Fraction(0)
    place = 0
    while place < len(text):
        match = _WORD.match(text, place)
        if match is None or match.end() == place:
            return None
        place = match.end()
        if match["clock"]:
            micros += _clock(match["clock"])
        elif match["years"]:
            sign = -1 if match["years"].startswith("-") else 1
            years, _, more = match["years"].lstrip("+-").partition("-")
            months += sign * (int(years) * 12 + int(more))
        else:
            count = Fraction(match["count"])
            unit = (match["unit"] or "").lower()
            unit = unit if unit in ("s", "ms", "us", "millennia") else unit.removesuffix("s")
            if not unit:
                # The SQL standard writes days as a bare number before a time; alone it would count seconds.
                days, micros = (days + count, micros) if ":" in text[place:] else (days, micros + count * 1_000_000)
            elif unit in _MONTHS:
                months += count * _MONTHS[unit]
            elif unit in _DAYS:
                days += count * _DAYS[unit]
            elif unit in _MICROS:
                micros += count * _MICROS[unit]
            else:
                return None
    return (-months, -days, -micros) if ago else (months, days, micros) if text else None


def _clock(text: str) -> Fraction:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, *seconds = text.lstrip("+-").split(":")
    return sign * 1_000_000 * (int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds[0] if seconds else "0"))


def _shown(months: Fraction, days: Fraction, micros: Fraction) -> str:
    """Write the parts; fractions go down to the next part, as PostgreSQL takes them."""
    whole_months = math.trunc(months)
    days += (months - whole_months) * 30
    whole_days = math.trunc(days)
    micros += (days - whole_days) * 86_400_000_000
    return f"{whole_months} months {whole_days} days {round(micros)} us"
