"""Times as an operator types them: `15m`, `14:00`, `14:00 .. 14:30`, `2026-01-28 09:15`."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, timezone

from switchover.zones import ZONE, offset_of

__all__ = ["SpanError", "parse_span", "span_text"]

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|(?:sec|second|min|minute|hour|day)s?)(?:\s+ago)?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CLOCK = re.compile(rf"(\d{{1,2}}):(\d\d)(?::(\d\d)(?:[.,](\d{{1,6}}))?)?({ZONE})?")
_DATE = re.compile(rf"(\d{{4}}-\d\d-\d\d)(?:[ Tt](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{{1,6}}))?({ZONE})?)?")
_BETWEEN = re.compile(r"\s*(?:\.\.\.?|…|\s[-–]\s|\bto\b|\buntil\b)\s*")
_DAY = timedelta(days=1)
_SOON_S = 12 * 3600.0  # an end that is further ahead is one before the begin


class SpanError(ValueError):
    """What was typed is no time; says what is."""


def parse_span(text: str, now: float) -> tuple[float | None, float | None]:
    """Return since and until in epoch seconds, None where open. Raise `SpanError`.

    A clock's time is the last one; as an end it is the next one after the begin. A date as an end is its whole day.
    """
    text = text.strip()
    if not text:
        return None, None
    parts = _BETWEEN.split(text)
    if len(parts) > 2:
        raise SpanError("that is more than a begin and an end: write 14:00 .. 14:30")
    since = _moment(parts[0], now) if parts[0] else None
    until = _moment(parts[1], now, is_end=True, after=since) if len(parts) == 2 and parts[1] else None
    if since is not None and until is not None and (since >= until or until > now + _SOON_S):
        raise SpanError("the end lies before the begin")
    return since, until


def _moment(text: str, now: float, *, is_end: bool = False, after: float | None = None) -> float | None:
    if text == "now":
        return None
    if found := _AGO.fullmatch(text):
        return now - float(found[1]) * _UNITS[found[2][0]]
    try:
        if found := _CLOCK.fullmatch(text):
            return _of_clock(found, now, is_end=is_end, after=after)
        if found := _DATE.fullmatch(text):
            return _of_date(found, is_end=is_end)
    except (ValueError, OverflowError, OSError):
        pass
    raise SpanError(f"“{text}” is no time: write 15m, 14:00, 14:00 .. 14:30 or 2026-01-28 09:15")


def _of_clock(found: re.Match[str], now: float, *, is_end: bool, after: float | None) -> float:
    """Return the last moment at which a clock showed this, for an end the first one after its begin."""
    day = datetime.fromtimestamp(now if after is None else after, _zone(found[5], now))
    fraction = int((found[4] or "").ljust(6, "0"))
    at = day.replace(hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0), microsecond=fraction)
    if after is None:
        return min(_stamp(at, is_end=is_end), now) if at <= day else _stamp(at - _DAY, is_end=is_end)
    return _stamp(at if at > day else at + _DAY, is_end=is_end)


def _of_date(found: re.Match[str], *, is_end: bool) -> float:
    day = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}")
    if found[2] is None:
        return _stamp(day + _DAY, is_end=False) - 1e-6 if is_end else _stamp(day, is_end=False)
    day = day.replace(microsecond=int((found[3] or "").ljust(6, "0")))
    return _stamp(day.replace(tzinfo=_zone(found[4], day.replace(tzinfo=UTC).timestamp())), is_end=is_end)


def _zone(word: str | None, at: float) -> timezone | None:
    """Return the zone that was typed; None is this host's own, which the operator means."""
    ahead = offset_of(word, at) if word else None
    return None if ahead is None else timezone(timedelta(seconds=ahead))


def _stamp(at: datetime, *, is_end: bool) -> float:
    """Return a moment. In the hour that a clock shows twice, a begin is the first one and an end the second."""
    return at.replace(fold=int(is_end)).timestamp()


def span_text(since: float | None, until: float | None, now: float) -> str:
    """Write a span as `since 14:02:31`, with its day where that is not today. Empty where both ends are open."""
    parts = []
    for word, at in (("since", since), ("until", until)):
        if at is not None:
            local = time.localtime(at)
            today = local[:3] == time.localtime(now)[:3]
            other = "%Y-%m-%d %H:%M:%S" if local.tm_sec else "%Y-%m-%d %H:%M"
            parts.append(f"{word} {time.strftime('%H:%M:%S' if today else other, local)}")
    return " ".join(parts)
