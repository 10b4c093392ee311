"""Times as an operator types them: `15m`, `14:00`, `14:00 .. 14:30`, `2026-01-28 09:15`."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

__all__ = ["SpanError", "parse_span", "span_text"]

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|(?:sec|second|min|minute|hour|day)s?)(?:\s+ago)?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?")
_BETWEEN = re.compile(r"\s*(?:\.\.|…|\bto\b|\buntil\b)\s*")


class SpanError(ValueError):
    """What was typed is no time; says what is."""


def parse_span(text: str, now: float) -> tuple[float | None, float | None]:
    """Return since and until in epoch seconds, None where open. Raise `SpanError`."""
    text = text.strip()
    if not text:
        return None, None
    parts = _BETWEEN.split(text)
    if len(parts) > 2:
        raise SpanError("that is more than a begin and an end: write 14:00 .. 14:30")
    since = _moment(parts[0], now) if parts[0] else None
    until = _moment(parts[1], now) if len(parts) == 2 and parts[1] else None
    if since is not None and until is not None and since >= until:
        raise SpanError("the end lies before the begin")
    return since, until


def _moment(text: str, now: float) -> float | None:
    if text == "now":
        return None
    if found := _AGO.fullmatch(text):
        return now - float(found[1]) * _UNITS[found[2][0]]
    try:
        if found := _CLOCK.fullmatch(text):
            today = datetime.fromtimestamp(now)  # noqa: DTZ006 - the operator types local time
            chosen = today.replace(hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0), microsecond=0)
            return (chosen if chosen <= today else chosen - timedelta(days=1)).timestamp()
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    raise SpanError(f"“{text}” is no time: write 15m, 14:00, 14:00 .. 14:30 or 2026-01-28 09:15")


def span_text(since: float | None, until: float | None, now: float) -> str:
    """Write a span as `since 14:02:31`, with its day where that is not today; empty where it is open at both ends."""
    parts = []
    for word, at in (("since", since), ("until", until)):
        if at is not None:
            local = time.localtime(at)
            today = local[:3] == time.localtime(now)[:3]
            parts.append(f"{word} {time.strftime('%H:%M:%S' if today else '%Y-%m-%d %H:%M', local)}")
    return " ".join(parts)
