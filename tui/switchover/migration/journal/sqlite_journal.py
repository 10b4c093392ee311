"""The journal: every fact of every run, in SQLite, on the disk before anybody acts on it.

Each record carries the hash of the one before, so an edit anywhere shows. Append only.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from switchover.clock import Clock
from switchover.errors import JournalDiffersError, JournalError
from switchover.locations import ensure_private_dir
from switchover.migration.facts.events import Event, Record, decode_event, encode_event
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.journal_reading import Ask, JournalReading, Tip
from switchover.private_files import open_private
from switchover.snapshot import Holder

__all__ = ["Journal", "RawRecord", "record_hash"]

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS journal (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL) STRICT;
INSERT OR IGNORE INTO journal VALUES (1, lower(hex(randomblob(16))));
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    at REAL NOT NULL,
    mono REAL NOT NULL,
    boot_id TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS events_run ON events (run_id, seq);
CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS id_stays BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS id_remains BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'append only'); END;
PRAGMA user_version = 2;
COMMIT;
"""
_VERSION = 2
_DIFFERS = "bring the original back, or name another journal or state directory"
_HINT = "free space, make the state directory writable, or choose another with --state DIR"


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as it is stored, for whoever has to judge whether it is still what was written. Nothing is decoded."""

    seq: int
    run_id: str
    at: float
    mono: float
    boot_id: str
    kind: str
    data: str
    prev_hash: str
    hash: str


class Journal:
    """An open journal. One process appends at a time (the run lock sees to that); many may read."""

    shared = False

    def __init__(self, path: Path, connection: sqlite3.Connection, clock: Clock, journal_id: str) -> None:
        self.path = path
        self.journal_id = journal_id
        self.tip: Tip | None = None  # the newest record, as far as this has read or written
        self._connection = connection
        self._clock = clock
        self._boot_id = clock.boot_id()
        self._broken = ""
        self._file = _identity(path)
        self._log = path.with_name(f"{path.name}-wal")
        self._logged: tuple[int, int, int] | None = None  # as it was after our last record

    @classmethod
    def open(cls, path: Path, clock: Clock, *, create: bool = True) -> Journal | None:
        """Open the journal, made if `create`. Return None where there is none and none is to be made."""
        if not create and not path.exists():
            return None
        if create:
            ensure_private_dir(path.parent)
        try:
            connection = _connect(path, create=create)
            if connection is None:
                return None
            row = connection.execute("SELECT id FROM journal").fetchone()
        except (sqlite3.Error, OSError) as error:
            raise _cannot(path, error) from error
        if row is None:
            connection.close()
            raise JournalError(f"the journal {path} has lost its id", "it was damaged: bring back a copy of the file")
        return cls(path, connection, clock, row[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def broken(self) -> bool:
        """Whether a write failed, so that it has to be opened anew."""
        return bool(self._broken)

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def abandon(self) -> None:
        """Nothing to do: no server is waited for."""

    def hold(self, operator: Operator, target: str, ask: Ask | None = None) -> None:
        """Nothing to do: only this machine writes here, and the run lock has said who."""

    def leave(self) -> None:
        """Nothing to do."""

    def holder(self) -> Holder | None:
        """Return None: the run lock knows."""
        return None

    def append(self, run_id: str, event: Event) -> Record:
        """Add a fact; on return it is on the disk. Raise `JournalError`, after which this journal takes no more.

        Raise `JournalDiffersError` where the newest record is not the one that was read or written here last.
        """
        raw = self.append_raw(run_id, *encode_event(event), after=self.tip)
        self.tip = Tip(raw.seq, raw.hash)
        return Record(raw.seq, run_id, raw.at, raw.mono, raw.boot_id, event, raw.hash)

    def append_raw(self, run_id: str, kind: str, data: str, after: Tip | None = None) -> RawRecord:
        """Add a fact of any kind, as JSON. Raise `JournalError`, after which this journal takes no more."""
        if self._broken:
            raise JournalError(self._broken, _HINT)
        self._check_place()
        at, mono = self._clock.now(), self._clock.monotonic()
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                row = self._connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
                seq, before = (row[0] + 1, row[1]) if row else (1, "")
                if after is not None and after != Tip(seq - 1, before):
                    raise self._differs(seq - 1, after)
                digest = record_hash(before, seq, run_id, at, mono, self._boot_id, kind, data)
                self._connection.execute(
                    "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (seq, run_id, at, mono, self._boot_id, kind, data, before, digest),
                )
        except sqlite3.Error as error:
            # Whether a failed commit reached the disk is not known: what is there has to be read anew first.
            self._broken = f"the journal {self.path} cannot be written: {error}"
            raise JournalError(self._broken, _HINT) from error
        self._logged = _identity(self._log)
        return RawRecord(seq, run_id, at, mono, self._boot_id, kind, data, before, digest)

    def _check_place(self) -> None:
        """Raise `JournalError` where the files that are open are not those in their place any more."""
        file, log = _identity(self.path), _identity(self._log)
        in_place = file[:2] == self._file[:2]
        if in_place and self._logged is not None:  # it is never made smaller or taken away while it is in use
            in_place = log[:2] == self._logged[:2] and log[2] >= self._logged[2]
        if not in_place:
            self._broken = f"the journal {self.path} was removed or replaced while it was in use"
            raise JournalError(self._broken, "bring the newest copy of it back, then go on")

    def read(self, ask: Ask) -> JournalReading:
        """Return what is new. Raise `JournalError` where the file that is open is not the one in its place any more."""
        if self._broken:
            raise JournalError(self._broken, _HINT)
        self._check_place()
        newest = "SELECT run_id, (SELECT count(*) FROM events WHERE type = 'RunStarted') FROM events "
        run_id, runs = next(self._rows(newest + "WHERE type = 'RunStarted' ORDER BY seq DESC LIMIT 1"), ("", 0))
        known = next(self._rows("SELECT hash FROM events WHERE seq = ?", (ask.known.seq,)), ("",))
        records = self.records(run_id, ask.known.seq if run_id == ask.run_id else 0) if run_id else []
        tip = next(self._rows("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1"), (0, ""))
        past: list[Record] = []
        if ask.history:
            query = (
                "SELECT seq, run_id, at, mono, boot_id, type, data, hash FROM events "
                "WHERE type IN ('RollbackStarted', 'StepEnded', 'StepEndedLate', 'StepUnknown') ORDER BY seq"
            )
            past = [record for row in self._rows(query) if (record := self._readable(row)) is not None]
        self.tip = Tip(*tip)
        return JournalReading(self.journal_id, self.tip, known[0], run_id, runs, tuple(records), tuple(past))

    def records(self, run_id: str, after: int = 0) -> list[Record]:
        """Return a run's records in order, those after `after`."""
        query = (
            "SELECT seq, run_id, at, mono, boot_id, type, data, hash FROM events "
            "WHERE run_id = ? AND seq > ? ORDER BY seq"
        )
        return [self._record(row) for row in self._rows(query, (run_id, after))]

    def of_type(self, kind: type[Event]) -> list[Record]:
        """Return all records of one type, over all runs."""
        query = "SELECT seq, run_id, at, mono, boot_id, type, data, hash FROM events WHERE type = ? ORDER BY seq"
        return [self._record(row) for row in self._rows(query, (kind.__name__,))]

    def runs(self) -> list[str]:
        """Return the ids of all runs, oldest first."""
        return [row[0] for row in self._rows("SELECT run_id FROM events WHERE type = 'RunStarted' ORDER BY seq")]

    def last_seq(self) -> int:
        """Return the number of the newest record, 0 in an empty journal."""
        self._check_place()
        return int(next(self._rows("SELECT coalesce(max(seq), 0) FROM events"))[0])

    def head_hash(self) -> str:
        """Return the hash of the newest record, which vouches for all before it."""
        row = next(self._rows("SELECT hash FROM events ORDER BY seq DESC LIMIT 1"), None)
        return str(row[0]) if row else ""

    def hash_of(self, seq: int) -> str:
        """Return the hash of a record, empty where there is none of that number."""
        row = next(self._rows("SELECT hash FROM events WHERE seq = ?", (seq,)), None)
        return str(row[0]) if row else ""

    def raw_records(self) -> Iterator[RawRecord]:
        """Return all records of all runs in order, as they are stored, whatever is in them."""
        self._connection.text_factory = _any_text
        try:
            query = "SELECT seq, run_id, at, mono, boot_id, type, data, prev_hash, hash FROM events ORDER BY seq"
            return iter([RawRecord(*row) for row in self._rows(query)])
        finally:
            self._connection.text_factory = str

    def _record(self, row: tuple[int, str, float, float, str, str, str, str]) -> Record:
        seq, run_id, at, mono, boot_id, kind, data, digest = row
        try:
            if not (isinstance(seq, int) and isinstance(at, int | float) and isinstance(mono, int | float)):
                raise TypeError("what should be a number is none")  # noqa: TRY301
            event = decode_event(kind, data)
        except (ValueError, TypeError) as error:
            raise JournalError(
                f"record {seq} of the journal {self.path} cannot be read: {error}",
                "it was damaged, or written by another version; use that version or restore the file",
            ) from error
        return Record(seq, run_id, at, mono, boot_id, event, digest)

    def _readable(self, row: tuple[int, str, float, float, str, str, str, str]) -> Record | None:
        """Return a record of an earlier run; one that cannot be read is for the audit, and blocks nobody."""
        try:
            return self._record(row)
        except JournalError:
            return None

    def _differs(self, last: int, known: Tip) -> JournalDiffersError:
        there = f"it ends with record {last}" if last != known.seq else f"its record {last} is another one"
        return JournalDiffersError(
            f"the journal {self.path} is not the one that was read: {there}, and record {known.seq} was the last",
            _DIFFERS,
        )

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> Iterator[Any]:
        try:
            with closing(self._connection.execute(query, values)) as cursor:
                rows = cursor.fetchall()
        except sqlite3.Error as error:
            raise _cannot(self.path, error) from error
        return iter(rows)


