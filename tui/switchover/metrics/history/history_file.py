"""The SQLite file with what was measured. Plain blocking calls, made in a thread; one connection, one writer.

The table has ordinary row ids, and chunks of about a kilobyte.
Rows that spill over a page would take three times the space.
"""

from __future__ import annotations

import math
import os
import sqlite3
import zlib
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from switchover.metrics.history.chunks import MINUTE_S, MinuteChunk, Point, RawChunk
from switchover.metrics.history.codec import pack, unpack
from switchover.private_files import open_private

__all__ = ["HistoryFile", "SeriesKey"]

T = TypeVar("T")

SeriesKey = tuple[str, float]
"""A metric's name and the seconds between two of its points."""

_RAW, _MINUTE = 0, 60
_KEPT_S = {_RAW: 2 * 86_400.0, _MINUTE: 30 * 86_400.0}
_MOST_BYTES = 256 << 20
_SLICE = 500
_DROP = "DELETE FROM chunk WHERE rowid IN (SELECT rowid FROM chunk WHERE tier = ? AND until < ? ORDER BY until LIMIT ?)"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, name TEXT NOT NULL, step REAL NOT NULL, UNIQUE (name, step));
CREATE TABLE IF NOT EXISTS chunk (
  series INTEGER NOT NULL, tier INTEGER NOT NULL, start REAL NOT NULL, until REAL NOT NULL, n INTEGER NOT NULL,
  codec INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (series, tier, start));
