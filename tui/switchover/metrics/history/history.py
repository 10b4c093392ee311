"""The past of all series: what is still gathered, and what lies on disk, read as one."""

from __future__ import annotations

import math
import threading
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from switchover.metrics.history.chunks import MINUTE_S, MinuteChunk, Point, RawChunk
from switchover.metrics.history.history_file import HistoryFile, SeriesKey

__all__ = ["Column", "History"]

T = TypeVar("T")

Column = tuple[float, float | None, float | None, float | None]
"""When a column begins, and the mean, least and most in it; None where nothing was measured."""

_TRIM_EVERY_S = 3600.0
_MOST_WAITING = 100_000
_SET_BACK_S = 600.0  # a clock that was set back so far is believed
_IN_NO_CHUNK_S = 86_400.0  # a tail so much older than the chunks was measured after them


@dataclass(slots=True)
class _Open:
    """What is gathered of one series."""

    raw: RawChunk | None = None
    minutes: MinuteChunk | None = None
    minute: float = -1.0
    values: list[float] = field(default_factory=list)
    fresh: list[Point] = field(default_factory=list)


class History:
    """Blocking calls, made in a thread, one at a time. `trouble` says why nothing is kept, where that is so."""

    def __init__(self, path: Path) -> None:
        self._file = HistoryFile(path)
        self._open: dict[SeriesKey, _Open] = {}
        self._full_raw: list[tuple[SeriesKey, RawChunk]] = []
        self._full_minutes: list[tuple[SeriesKey, MinuteChunk]] = []
        self._inbox: deque[tuple[SeriesKey, tuple[Point, ...]]] = deque(maxlen=_MOST_WAITING)
        self._lock = threading.Lock()
        self._trimmed = 0.0
        self._replayed = False
        self.trouble = ""

    def add(self, key: SeriesKey, points: Iterable[Point]) -> None:
        """Gather points, oldest first. Never waits, whatever the disk does.

        One that is older than the newest known (the clock was set back) is left out, unless by minutes.
        """
        self._inbox.append((key, tuple(points)))

    def flush(self, now: float) -> None:
        """Put on disk what is not there yet. Never raises: what cannot be kept now is tried again."""
        with self._lock:
            if not self._ready():
                self._forget_some()
                return
            tail = {key: one.fresh for key, one in self._open.items() if one.fresh}
            opened = [one.raw.start for one in self._open.values() if one.raw is not None]
            try:
                if now - self._trimmed >= _TRIM_EVERY_S:
                    self._file.trim(now)
                    self._trimmed = now
                self._file.write(self._full_raw, self._full_minutes, tail, now, min(opened, default=now))
            except OSError as error:
                self.trouble = str(error)
                self._forget_some()
                return
            self.trouble = ""
            self._full_raw, self._full_minutes = [], []
            for one in self._open.values():
                one.fresh = []

    def newest(self, key: SeriesKey, since: float, until: float) -> list[Point]:
        """Return every point of a span, oldest first: NaN is a gap."""
        with self._lock:
            self._ready()
            found = self._on_disk(lambda: self._file.raw(key, since, until))
            for chunk in [c for k, c in self._full_raw if k == key] + self._open_raw(key):
                for index, value in enumerate(chunk.points):
                    at = chunk.start + index * chunk.step
                    if since <= at <= until and (not found or at > found[-1][0]):
                        found.append((at, value))
            return found

    def columns(self, key: SeriesKey, since: float, until: float, count: int) -> list[Column]:
        """Return a span as `count` columns of equal width, from every point where that is enough, else from minutes."""
        width = (until - since) / max(count, 1)
        if width >= MINUTE_S:
            chunks = self._minutes(key, since, until)
        else:
            points = self.newest(key, since, until)
            chunks = [MinuteChunk(at, *(array("d", [value]),) * 3) for at, value in points]
        cells = [_Cell() for _ in range(count)]
        for chunk in chunks:
            _into_cells(cells, chunk, since, width)
        return [(since + index * width, *cell.values) for index, cell in enumerate(cells)]

    def names(self) -> list[SeriesKey]:
        """Return every series that was ever measured."""
        with self._lock:
            self._ready()
            return self._on_disk(self._file.names)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    # Inside

    def _ready(self) -> bool:
        """Take in what came, and what a process before this one left; tell whether the disk can be used."""
        usable = self._restore()
        while self._inbox:
            key, points = self._inbox.popleft()
            gathered = self._open.setdefault(key, _Open())
            gathered.fresh += [point for point in points if self._gather(key, gathered, *point)]
        return usable

    def _restore(self) -> bool:
        """Open the file and take in what was gathered before this process began; tell whether that went well."""
        if self._replayed:
            return True
        try:
            self._file.open()
            tails = self._file.tails()
            for key, points in tails.items():
                self._replay(key, points)
        except (OSError, ValueError, ArithmeticError) as error:  # whatever lies in the file ends no agent
            self.trouble = str(error)
            return False
        self._replayed = True
        return True

    def _replay(self, key: SeriesKey, points: Sequence[Point]) -> None:
        """Begin where the process before ended; what was measured meanwhile comes after it."""
        ours = self._open.pop(key, _Open())
        known = self._file.raw(key, self._file.minutes_until(key), math.inf)
        last = known[-1][0] + key[1] / 2 if known else 0.0
        gathered = self._open[key] = _Open()
        for at, value in known:
            self._to_minute(key, gathered, at, value)
        for at, value in points:
            if at > last or last - at >= _IN_NO_CHUNK_S:
                self._gather(key, gathered, at, value)
        for at, value in ours.fresh:
            if self._gather(key, gathered, at, value):
                gathered.fresh.append((at, value))

    def _gather(self, key: SeriesKey, gathered: _Open, at: float, value: float) -> bool:
        chunk = gathered.raw
        if chunk is not None and chunk.end - _SET_BACK_S < at <= chunk.end:
            return False
        if chunk is not None and not chunk.takes(at):
            self._full_raw.append((key, chunk))
            chunk = None
        if chunk is None:
            chunk = gathered.raw = RawChunk(at, key[1])
        chunk.add(at, value)
        self._to_minute(key, gathered, at, value)
        return True

    def _to_minute(self, key: SeriesKey, gathered: _Open, at: float, value: float) -> None:
        minute = at // MINUTE_S * MINUTE_S
        if minute != gathered.minute:
            self._end_minute(key, gathered)
            gathered.minute = minute
        gathered.values.append(value)

    def _end_minute(self, key: SeriesKey, gathered: _Open) -> None:
        values, gathered.values = gathered.values, []
        if not values:
            return
        chunk = gathered.minutes
        if chunk is not None and not chunk.takes(gathered.minute):
            self._full_minutes.append((key, chunk))
            chunk = None
        if chunk is None:
            chunk = gathered.minutes = MinuteChunk(gathered.minute)
        chunk.add(gathered.minute, values)

    def _minutes(self, key: SeriesKey, since: float, until: float) -> list[MinuteChunk]:
        with self._lock:
            self._ready()
            found = self._on_disk(lambda: self._file.minutes(key, since, until))
            gathered = self._open.get(key)
            found += [c for k, c in self._full_minutes if k == key]
            if gathered is not None:
                found += [gathered.minutes.copy()] if gathered.minutes is not None else []
                now = MinuteChunk(gathered.minute)
                now.add(gathered.minute, gathered.values)
                found.append(now)
            return found

    def _open_raw(self, key: SeriesKey) -> list[RawChunk]:
        gathered = self._open.get(key)
        return [gathered.raw] if gathered is not None and gathered.raw is not None else []

    def _on_disk(self, read: Callable[[], list[T]]) -> list[T]:
        try:
            return read() if self._replayed else []
        except OSError as error:
            self.trouble = str(error)
            return []

    def _forget_some(self) -> None:
        """Hold no more than fits while nothing can be kept."""
        del self._full_raw[:-1000]
        del self._full_minutes[:-1000]
        for one in self._open.values():
            del one.fresh[:-1000]