def record_hash(before: str, seq: int, run_id: str, at: float, mono: float, boot_id: str, kind: str, data: str) -> str:
    """Return the hash that chains a record to the one before it."""
    text = "\x1f".join((before, str(seq), run_id, repr(float(at)), repr(float(mono)), boot_id, kind, data))
    return hashlib.sha256(text.encode()).hexdigest()


def _identity(path: Path) -> tuple[int, int, int]:
    """Return which file lies there, and its size; zeros where none does."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_dev, found.st_ino, found.st_size


def _any_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _connect(path: Path, *, create: bool) -> sqlite3.Connection | None:
    if create:
        os.close(open_private(path, os.O_RDWR | os.O_CREAT))
        connection = _open(path, "mode=rwc")
        try:
            _prepare(path, connection)
        except BaseException:
            connection.close()
            raise
        return connection
    try:
        return _readable(path, "mode=ro")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise
    # Without the right to make the shared-memory file, only the file itself can be read.
    return _readable(path, "mode=ro&immutable=1")


def _readable(path: Path, how: str) -> sqlite3.Connection | None:
    """Open for reading; None for a journal that is just being made, whose first run is not in it yet."""
    connection = _open(path, how)
    try:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
            _check_version(path, connection)
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def _open(path: Path, how: str) -> sqlite3.Connection:
    # In autocommit: every transaction is opened and closed by name.
    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?{how}", uri=True, isolation_level=None, timeout=10.0)


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    version = _check_version(path, connection)
    path.chmod(0o600)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA trusted_schema = OFF")
    if version < _VERSION:
        connection.executescript(_SCHEMA)


def _check_version(path: Path, connection: sqlite3.Connection) -> int:
    """Return the version of its format, 0 for a file without tables. Raise `JournalError` for that of another."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, _VERSION):
        age = "a newer" if version > _VERSION else "an older"
        raise JournalError(
            f"the journal {path} was written by {age} version", "use that version, or another state directory"
        )
    return version


def _cannot(path: Path, error: sqlite3.Error | OSError) -> JournalError:
    why = getattr(error, "strerror", None) or error
    return JournalError(f"the journal {path} cannot be used: {why}", _HINT)
