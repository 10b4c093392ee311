"""A journal in PostgreSQL, for teams on several hosts: the same records, chained the same way.

Whoever writes holds an advisory lock, which the server gives back when their connection ends, and an epoch that grows
with each holder. A record goes in only while its writer's epoch is the newest, checked in the very statement that
inserts it: who lost the lock without knowing can never write after the next one.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
from psycopg import errors

from switchover.clock import Clock
from switchover.errors import JournalAwayError, JournalError, LockedError
from switchover.migration.events import Event, Record, decode_event, encode_event
from switchover.migration.journal import RawRecord, record_hash
from switchover.migration.lock import describe_holder
from switchover.migration.operator import Operator
from switchover.settings import JournalAddress
from switchover.snapshot import Holder

__all__ = ["CONNECT", "PostgresJournal", "channel_of"]

# A peer that is gone without a word is noticed within half a minute, on both sides.
CONNECT: dict[str, Any] = {
    "autocommit": True,
    "application_name": "switchover",
    "connect_timeout": 4,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_SESSION = """
SET client_encoding = 'UTF8';
SET statement_timeout = '15s';
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local');
"""
_VERSION = 2
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS switchover;
CREATE TABLE switchover.version (version integer NOT NULL);
CREATE TABLE switchover.journals (name text PRIMARY KEY, id text NOT NULL);
CREATE TABLE switchover.events (
    journal text NOT NULL,
    seq bigint NOT NULL,
    run_id text NOT NULL,
    at double precision NOT NULL,
    mono double precision NOT NULL,
    boot_id text NOT NULL,
    type text NOT NULL,
    data text NOT NULL,
    prev_hash text NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (journal, seq)
);
CREATE INDEX events_run ON switchover.events (journal, run_id, seq);
CREATE INDEX events_type ON switchover.events (journal, type, seq);
CREATE TABLE switchover.holders (
    lock text PRIMARY KEY,
    epoch bigint NOT NULL,
    who text NOT NULL,
    host text NOT NULL,
    tty text NOT NULL,
    pid integer NOT NULL,
    since double precision NOT NULL
);
CREATE FUNCTION switchover.append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'append only'; END $$;
CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON switchover.events
    FOR EACH STATEMENT EXECUTE FUNCTION switchover.append_only();
CREATE TRIGGER journals_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON switchover.journals
    FOR EACH STATEMENT EXECUTE FUNCTION switchover.append_only();
INSERT INTO switchover.version VALUES (2);
"""
_NAME = """
INSERT INTO switchover.journals VALUES (%s, %s) ON CONFLICT (name) DO NOTHING
"""
_TAKE = """
INSERT INTO switchover.holders AS h VALUES (%s, 1, %s, %s, %s, %s, %s)
ON CONFLICT (lock) DO UPDATE SET epoch = h.epoch + 1, who = excluded.who, host = excluded.host, tty = excluded.tty,
    pid = excluded.pid, since = excluded.since
RETURNING epoch
"""
_APPEND = """
WITH fence AS (SELECT 1 FROM switchover.holders WHERE lock = %s AND epoch = %s FOR SHARE),
added AS (
    INSERT INTO switchover.events SELECT %s::text, %s::bigint, %s::text, %s::float8, %s::float8, %s::text, %s::text,
        %s::text, %s::text, %s::text FROM fence RETURNING seq
)
SELECT pg_notify(%s, seq::text) FROM added
"""
_OF_RUN = """
SELECT seq, run_id, at, mono, boot_id, type, data, hash FROM switchover.events
WHERE journal = %s AND run_id = %s AND seq > %s ORDER BY seq
"""
_OF_TYPE = """
SELECT seq, run_id, at, mono, boot_id, type, data, hash FROM switchover.events
WHERE journal = %s AND type = %s ORDER BY seq
"""
_RAW = """
SELECT seq, run_id, at, mono, boot_id, type, data, prev_hash, hash FROM switchover.events
WHERE journal = %s ORDER BY seq
"""
_HOLDER = """
SELECT who, host, tty, pid, since FROM switchover.holders WHERE lock = %s AND EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = %s::bigint::oid AND objid = %s::bigint::oid)
"""
_LOOK_AGAIN_S = 1.0
_HINT = "see to the database, or name another journal with --journal"
_AWAY_HINT = "what runs goes on; its end is kept on this host and recorded when the database is back"


