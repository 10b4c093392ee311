"""`alerts.sqlite`: notices on their way, how alerts stand, silences. What is written is on the disk on return."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

import msgspec

from switchover.alerts.notifier_api import Notification
from switchover.alerts.outbox_records import AlertRecord, Delivery
from switchover.errors import StateError
from switchover.private_files import open_private
from switchover.snapshot import SilenceRecord

__all__ = ["AlertStore", "StoreInUseError"]

_VERSION = 1
_SCHEMA = f"""
CREATE TABLE delivery (
    id TEXT PRIMARY KEY, channel TEXT NOT NULL, notification TEXT NOT NULL, siblings TEXT NOT NULL, made REAL NOT NULL,
    next_at REAL NOT NULL, tries INTEGER NOT NULL, trying INTEGER NOT NULL, error TEXT NOT NULL,
    handed_on INTEGER NOT NULL, done_at REAL, outcome TEXT NOT NULL
) STRICT;
CREATE INDEX delivery_open ON delivery (done_at) WHERE done_at IS NULL;
CREATE TABLE alert (
    key TEXT PRIMARY KEY, state TEXT NOT NULL, since REAL NOT NULL, fired REAL, told REAL, text TEXT NOT NULL
) STRICT;
CREATE TABLE silence (
    id TEXT PRIMARY KEY, matchers TEXT NOT NULL, start REAL NOT NULL, until REAL NOT NULL, who TEXT NOT NULL,
    why TEXT NOT NULL, ack INTEGER NOT NULL
) STRICT;
CREATE TABLE rule (name TEXT PRIMARY KEY, keys TEXT NOT NULL, who TEXT NOT NULL, at REAL NOT NULL) STRICT;
PRAGMA user_version = {_VERSION};
"""
_KEPT_S = 30 * 86400.0


class StoreInUseError(StateError):
    """Another process of this workspace notifies already."""


class AlertStore:
    """The open file. One process at a time has it; another one that asks is refused."""

    def __init__(self, connection: sqlite3.Connection, lock: int = -1) -> None:
        self._connection = connection
        self._lock = lock

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the file. Raise `StoreInUseError` or another `StateError`."""
        try:
            lock = open_private(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise StateError(f"{path} cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise StoreInUseError("another process of this workspace notifies already") from None
        try:
            os.close(open_private(path, os.O_RDWR | os.O_CREAT))
            return cls(_connected(path), lock)
        except (sqlite3.Error, OSError) as error:
            os.close(lock)
            raise StateError(f"{path} cannot be opened: {error}", "free space, or move the file away") from None
        except StateError:
            os.close(lock)
            raise

    def close(self) -> None:
        """Close it, and let another process have it."""
        self._connection.close()
        if self._lock >= 0:
            os.close(self._lock)

    # Notices and alerts

    def put(self, deliveries: Iterable[Delivery], alerts: Iterable[AlertRecord] = (), over: Iterable[str] = ()) -> None:
        """Write notices down together with the alerts that they come from; `over` are keys of alerts that ended."""
        with self._connection as to:
            to.executemany(
                "INSERT OR IGNORE INTO delivery VALUES (?,?,?,?,?,?,?,?,?,?,NULL,'')", [_row(d) for d in deliveries]
            )
            to.executemany("DELETE FROM alert WHERE key = ?", [(key,) for key in over])
            to.executemany(
                "INSERT OR REPLACE INTO alert VALUES (?,?,?,?,?,?)",
                [(a.key, a.state, a.since, a.fired, a.told, a.text) for a in alerts],
            )

    def update(self, deliveries: Iterable[Delivery]) -> None:
        """Write down how far notices are."""
        rows = [(d.next_at, d.tries, d.trying, d.error, d.handed_on, d.id) for d in deliveries]
        with self._connection as to:
            to.executemany("UPDATE delivery SET next_at=?, tries=?, trying=?, error=?, handed_on=? WHERE id=?", rows)

    def finish(self, deliveries: Iterable[Delivery], outcome: str, at: float) -> None:
        """Write down that notices were sent, or given up."""
        with self._connection as to:
            to.executemany(
                "UPDATE delivery SET done_at=?, outcome=?, trying=0, tries=?, error=? WHERE id=?",
                [(at, outcome, d.tries, d.error, d.id) for d in deliveries],
            )
            to.execute("DELETE FROM delivery WHERE done_at < ?", (at - _KEPT_S,))

    def pending(self) -> list[Delivery]:
        """Return the notices that are not through, oldest first."""
        rows = self._connection.execute(
            "SELECT id, channel, notification, siblings, made, next_at, tries, trying, error, handed_on FROM delivery"
            " WHERE done_at IS NULL ORDER BY made, rowid"
        )
        return [_delivery(row) for row in rows]

    def recent(self, most: int = 100) -> list[tuple[Delivery, float | None, str]]:
        """Return the newest notices, each with when it was through and how."""
        rows = self._connection.execute(
            "SELECT id, channel, notification, siblings, made, next_at, tries, trying, error, handed_on, done_at,"
            " outcome FROM delivery ORDER BY made DESC, rowid DESC LIMIT ?",
            (most,),
        )
        return [(_delivery(row[:10]), row[10], row[11]) for row in rows]

    def alerts(self) -> list[AlertRecord]:
        """Return how every alert stood."""
        return [AlertRecord(*row) for row in self._connection.execute("SELECT * FROM alert ORDER BY since")]

    # Silences and rules

    def add_silence(self, silence: SilenceRecord) -> None:
        """Keep a silence, or change one."""
        matchers = msgspec.json.encode(silence.matchers).decode()
        row = (silence.id, matchers, silence.start, silence.until, silence.who, silence.why, silence.ack)
        with self._connection as to:
            to.execute("INSERT OR REPLACE INTO silence VALUES (?,?,?,?,?,?,?)", row)

    def silences(self, now: float) -> list[SilenceRecord]:
        """Return those that are not over."""
        rows = self._connection.execute("SELECT * FROM silence WHERE until > ? ORDER BY start", (now,))
        return [
            SilenceRecord(
                identity, tuple(msgspec.json.decode(matchers, type=list[str])), start, until, who, why, bool(ack)
            )
            for identity, matchers, start, until, who, why, ack in rows
        ]

    def keep_rule(self, name: str, keys: str, who: str, at: float) -> None:
        """Keep a rule that was made while running; without keys forget it."""
        with self._connection as to:
            if keys:
                to.execute("INSERT OR REPLACE INTO rule VALUES (?,?,?,?)", (name, keys, who, at))
            else:
                to.execute("DELETE FROM rule WHERE name = ?", (name,))

    def rules(self) -> list[tuple[str, str]]:
        """Return the rules that were made while running: name and keys, as JSON."""
        return list(self._connection.execute("SELECT name, keys FROM rule ORDER BY at"))


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, timeout=5.0)
    with closing(connection.execute("PRAGMA user_version")) as found:
        version = found.fetchone()[0]
    if version == 0:
        connection.executescript(f"PRAGMA journal_mode=WAL; BEGIN; {_SCHEMA} COMMIT;")
    elif version != _VERSION:
        connection.close()
        raise StateError(f"{path} is of another version ({version})", "move the file away; nothing in it was changed")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _row(d: Delivery) -> Sequence[object]:
    said, siblings = msgspec.json.encode(d.notification).decode(), msgspec.json.encode(d.siblings).decode()
    return (d.id, d.channel, said, siblings, d.made, d.next_at, d.tries, d.trying, d.error, d.handed_on)


def _delivery(row: Sequence[str | float]) -> Delivery:
    identity, channel, said, siblings, made, next_at, tries, trying, error, handed_on = row
    return Delivery(
        str(identity),
        str(channel),
        msgspec.json.decode(str(said), type=Notification),
        float(made),
        float(next_at),
        int(tries),
        bool(trying),
        str(error),
        bool(handed_on),
        tuple(msgspec.json.decode(str(siblings), type=list[str])),
    )
