"""A journal in PostgreSQL, for teams on several hosts: the same records, chained the same way.

Whoever writes holds it (`postgres_lock`), by an epoch that grows with each holder. A record goes in only while its
writer's epoch is the newest, in its very session. It goes in only after the record that its writer knows as the newest.
The inserting statement itself checks all of that, so a record costs one round trip.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, LiteralString, Self

from psycopg import errors

from switchover.clock import Clock
from switchover.errors import JournalAwayError, JournalDiffersError, JournalError
from switchover.migration.facts.events import Event, Record, decode_event, encode_event
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.journal_reading import Ask, JournalReading, Tip
from switchover.migration.journal.postgres_lock import FENCE, HOLDER, Hold, holder_of
from switchover.migration.journal.postgres_pooler import refuse_lent_sessions
from switchover.migration.journal.postgres_schema import NAME, check_version, make_tables, name_of
from switchover.migration.journal.postgres_session import AWAY_HINT, SESSION, PostgresSession
from switchover.migration.journal.run_lock import describe_holder
from switchover.migration.journal.sqlite_journal import RawRecord, record_hash
from switchover.settings import JournalAddress
from switchover.snapshot import Holder

__all__ = ["PostgresJournal", "channel_of"]

_COLUMNS: LiteralString = "seq, run_id, at, mono, boot_id, type, data, hash"
_RECORDS: LiteralString = "SELECT " + _COLUMNS + " FROM switchover.events WHERE journal = %(journal)s "
_APPEND: LiteralString = (
    "WITH fence AS ("
    + FENCE
    + """),
tip AS (SELECT seq, hash FROM switchover.events WHERE journal = %(journal)s ORDER BY seq DESC LIMIT 1),
added AS (
    INSERT INTO switchover.events SELECT %(journal)s::text, %(seq)s::bigint, %(run_id)s::text, %(at)s::float8,
        %(mono)s::float8, %(boot_id)s::text, %(kind)s::text, %(data)s::text, %(before)s::text, %(hash)s::text
    FROM fence, (SELECT FROM switchover.journals WHERE name = %(journal)s AND id = %(id)s) AS it
    WHERE coalesce((SELECT seq || ' ' || hash FROM tip), '0 ') = %(known)s
    RETURNING seq
)
SELECT (SELECT count(pg_notify(%(channel)s, seq::text)) FROM added), (SELECT count(*) FROM fence),
    (SELECT id FROM switchover.journals WHERE name = %(journal)s), (SELECT seq FROM tip)
"""
)
_HEAD: LiteralString = """
SELECT (SELECT max(version) FROM switchover.version), (SELECT id FROM switchover.journals WHERE name = %(journal)s),
    (SELECT hash FROM switchover.events WHERE journal = %(journal)s AND seq = %(known)s),
    (SELECT count(*) FROM switchover.events WHERE journal = %(journal)s AND type = 'RunStarted'), tip.seq, tip.hash
FROM (SELECT) AS one LEFT JOIN LATERAL
    (SELECT seq, hash FROM switchover.events WHERE journal = %(journal)s ORDER BY seq DESC LIMIT 1) AS tip ON true;
