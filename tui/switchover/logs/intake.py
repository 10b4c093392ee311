"""What is made of the lines of one source as they come: text that is harmless, the time and the level of each.

A line without a time takes that of the line before it, and its level where it goes on with it: a stack trace stays
together. One that is written twice as fast as it can be read is cut long before it gets here (`splitter`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from switchover.logs.levels import is_continuation, level_number, level_of
from switchover.logs.sources.api import RawLine
from switchover.logs.times import Times
from switchover.redaction import neutralise

__all__ = ["Columns", "Intake", "clean"]

Columns = tuple[list[float], list[int], list[str]]  # times, levels, texts


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
        self._level = 0
        self._tells_time = False

    def take(self, lines: Sequence[RawLine]) -> Columns:
        """Return lines in columns."""
        ats: list[float] = []
        levels: list[int] = []
        texts: list[str] = []
        now = self._now()
        read_time = self._times.read
        last_at, last_level, tells_time = self._at, self._level, self._tells_time
        for at, raw, named in lines:
            try:
                text = raw.decode("ascii")
                if not text.isprintable():
                    text = clean(text)
            except UnicodeDecodeError:
                text = clean(raw.decode("utf-8", "replace"))
            level = level_number(named) if named else level_of(text)
            own = at
            if own is None and (own := read_time(text)) is not None:
                tells_time = True
            if own is not None:
                last_at = own
                if not level and at is not None and is_continuation(text):
                    level = last_level
            elif tells_time or is_continuation(text):
                level = level or last_level
            if own is None and (not tells_time or last_at is None):
                last_at = now
            ats.append(last_at)  # type: ignore[arg-type] # it was just made sure of
            levels.append(level)
            texts.append(text)
            last_level = level
        self._at, self._level, self._tells_time = last_at, last_level, tells_time
        return self._between(ats, levels, texts) if self._bounded else (ats, levels, texts)

    def look_at(self, line: RawLine) -> tuple[float, int, str] | None:
        """Return what a line that is not whole yet looks like, and take no notice of it; None where it does not fit."""
        before = self._at, self._level, self._tells_time
        ats, levels, texts = self.take([line])
        self._at, self._level, self._tells_time = before
        return (ats[0], levels[0], texts[0]) if texts else None

    def _between(self, ats: list[float], levels: list[int], texts: list[str]) -> Columns:
        kept = [n for n, at in enumerate(ats) if self._since <= at <= self._until]
        if len(kept) == len(ats):
            return ats, levels, texts
        return [ats[n] for n in kept], [levels[n] for n in kept], [texts[n] for n in kept]


def clean(text: str) -> str:
    """Return one line without control sequences and hidden characters; tabs stay. It is still one line."""
    text = neutralise(text, overwrite=True)
    return text.replace("\n", " ") if "\n" in text else text
