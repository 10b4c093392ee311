"""Maintenance out of an .ics file, as calendars write it: single events, and those that come again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["CalendarError", "spans_in"]

_MOST_BYTES = 4 << 20
_LINE = re.compile(r"([A-Za-z-]+)((?:;[^:;\"]*(?:\"[^\"]*\")?)*):(.*)", re.DOTALL)
_LENGTH = re.compile(r"([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_AGAIN = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_MOST_SPANS = 1000

_Fields = dict[str, list[tuple[dict[str, str], str]]]


class CalendarError(Exception):
    """A file that is no calendar, or has something in it that cannot be read. The text says what."""


def spans_in(data: bytes, since: float, until: float) -> list[tuple[float, float]]:
    """Return the events that touch the time between two moments (epoch seconds). Raise `CalendarError`."""
    if len(data) > _MOST_BYTES:
        raise CalendarError("it is larger than 4 MiB")
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "")
    if "BEGIN:VCALENDAR" not in text:
        raise CalendarError("this is no calendar: it has no BEGIN:VCALENDAR")
    events = list(_events(text))
    moved: dict[str, list[datetime]] = {}
    for event in events:
        if "RECURRENCE-ID" in event and "UID" in event:
            moved.setdefault(event["UID"][0][1], []).append(_moment(*event["RECURRENCE-ID"][0]))
    found: list[tuple[float, float]] = []
    for event in events:
        if event.get("STATUS", [({}, "")])[0][1] != "CANCELLED":
            uid = event.get("UID", [({}, "")])[0][1]
            gone = [] if "RECURRENCE-ID" in event else moved.get(uid, [])
            found += _spans(event, gone, since, until)
    return sorted(found)


def _events(text: str) -> Iterator[_Fields]:
    event: _Fields | None = None
    inner = ""
    for line in text.split("\n"):
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        key, value = match[1].upper(), match[3].strip()
        if (key, value) == ("BEGIN", "VEVENT"):
            event, inner = {}, ""
        elif (key, value) == ("END", "VEVENT") and event is not None:
            yield event
            event = None
        elif key in ("BEGIN", "END") and event is not None:  # an alarm within it
            inner = value if key == "BEGIN" else ""
        elif event is not None and not inner:
            options = dict(part.partition("=")[::2] for part in match[2].split(";") if part)
            event.setdefault(key, []).append(({k.upper(): v.strip('"') for k, v in options.items()}, value))


def _spans(event: _Fields, gone: list[datetime], since: float, until: float) -> list[tuple[float, float]]:
    if "DTSTART" not in event:
        raise CalendarError("an event has no DTSTART")
    begins = _moment(*event["DTSTART"][0])
    length = _length(event, begins)
    if length <= timedelta(0):
        return []
    first = datetime.fromtimestamp(since, UTC) - length - timedelta(days=1)
    last = datetime.fromtimestamp(until, UTC)
    starts = _starts(event, begins, gone, first, last) if "RRULE" in event or "RDATE" in event else [begins]
    found = []
    for start in starts:
        end = (start.replace(tzinfo=None) + length).replace(tzinfo=start.tzinfo)
        if end.timestamp() > since and start.timestamp() < until:
            found.append((start.timestamp(), end.timestamp()))
    return found[:_MOST_SPANS]


def _starts(event: _Fields, begins: datetime, gone: list[datetime], first: datetime, last: datetime) -> list[datetime]:
    from dateutil.rrule import rruleset, rrulestr

    found = rruleset()
    for _, text in event.get("RRULE", []):
        parts = dict(part.partition("=")[::2] for part in text.upper().split(";") if part)
        if parts.get("FREQ") not in _AGAIN:
            raise CalendarError(f"FREQ is {', '.join(_AGAIN)} here, not {parts.get('FREQ', 'left out')}")
        if until := parts.get("UNTIL"):
            whole = until if "T" in until else f"{until}T235959Z"
            parts["UNTIL"] = whole if whole.endswith("Z") else f"{whole}Z"
        try:
            found.rrule(rrulestr(";".join(f"{k}={v}" for k, v in parts.items()), dtstart=begins))
        except (ValueError, TypeError, OverflowError) as error:
            raise CalendarError(f"RRULE {text} cannot be read: {error}") from None
    for key, take in (("RDATE", found.rdate), ("EXDATE", found.exdate)):
        for options, text in event.get(key, []):
            for one in text.split(","):
                take(_moment(options, one))
    for moment in gone:
        found.exdate(moment)
    if "RRULE" not in event:
        found.rdate(begins)
    return list(found.between(first, last, inc=True))


def _length(event: _Fields, begins: datetime) -> timedelta:
    if "DTEND" in event:
        end = _moment(*event["DTEND"][0])
        return end.astimezone(begins.tzinfo).replace(tzinfo=None) - begins.replace(tzinfo=None)
    if "DURATION" in event:
        match = _LENGTH.fullmatch(event["DURATION"][0][1])
        if match is None:
            raise CalendarError(f"DURATION {event['DURATION'][0][1]} cannot be read")
        weeks, days, hours, minutes, seconds = (int(one or 0) for one in match.groups()[1:])
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return timedelta(days=1) if event["DTSTART"][0][0].get("VALUE") == "DATE" else timedelta(0)


def _moment(options: dict[str, str], text: str) -> datetime:
    """Read a time. One without a zone is of this host."""
    try:
        if re.fullmatch(r"\d{8}", text):
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            return datetime(day.year, day.month, day.day, tzinfo=_zone(options))
        if text.endswith("Z"):
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=_zone(options))
    except ValueError as error:
        raise CalendarError(f"the time {text} cannot be read: {error}") from None


def _zone(options: dict[str, str]) -> tzinfo:
    name = options.get("TZID", "")
    if not name:
        from dateutil.tz import tzlocal

        local: tzinfo = tzlocal()
        return local
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CalendarError(f"there is no time zone {name!r}: an IANA name such as Europe/Paris is needed") from None