"""
_NEWEST_RUN: LiteralString = (
    _RECORDS
    + """AND run_id = (SELECT run_id FROM switchover.events WHERE journal = %(journal)s AND type = 'RunStarted'
    ORDER BY seq DESC LIMIT 1) AND (run_id <> %(run_id)s OR seq > %(known)s) ORDER BY seq;"""
)
_HISTORY: LiteralString = (
    _RECORDS
    + """AND type IN ('RollbackStarted', 'StepEnded', 'StepEndedLate', 'StepUnknown')
    AND %(history)s ORDER BY seq;"""
)
_READ: LiteralString = _HEAD + _NEWEST_RUN + _HISTORY + HOLDER
_READS = 4  # the answers to it
_RAW: LiteralString = """
SELECT seq, run_id, at, mono, boot_id, type, data, prev_hash, hash FROM switchover.events
WHERE journal = %(journal)s ORDER BY seq
"""
_GONE = "its tables are gone"
_DIFFERS_HINT = "bring the original back; or begin in a journal of another name: ?journal=NAME in its address"


class PostgresJournal:
    """One journal of a database: `name` tells it from others there. Used from one thread at a time."""

    shared = True

    def __init__(self, session: PostgresSession, name: str, clock: Clock, hold: Hold) -> None:
        self.journal_id = ""
        self.tip: Tip | None = None  # the newest record, as far as this has read or written
        self._session = session
        self._name = name
        self._clock = clock
        self._boot_id = clock.boot_id()
        self._hold = hold
        self._ready: tuple[Ask, JournalReading] | None = None

    @classmethod
    def open(
        cls,
        address: JournalAddress,
        name: str,
        clock: Clock,
        *,
        create: bool = True,
        ask: Ask | None = None,
        token: str = "",
    ) -> PostgresJournal | None:
        """Open the journal, made if `create`. Return None where there is none and none is to be made.

        What is asked for is read in the same round trip: the next `read` of the same finds it here. `token` tells one
        engine from all others, over all its sessions.
        """
        hold = Hold(f"run {name}", channel_of(name), token or secrets.token_hex(16))
        session = PostgresSession(address)
        journal = cls(session, name, clock, hold)
        try:
            if not journal._begin(address, ask or Ask(), create=create):
                session.close()
                return None
        except BaseException:
            session.close()
            raise
        return journal

    def _begin(self, address: JournalAddress, ask: Ask, *, create: bool) -> bool:
        """Make the session ready and read; return whether there is such a journal."""
        session = self._session
        values = {**self._values(ask), "backend": session.told_backend}
        try:
            found = session.ask(SESSION + _READ, values)
        except JournalError as error:
            if not _is_missing(error):
                raise
            found = session.ask(SESSION, values)
            self._refuse_pooler(address, found)
            if not make_tables(session, create=create):
                return False
            found = session.ask(NAME + _READ, {**values, **name_of(self._name)})
        else:
            self._refuse_pooler(address, found[:-_READS])
            check_version(session, found[-_READS][0][0])
            if not found[-_READS][0][1]:
                if not create:
                    return False
                found = session.ask(NAME + _READ, {**values, **name_of(self._name)})
        self._ready = (ask, self._reading(ask, found[-_READS:]))
        return True

    def _refuse_pooler(self, address: JournalAddress, found: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        backend = int(found[-1][0][0])
        if refuse_lent_sessions(self._session, address, backend):
            self._session.ask(SESSION, {"backend": backend})  # it is one's own after all

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def broken(self) -> bool:
        """Whether the connection is lost or a write failed, so that it has to be opened anew."""
        return bool(self._session.broken)

    def close(self) -> None:
        """Close it; the server gives back what was held."""
        self._session.close()

    def abandon(self) -> None:
        """Let go of it at once, from any thread."""
        self._session.abandon()

    # Who may write

    def hold(self, operator: Operator, target: str, ask: Ask | None = None) -> None:
        """Be the only one who writes, and who acts on the target. Raise `LockedError` that names who is.

        What is asked for is read in the same round trip.
        """
        ask = ask or Ask(self.tip or Tip())
        query, values = self._hold.taking(operator, target)
        found = self._session.ask(query + _READ, {**values, **self._values(ask)})
        try:
            self._refuse_unvouched("the lock")
            self._hold.taken(found)
        except BaseException:
            self.leave()
            raise
        reading = self._reading(ask, found[-_READS:])
        self.tip = self.tip or reading.tip
        self._ready = (ask, reading)

    def leave(self) -> None:
        """Let others write. Never raises: a lost connection has left already."""
        self._ready = None
        leaving = self._hold.leaving()
        if leaving is None:
            return
        with suppress(JournalError):
            self._session.ask(*leaving)

    def holder(self) -> Holder | None:
        """Return who may write now; None where nobody does."""
        return holder_of(self._session.ask(HOLDER, {"run": self._hold.run})[0])

    # Records

    def append(self, run_id: str, event: Event) -> Record:
        """Add a fact; on return it is durable. After a `JournalAwayError` it has to be opened and read anew.

        Raise `JournalDiffersError` where the newest record is not the one that was read or written here last.
        """
        session, known = self._session, self.tip
        if not session.broken and (not self._hold.epoch or known is None):
            raise JournalError(f"nothing is written to {session.shown} without holding it")
        kind, data = encode_event(event)
        at, mono = self._clock.now(), self._clock.monotonic()
        seq, before = (known.seq + 1, known.hash) if known is not None else (1, "")
        digest = record_hash(before, seq, run_id, at, mono, self._boot_id, kind, data)
        row = {"seq": seq, "run_id": run_id, "at": at, "mono": mono, "boot_id": self._boot_id, "kind": kind,
               "data": data, "before": before, "hash": digest}  # fmt: skip
        values = {"journal": self._name, "id": self.journal_id, "known": f"{seq - 1} {before}"}
        self._ready = None
        try:
            answer = session.ask(_APPEND, {**self._hold.values(), **row, **values})[0][0]
        except JournalError as error:
            if _is_missing(error):
                raise self._differs(_GONE) from error
            session.broken = session.broken or error.title  # whether it went in has to be read anew
            raise
        if not answer[0]:
            raise self._refused(known or Tip(), *answer[1:])
        self._refuse_unvouched("the last record")
        self.tip = Tip(seq, digest)
        return Record(seq, run_id, at, mono, self._boot_id, event, digest)

    def read(self, ask: Ask) -> JournalReading:
        """Return what is new."""
        ready, self._ready = self._ready, None
        if ready is not None and ready[0] == ask:
            reading = ready[1]
        else:
            try:
                reading = self._reading(ask, self._session.ask(_READ, self._values(ask)))
            except JournalError as error:
                if _is_missing(error):
                    raise self._differs(_GONE) from error
                raise
        self.tip = reading.tip
        return reading

    def records(self, run_id: str, after: int = 0) -> list[Record]:
        """Return a run's records in order, those after `after`."""
        query = _RECORDS + "AND run_id = %(run_id)s AND seq > %(after)s ORDER BY seq"
        return [self._record(row) for row in self._rows(query, run_id=run_id, after=after)]

    def of_type(self, kind: type[Event]) -> list[Record]:
        """Return all records of one type, over all runs."""
        query = _RECORDS + "AND type = %(kind)s ORDER BY seq"
        return [self._record(row) for row in self._rows(query, kind=kind.__name__)]

    def runs(self) -> list[str]:
        """Return the ids of all runs, oldest first."""
        return [row[1] for row in self._rows(_RECORDS + "AND type = 'RunStarted' ORDER BY seq")]

    def last_seq(self) -> int:
        """Return the number of the newest record, 0 in an empty journal."""
        return self._newest().seq

    def head_hash(self) -> str:
        """Return the hash of the newest record, which vouches for all before it."""
        return self._newest().hash

    def hash_of(self, seq: int) -> str:
        """Return the hash of a record, empty where there is none of that number."""
        rows = self._rows(_RECORDS + "AND seq = %(seq)s", seq=seq)
        return str(rows[0][7]) if rows else ""

    def raw_records(self) -> Iterator[RawRecord]:
        """Return all records as they are stored, in order."""
        return (RawRecord(*row) for row in self._rows(_RAW))

    # Inside

    def _newest(self) -> Tip:
        rows = self._rows(_RECORDS + "ORDER BY seq DESC LIMIT 1")
        return Tip(rows[0][0], rows[0][7]) if rows else Tip()

    def _values(self, ask: Ask) -> dict[str, object]:
        known = {"known": ask.known.seq, "run_id": ask.run_id, "history": ask.history}
        return {"journal": self._name, "run": self._hold.run, **known}

    def _reading(self, ask: Ask, found: Sequence[Sequence[tuple[Any, ...]]]) -> JournalReading:
        head, rows, history, holder = found
        _, journal_id, known, runs, seq, digest = head[0]
        records = tuple(self._record(row) for row in rows)
        tip = Tip(seq or 0, digest or "")
        if records and records[-1].seq > tip.seq:  # it came in between the two questions
            tip = Tip(records[-1].seq, records[-1].hash)
        self.journal_id = self.journal_id or str(journal_id or "")
        past = tuple(record for row in history if (record := self._readable(row)) is not None)
        run_id = records[-1].run_id if records else ask.run_id
        return JournalReading(
            str(journal_id or ""), tip, known or "", run_id, int(runs), records, past, holder_of(holder)
        )  # fmt: skip

    def _record(self, row: tuple[Any, ...]) -> Record:
        seq, run_id, at, mono, boot_id, kind, data, digest = row
        try:
            _refuse_no_time(at, mono)
            event = decode_event(kind, data)
        except ValueError as error:
            raise JournalError(
                f"record {seq} of the journal {self._session.shown} cannot be read: {error}",
                "it was damaged, added by other means, or of another version; see `switchover audit verify PLAN`",
            ) from error
        return Record(seq, run_id, at, mono, boot_id, event, digest)

    def _readable(self, row: tuple[Any, ...]) -> Record | None:
        """Return a record of an earlier run; one that cannot be read is for the audit, and blocks nobody."""
        try:
            return self._record(row)
        except JournalError:
            return None

    def _refuse_unvouched(self, what: str) -> None:
        """Raise `JournalAwayError` where a commit went in with a warning: it may be here alone, and all before it."""
        session = self._session
        if session.warning:
            session.broken = f"the server of {session.shown} does not vouch for {what}: {session.warning}"
            raise JournalAwayError(session.broken, AWAY_HINT)

    def _refused(self, known: Tip, fence: int, journal_id: str | None, seq: int | None) -> JournalError:
        """Say why nothing was added."""
        session = self._session
        if not fence:
            holder = self._next_holder()
            session.broken = f"the journal {session.shown} was taken over by {holder}"
            return JournalAwayError(session.broken, "nothing was recorded; see `switchover status PLAN`")
        if journal_id != self.journal_id:
            return self._differs("it was made anew" if journal_id else "it is gone")
        there = f"it ends with record {seq or 0}" if (seq or 0) != known.seq else f"its record {seq} is another one"
        return self._differs(f"{there}, and record {known.seq} was known here as the last")

    def _differs(self, why: str) -> JournalDiffersError:
        session = self._session
        session.broken = session.broken or f"the journal {session.shown} is not the one that this run is in: {why}"
        return JournalDiffersError(session.broken, _DIFFERS_HINT)

    def _next_holder(self) -> str:
        try:
            holder = self.holder()
        except JournalError:
            holder = None
        return describe_holder(holder) if holder else "somebody else"

    def _rows(self, query: LiteralString, **values: object) -> list[tuple[Any, ...]]:
        return self._session.ask(query, {"journal": self._name, **values})[0]


def channel_of(name: str) -> str:
    """Return the channel on which news of a journal is told."""
    return f"switchover_{hashlib.sha256(name.encode()).hexdigest()[:24]}"


def _refuse_no_time(*times: float) -> None:
    if not all(map(math.isfinite, times)):
        raise ValueError("its time is no time")


def _is_missing(error: JournalError) -> bool:
    return isinstance(error.__cause__, errors.UndefinedTable | errors.InvalidSchemaName | errors.UndefinedColumn)
