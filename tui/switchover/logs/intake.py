"""Turns the lines of one source into harmless text, each with its time and its level.

A line without a time takes the time of the line before it. Where it continues that line, it takes its level too, so a
stack trace stays together. One that is written twice as fast as it can be read is cut long before it gets here
(`splitter`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from switchover.logs.reading.levels import level_number, level_of
from switchover.logs.reading.log_events import Events
from switchover.logs.reading.log_times import Times
from switchover.logs.sources.source_api import RawLine
from switchover.redaction import sanitize

__all__ = ["Columns", "Intake", "clean"]

_APART_S = 2.0  # after which a line without a time is not of the line before
_MOST_WRITERS = 200


class Columns(NamedTuple):
    """Lines in columns. `events` are the numbers of bad events, 0 for lines of none."""

    ats: list[float]
    levels: list[int]
    texts: list[str]
    events: list[int]


class Intake:
    """Reads the lines of one source. Only those between `since` and `until` (epoch seconds) are taken."""

    def __init__(
        self, since: float | None = None, until: float | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._since = float("-inf") if since is None else since
        self._until = float("inf") if until is None else until
        self._bounded = since is not None or until is not None
        self._now = now
        self._times = Times(now)
        self._at: float | None = None
        self._came = float("-inf")
        self._tells_time = False
        self._level = 0
        self._next_number = count(1).__next__
        self._events: dict[str, Events] = {}

    def take(self, lines: Sequence[RawLine]) -> Columns:
        """Return lines in columns."""
        columns = Columns([], [], [], [])
        ats, levels, texts, events = columns
        now = self._now()
        last_at, told = self._at, self._tells_time
        apart, given = now - self._came > _APART_S, False
        undated = 0  # lines before the first that tells when it was written
        for line in lines:
            text = _text_of(line.text)
            own = text[line.own :] if line.own else text
            level = level_number(line.level) if line.level else level_of(own)
            at, timed = line.at, False
            if at is not None:
                given = True
            elif (at := self._times.read(text)) is not None:
                if not told and not given:
                    undated = len(texts)
                timed = told = True
                apart = False
            number, level = self._events_of(line.writer).place(
                own, level, timed=timed, told=told and line.at is None, goes_on=line.goes_on
            )
            if at is not None:
                last_at = at
            elif last_at is None or not told or (apart and line.latest is None):
                last_at = now if line.latest is None else line.latest
            ats.append(last_at)
            levels.append(level)
            texts.append(text)
            events.append(number)
            self._level = level
        if undated:  # they go on with what was not read, or stand before all times
            ats[:undated] = [float("-inf") if self._since > float("-inf") else ats[undated]] * undated
        self._at, self._tells_time, self._came = last_at if told else None, told, now
        return self._between(columns) if self._bounded else columns

    def look_at(self, line: RawLine) -> tuple[float, int, str] | None:
        """Return how an unfinished line looks now, without keeping it. None where it does not fit the query."""
        text = _text_of(line.text)
        level = level_of(text)
        at = self._times.read(text)
        if at is None:
            at = self._at if self._at is not None and self._now() - self._came <= _APART_S else self._now()
            level = level or (self._level if self._tells_time or text[:1] in " \t" else 0)
        return (at, level, text) if self._since <= at <= self._until else None

    def _events_of(self, writer: str) -> Events:
        events = self._events.get(writer)
        if events is None:
            if len(self._events) >= _MOST_WRITERS:
                del self._events[next(iter(self._events))]
            events = self._events[writer] = Events(self._next_number)
        return events

    def _between(self, columns: Columns) -> Columns:
        kept = [n for n, at in enumerate(columns.ats) if self._since <= at <= self._until]
        if len(kept) == len(columns.ats):
            return columns
        ats, levels, texts, events = columns
        return Columns(
            [ats[n] for n in kept], [levels[n] for n in kept], [texts[n] for n in kept], [events[n] for n in kept]
        )


def _text_of(raw: bytes) -> str:
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        return clean(raw.decode("utf-8", "replace"))
    return text if text.isprintable() else clean(text)


def clean(text: str) -> str:
    """Return one line without control sequences and hidden characters; tabs stay. It is still one line."""
    text = sanitize(text, overwrite=True)
    return text.replace("\n", " ") if "\n" in text else text
