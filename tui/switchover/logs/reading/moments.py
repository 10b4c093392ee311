"""From a calendar's day and a clock's hour to epoch seconds. What no calendar has is no moment."""

from __future__ import annotations

import time
from calendar import monthrange, timegm
from contextlib import suppress

from switchover.zones import offset_of

__all__ = ["from_number", "local_moments", "moments_of"]

_EARLIEST, _LATEST = 631_152_000.0, 4_102_444_800.0  # 1990 to 2100: other numbers are no times
_SHIFTS_S = (-3600.0, -1800.0, 1800.0, 3600.0)  # by which clocks are put back in autumn

Parts = tuple[int, int, int, int, int, int]


def moments_of(parts: Parts, zone: str | None) -> tuple[float, ...]:
    """Return the moments that a date and a time can mean: one, none, or in autumn two."""
    if not _is_real(*parts):
        return ()
    if zone:
        at = float(timegm(parts))
        ahead = offset_of(zone, at)
        if ahead is not None:
            return (at - ahead,) if _EARLIEST <= at - ahead <= _LATEST else ()
    return local_moments(parts)


def local_moments(parts: Parts) -> tuple[float, ...]:
    """Return the moments at which this host's clock shows this, the earlier one first."""
    if not _is_real(*parts):
        return ()
    with suppress(ValueError, OverflowError):
        at = time.mktime((*parts, 0, 0, -1))
        if not _EARLIEST <= at <= _LATEST:
            return ()
        if time.daylight:
            shown = time.localtime(at)[:6]
            for shift in _SHIFTS_S:
                if time.localtime(at + shift)[:6] == shown:
                    return (min(at, at + shift), max(at, at + shift))
        return (at,)
    return ()


def from_number(number: str) -> float | None:
    """Return the moment that a number of seconds, milli-, micro- or nanoseconds since 1970 means."""
    value = float(number)
    for unit in (1.0, 1e3, 1e6, 1e9):
        if _EARLIEST <= value / unit <= _LATEST:
            return value / unit
    return None


def _is_real(year: int, month: int, day: int, hour: int, minute: int, second: int) -> bool:
    """Tell whether the calendar has such a day and the clock such a moment; a leap second and 24:00:00 count."""
    if not (1 <= month <= 12 and 1 <= day <= 31 and minute <= 59 and second <= 60):
        return False
    if day > 28 and (month == 2 or day == 31) and day > monthrange(year or 4, month)[1]:
        return False
    return hour <= 23 or (hour, minute, second) == (24, 0, 0)