@dataclass(slots=True)
class _Cell:
    """What falls into one column."""

    total: float = 0.0
    count: int = 0
    least: float = math.inf
    most: float = -math.inf

    def take(self, mean: array[float], least: array[float], most: array[float]) -> None:
        """Add values side by side; NaN is none."""
        total = math.fsum(mean)
        if total != total:  # noqa: PLR0124 - NaN: a gap is among them
            known = [index for index, value in enumerate(mean) if not math.isnan(value)]
            if not known:
                return
            mean, least, most = (array("d", [row[index] for index in known]) for row in (mean, least, most))
            total = math.fsum(mean)
        self.total += total
        self.count += len(mean)
        lowest, highest = min(least), max(most)
        self.least, self.most = min(self.least, lowest), max(self.most, highest)

    @property
    def values(self) -> tuple[float | None, float | None, float | None]:
        """Mean, least and most; None where nothing fell into it."""
        return (self.total / self.count, self.least, self.most) if self.count else (None, None, None)


def _into_cells(cells: list[_Cell], chunk: MinuteChunk, since: float, width: float) -> None:
    """Let the minutes of a chunk fall into columns, as many at once as fall into the same."""
    index, count = 0, len(chunk.mean)
    while index < count:
        place = (chunk.start + index * MINUTE_S - since) / width
        column = math.floor(place)
        after = max(math.ceil(((column + 1) * width + since - chunk.start) / MINUTE_S), index + 1)
        if 0 <= column < len(cells):
            part = slice(index, min(after, count))
            cells[column].take(chunk.mean[part], chunk.least[part], chunk.most[part])
        index = after