CREATE INDEX IF NOT EXISTS chunk_age ON chunk (tier, until);
CREATE TABLE IF NOT EXISTS tail (id INTEGER PRIMARY KEY, at REAL NOT NULL, data BLOB NOT NULL);
"""


class HistoryFile:
    """Raises `OSError` where the file cannot be used: a full disk, a damaged file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line: sqlite3.Connection | None = None
        self._ids: dict[SeriesKey, int] = {}

    def open(self) -> None:
        """Open the file, made where there is none."""
        os.close(open_private(self._path, os.O_RDWR | os.O_CREAT))
        self._guard(self._open)

    def close(self) -> None:
        """Close it."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def write(
        self,
        raw: Sequence[tuple[SeriesKey, RawChunk]],
        minutes: Sequence[tuple[SeriesKey, MinuteChunk]],
        tail: Mapping[SeriesKey, Sequence[Point]],
        now: float,
        oldest_open: float,
    ) -> None:
        """Keep full chunks and what came since the last call, all or nothing. Tails that chunks have now go."""
        self._guard(lambda: self._write(raw, minutes, tail, now, oldest_open))

    def tails(self) -> dict[SeriesKey, list[Point]]:
        """Return the points that are in no chunk yet."""
        return self._guard(self._tails)

    def raw(self, key: SeriesKey, since: float, until: float) -> list[Point]:
        """Return the points of a span that are in chunks, oldest first."""
        return self._guard(lambda: self._raw(key, since, until))

    def minutes(self, key: SeriesKey, since: float, until: float) -> list[MinuteChunk]:
        """Return the minutes of a span that are in chunks, oldest first; each chunk whole."""
        return self._guard(lambda: self._minutes(key, since, until))

    def minutes_until(self, key: SeriesKey) -> float:
        """Return until when the minutes of a series are in chunks; 0 where there are none."""
        query = "SELECT max(until) FROM chunk WHERE series = ? AND tier = ?"
        return float(self._guard(lambda: self._row(query, (self._id(key), _MINUTE)))[0] or 0.0)

    def names(self) -> list[SeriesKey]:
        """Return every series that was ever measured."""
        return self._guard(lambda: [(str(n), float(s)) for n, s in self._all("SELECT name, step FROM series", ())])

    def trim(self, now: float) -> None:
        """Drop what is too old, or too much: the oldest first, in slices."""
        self._guard(lambda: self._trim(now))

    # Inside

    def _guard(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.Error as error:
            raise OSError(f"{self._path.name}: {error}") from error

    def _open(self) -> None:
        self.close()
        line = sqlite3.connect(
            f"file:{quote(os.fsencode(self._path))}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
        )
        self._line, self._ids = line, {}
        line.execute("PRAGMA auto_vacuum=INCREMENTAL")
        line.execute("PRAGMA journal_mode=WAL")
        line.execute("PRAGMA synchronous=NORMAL")
        line.executescript(_SCHEMA)

    @property
    def _db(self) -> sqlite3.Connection:
        if self._line is None:
            self._open()
        assert self._line is not None
        return self._line

    def _all(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        return self._db.execute(query, values).fetchall()

    def _row(self, query: str, values: tuple[object, ...]) -> tuple[Any, ...]:
        return self._all(query, values)[0]

    def _id(self, key: SeriesKey) -> int:
        if key not in self._ids:
            self._db.execute("INSERT OR IGNORE INTO series (name, step) VALUES (?, ?)", key)
            self._ids[key] = int(self._row("SELECT id FROM series WHERE name = ? AND step = ?", key)[0])
        return self._ids[key]

    def _write(
        self,
        raw: Sequence[tuple[SeriesKey, RawChunk]],
        minutes: Sequence[tuple[SeriesKey, MinuteChunk]],
        tail: Mapping[SeriesKey, Sequence[Point]],
        now: float,
        oldest_open: float,
    ) -> None:
        line = self._db
        line.execute("BEGIN IMMEDIATE")
        try:
            rows = [(self._id(key), _RAW, c.start, c.end, len(c.points), *pack(c.points)) for key, c in raw]
            rows += [(self._id(key), _MINUTE, *_minute_row(chunk)) for key, chunk in minutes]
            line.executemany("INSERT OR REPLACE INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            if tail:
                body = msgspec.msgpack.encode([(self._id(key), list(points)) for key, points in tail.items()])
                line.execute("INSERT INTO tail (at, data) VALUES (?, ?)", (now, zlib.compress(body, 1)))
            line.execute("DELETE FROM tail WHERE at < ?", (oldest_open,))
            line.execute("COMMIT")
        except BaseException:
            self._ids = {}
            if line.in_transaction:
                line.execute("ROLLBACK")
            raise

    def _tails(self) -> dict[SeriesKey, list[Point]]:
        keys = {int(i): (str(n), float(s)) for i, n, s in self._all("SELECT id, name, step FROM series", ())}
        found: dict[SeriesKey, list[Point]] = {}
        for (data,) in self._all("SELECT data FROM tail ORDER BY id", ()):
            try:
                rows = msgspec.msgpack.decode(zlib.decompress(data), type=list[tuple[int, list[Point]]])
            except (zlib.error, msgspec.MsgspecError):
                continue  # a torn one is left out: at most ten seconds
            for number, points in rows:
                if number in keys:
                    found.setdefault(keys[number], []).extend(point for point in points if math.isfinite(point[0]))
        return found

    def _chunks(self, key: SeriesKey, tier: int, since: float, until: float) -> list[tuple[Any, ...]]:
        query = (
            "SELECT start, n, codec, data FROM chunk WHERE series = ? AND tier = ? AND until >= ? AND start <= ?"
            " ORDER BY start"
        )
        return self._all(query, (self._id(key), tier, since, until))

    def _raw(self, key: SeriesKey, since: float, until: float) -> list[Point]:
        found: list[Point] = []
        for start, count, codec, data in self._chunks(key, _RAW, since, until):
            for index, value in enumerate(_unpacked(codec, data, count)):
                at = start + index * key[1]
                if since <= at <= until:
                    found.append((at, value))
        return found

    def _minutes(self, key: SeriesKey, since: float, until: float) -> list[MinuteChunk]:
        found: list[MinuteChunk] = []
        for start, count, _, data in self._chunks(key, _MINUTE, since, until):
            try:
                parts = msgspec.msgpack.decode(data, type=list[tuple[int, bytes]])
            except msgspec.MsgspecError:
                continue
            columns = [_unpacked(codec, body, count) for codec, body in parts]
            columns *= 3 if len(columns) == 1 else 1
            found.append(MinuteChunk(start, *columns[:3]))
        return found

    def _trim(self, now: float) -> None:
        line = self._db
        for tier, kept in _KEPT_S.items():
            while line.execute(_DROP, (tier, now - kept, _SLICE)).rowcount >= _SLICE:
                pass
        for tier in (_RAW, _MINUTE):
            while self._bytes > _MOST_BYTES and line.execute(_DROP, (tier, now, _SLICE)).rowcount > 0:
                pass
        line.execute("PRAGMA incremental_vacuum(1000)").fetchall()

    @property
    def _bytes(self) -> int:
        pages = int(self._row("PRAGMA page_count", ())[0]) - int(self._row("PRAGMA freelist_count", ())[0])
        return pages * int(self._row("PRAGMA page_size", ())[0])


def _minute_row(chunk: MinuteChunk) -> tuple[float, float, int, int, bytes]:
    packed = [pack(column) for column in (chunk.mean, chunk.least, chunk.most)]
    alike = packed[0] == packed[1] == packed[2]  # one value a minute: it stands once
    body = msgspec.msgpack.encode(packed[:1] if alike else packed)
    count = len(chunk.mean)
    return chunk.start, chunk.start + count * MINUTE_S, count, 0, body


def _unpacked(codec: int, data: bytes, count: int) -> array[float]:
    """Return a chunk's points; one that is damaged is a gap, and the others stay."""
    try:
        return unpack(codec, data, count)
    except ValueError:
        return array("d", [math.nan]) * count