@dataclass(frozen=True, slots=True)
class _Lock:
    """An advisory lock of the server. `name` is its row among the holders, `what` what a person calls it."""

    name: str
    what: str

    @property
    def key(self) -> int:
        digest = hashlib.sha256(f"switchover {self.name}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    @property
    def halves(self) -> tuple[int, int]:
        """The key as `pg_locks` shows it."""
        unsigned = self.key % (1 << 64)
        return unsigned >> 32, unsigned & 0xFFFFFFFF


class PostgresJournal:
    """One journal of a database: `name` tells it from others there. Used from one thread at a time."""

    shared = True

    def __init__(
        self,
        address: JournalAddress,
        name: str,
        connection: psycopg.Connection[tuple[Any, ...]],
        clock: Clock,
        journal_id: str,
    ) -> None:
        self.journal_id = journal_id
        self._shown = address.shown
        self._name = name
        self._connection = connection
        self._clock = clock
        self._boot_id = clock.boot_id()
        self._broken = ""
        self._run = _Lock(f"run {name}", "this run")
        self._held: list[_Lock] = []
        self._epoch = 0
        self._head = (0, "")
        self._seen: tuple[float, Holder | None] = (-_LOOK_AGAIN_S, None)

    @classmethod
    def open(cls, address: JournalAddress, name: str, clock: Clock, *, create: bool = True) -> PostgresJournal | None:
        """Open the journal, its tables made if `create`. Return None where there are none and none are to be made."""
        try:
            connection = psycopg.connect(address.url, **CONNECT)
        except psycopg.OperationalError as error:
            raise JournalAwayError(f"the journal {address.shown} is away: {_first_line(error)}", _AWAY_HINT) from error
        except (psycopg.Error, ValueError):  # what it says of an address may repeat the password
            raise JournalError(f"{address.shown} is no address that PostgreSQL understands", _HINT) from None
        try:
            journal_id = _prepare(connection, address, name, create=create)
        except BaseException as error:
            connection.close()
            if not isinstance(error, psycopg.Error):
                raise
            kind = JournalAwayError if _is_away(error) else JournalError
            raise kind(f"the journal {address.shown} cannot be used: {_first_line(error)}", _HINT) from error
        if not journal_id:
            connection.close()
            return None
        return cls(address, name, connection, clock, journal_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def broken(self) -> bool:
        """Whether the connection is lost or a write failed, so that it has to be opened anew."""
        return bool(self._broken)

    def close(self) -> None:
        """Close it; the server gives back what was held."""
        self._held.clear()
        self._connection.close()

    # Who may write

    def hold(self, operator: Operator, target: str) -> None:
        """Be the only one who writes, and who acts on the target. Raise `LockedError` that names who is."""
        wanted = [self._run, *([_Lock(f"target {target}", f"the target {target}")] if target else [])]
        try:
            epochs = [self._take(lock, operator) for lock in wanted]
        except BaseException:
            self.leave()
            raise
        self._epoch = epochs[0]
        rows = self._rows("SELECT seq, hash FROM switchover.events WHERE journal = %s ORDER BY seq DESC LIMIT 1")
        self._head = (rows[0][0], rows[0][1]) if rows else (0, "")
        self._tell()

    def leave(self) -> None:
        """Let others write. Never raises: a lost connection has left already."""
        held, self._held, self._epoch = self._held, [], 0
        try:
            for lock in reversed(held):
                self._execute("SELECT pg_advisory_unlock(%s)", (lock.key,))
            if held:
                self._tell()
        except JournalError:
            pass

    def holder(self) -> Holder | None:
        """Return who may write now, at most a second old; None where nobody does or nobody can tell."""
        now = time.monotonic()
        if now - self._seen[0] >= _LOOK_AGAIN_S:
            try:
                self._seen = (now, self._holder_of(self._run))
            except JournalError:
                self._seen = (now, None)
        return self._seen[1]

    def _take(self, lock: _Lock, operator: Operator) -> int:
        if not self._execute("SELECT pg_try_advisory_lock(%s)", (lock.key,))[0][0]:
            holder = self._holder_of(lock)
            words = describe_holder(holder) if holder else "somebody who is just beginning or ending"
            raise LockedError(
                f"{lock.what} is driven by {words}", "watch it with `switchover status`, or wait until it is free"
            )
        self._held.append(lock)
        values = (lock.name, operator.who, operator.host, operator.tty, os.getpid(), time.time())
        return int(self._execute(_TAKE, values)[0][0])

    def _holder_of(self, lock: _Lock) -> Holder | None:
        rows = self._execute(_HOLDER, (lock.name, *lock.halves))
        return Holder(*rows[0]) if rows else None

    def _tell(self) -> None:
        """Wake whoever watches: the holder is another."""
        self._seen = (-_LOOK_AGAIN_S, None)
        self._execute("SELECT pg_notify(%s, '')", (channel_of(self._name),))

    # Records

    def append(self, run_id: str, event: Event) -> Record:
        """Add a fact; on return it is durable. After a `JournalAwayError` it has to be opened and read anew."""
        if not self._epoch and not self._broken:
            raise JournalError(f"nothing is written to {self._shown} without holding it")
        kind, data = encode_event(event)
        at, mono = self._clock.now(), self._clock.monotonic()
        seq, before = self._head[0] + 1, self._head[1]
        digest = record_hash(before, seq, run_id, at, mono, self._boot_id, kind, data)
        row = (self._name, seq, run_id, at, mono, self._boot_id, kind, data, before, digest)
        try:
            added = self._execute(_APPEND, (self._run.name, self._epoch, *row, channel_of(self._name)))
        except JournalError as error:
            self._broken = self._broken or error.title  # whether it went in has to be read anew
            raise
        if not added:
            self._broken = f"the journal {self._shown} was taken over by {self._next_holder()}"
            raise JournalAwayError(self._broken, "nothing was recorded; see `switchover status`")
        self._head = (seq, digest)
        return Record(seq, run_id, at, mono, self._boot_id, event, digest)

    def records(self, run_id: str, after: int = 0) -> list[Record]:
        """Return a run's records in order, those after `after`."""
        return [self._record(row) for row in self._rows(_OF_RUN, run_id, after)]

    def of_type(self, kind: type[Event]) -> list[Record]:
        """Return all records of one type, over all runs."""
        return [self._record(row) for row in self._rows(_OF_TYPE, kind.__name__)]

    def runs(self) -> list[str]:
        """Return the ids of all runs, oldest first."""
        query = "SELECT run_id FROM switchover.events WHERE journal = %s AND type = 'RunStarted' ORDER BY seq"
        return [row[0] for row in self._rows(query)]

    def last_seq(self) -> int:
        """Return the number of the newest record, 0 in an empty journal."""
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM switchover.events WHERE journal = %s")[0][0])

    def head_hash(self) -> str:
        """Return the hash of the newest record, which vouches for all before it."""
        rows = self._rows("SELECT hash FROM switchover.events WHERE journal = %s ORDER BY seq DESC LIMIT 1")
        return str(rows[0][0]) if rows else ""

    def hash_of(self, seq: int) -> str:
        """Return the hash of a record, empty where there is none of that number."""
        rows = self._rows("SELECT hash FROM switchover.events WHERE journal = %s AND seq = %s", seq)
        return str(rows[0][0]) if rows else ""

    def raw_records(self) -> Iterator[RawRecord]:
        """Return all records as they are stored, in order."""
        return (RawRecord(*row) for row in self._rows(_RAW))

    # Inside

    def _record(self, row: tuple[Any, ...]) -> Record:
        seq, run_id, at, mono, boot_id, kind, data, digest = row
        try:
            event = decode_event(kind, data)
        except ValueError as error:
            raise JournalError(
                f"record {seq} of the journal {self._shown} cannot be read: {error}",
                "it was damaged, or written by another version; use that version or restore the database",
            ) from error
        return Record(seq, run_id, at, mono, boot_id, event, digest)

    def _next_holder(self) -> str:
        try:
            holder = self._holder_of(self._run)
        except JournalError:
            holder = None
        return describe_holder(holder) if holder else "somebody else"

    def _rows(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        return self._execute(query, (self._name, *values))

    def _execute(self, query: LiteralString, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        if self._broken:
            raise JournalAwayError(self._broken, _AWAY_HINT)
        try:
            return self._connection.execute(query, values).fetchall()
        except psycopg.Error as error:
            if _is_away(error) or self._connection.closed:
                self._broken = f"the journal {self._shown} is away: {_first_line(error)}"
                raise JournalAwayError(self._broken, _AWAY_HINT) from error
            raise JournalError(f"the journal {self._shown} cannot be used: {_first_line(error)}", _HINT) from error


def channel_of(name: str) -> str:
    """Return the channel on which news of a journal is told."""
    return f"switchover_{hashlib.sha256(name.encode()).hexdigest()[:24]}"


def _prepare(
    connection: psycopg.Connection[tuple[Any, ...]], address: JournalAddress, name: str, *, create: bool
) -> str:
    """Make the session and the tables ready; return the id of the journal, empty where there is none of that name."""
    connection.execute(_SESSION)
    if not _version(connection):
        if not create:
            return ""
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise JournalError(f"the database {address.shown} is in {encoding}", "a journal needs one in UTF8")
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_Lock("schema", "").key,))
            if not _version(connection):
                connection.execute(_SCHEMA)
    if (version := _version(connection)) != _VERSION:
        age = "a newer" if version > _VERSION else "an older"
        raise JournalError(
            f"the journal {address.shown} was written by {age} version", "use that version, or another database"
        )
    journal_id = _id_of(connection, name)
    if create and not journal_id:
        connection.execute(_NAME, (name, secrets.token_hex(16)))
        journal_id = _id_of(connection, name)
    return journal_id


def _id_of(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> str:
    row = connection.execute("SELECT id FROM switchover.journals WHERE name = %s", (name,)).fetchone()
    return str(row[0]) if row else ""


def _version(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    row = connection.execute("SELECT to_regclass('switchover.version') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return 0
    row = connection.execute("SELECT max(version) FROM switchover.version").fetchone()
    return int(row[0]) if row else 0


def _is_away(error: psycopg.Error) -> bool:
    """Tell whether it can be well again without anybody changing the plan or the rights: gone, full, failing over."""
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | errors.ReadOnlySqlTransaction)


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
