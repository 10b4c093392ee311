"""Time zones as logs and people write them: `Z`, `UTC`, `+00`, `-0300`, `GMT+2`, `CEST`, `Europe/Berlin`.

A word that two countries use (`CST`, `IST`, `PST`) means this host's own zone, where that has it. Else it means the one
below.
"""

from __future__ import annotations

import re
import time

__all__ = ["ZONE", "offset_of"]

_MINUTES = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "MET": 60, "MEST": 120,
    "EET": 120, "EEST": 180, "IDT": 180, "MSK": 180, "SAST": 120, "PKT": 300, "IST": 330, "WIB": 420, "WITA": 480,
    "AWST": 480, "HKT": 480, "SGT": 480, "JST": 540, "KST": 540, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660,
    "NZST": 720, "NZDT": 780, "NST": -210, "NDT": -150, "AST": -240, "ADT": -180, "EST": -300, "EDT": -240,
    "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480,
    "HST": -600, "HDT": -540,
}  # fmt: skip
_WORDS = "|".join(sorted((word for word in _MINUTES if len(word) > 1), key=len, reverse=True))
_ENDS = r"(?!\d|[.:]\d|%)"  # what goes on is a number of something else
ZONE = (
    rf" ?(?:[Zz](?![A-Za-z0-9])|[+-]\d\d(?::?\d\d)?{_ENDS}|\(?(?:UTC|GMT|utc|gmt)[+-]\d\d?(?::?\d\d)?{_ENDS}\)?"
    rf"|\(?(?:{_WORDS}|utc|gmt)\b\)?|[A-Z][a-z]+/[A-Z][A-Za-z_/]+)"
)
_NUMBER = re.compile(r"([+-])(\d\d?):?(\d\d)?")
_MOST_HOURS = 14


def offset_of(zone: str, at: float) -> float | None:
    """Return how many seconds a zone is ahead of UTC; None for one that is none.

    `at` is the clock's time read as UTC: a place has another offset in summer.
    """
    word = zone.strip(" ()")
    if (number := _NUMBER.search(word)) is not None:
        sign, hours, minutes = number[1], int(number[2]), int(number[3] or 0)
        if hours > _MOST_HOURS or minutes > 59:
            return None
        ahead = hours * 3600.0 + minutes * 60.0
        return ahead if sign == "+" else -ahead
    if "/" in word:
        return _offset_of_place(word, at)
    word = word.upper()
    if _MINUTES.get(word) != 0 and word in time.tzname:
        summer = time.tzname.index(word) and bool(time.daylight)
        return float(-(time.altzone if summer else time.timezone))
    minutes_ahead = _MINUTES.get(word)
    return None if minutes_ahead is None else minutes_ahead * 60.0


def _offset_of_place(name: str, at: float) -> float | None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ahead = datetime.fromtimestamp(at, UTC).replace(tzinfo=ZoneInfo(name)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return ahead.total_seconds() if ahead is not None else None
