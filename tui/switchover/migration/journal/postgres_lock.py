"""Who may write to a journal in PostgreSQL: one session, named in a table that only drivers may write to.

The holder has a row there, with an epoch that grows with each holder. It also has an advisory lock whose number nobody
can guess beforehand. A row counts only while that very session, of that very login, has that lock. Anybody who may log
in can take advisory locks, but a reader cannot write the row. The server gives the lock back when a session ends.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

from switchover.errors import LockedError
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.run_lock import describe_holder
from switchover.snapshot import Holder

__all__ = ["FENCE", "HOLDER", "Hold", "holder_of"]

_IS_ALIVE: LiteralString = """EXISTS (
    SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid = h.backend AND a.usesysid = h.login
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.classid = (h.key >> 32)::oid AND l.objid = (h.key & 4294967295)::oid)"""
HOLDER: LiteralString = (
    "SELECT who, host, tty, pid, since FROM switchover.holders AS h WHERE lock = %(run)s AND " + _IS_ALIVE + ";"
)
FENCE: LiteralString = """
    SELECT 1 FROM switchover.holders WHERE lock = %(run)s AND epoch = %(epoch)s AND backend = pg_backend_pid() FOR SHARE
"""
_TAKE: LiteralString = (
    """
SELECT pg_try_advisory_lock(%(key)s);
INSERT INTO switchover.holders AS h
    SELECT lock, 1, %(who)s, %(host)s, %(tty)s, %(pid)s, %(since)s, %(token)s, %(key)s, pg_backend_pid(),
        (SELECT oid FROM pg_roles WHERE rolname = session_user)
    FROM unnest(%(locks)s::text[]) AS lock ORDER BY lock <> %(run)s
    ON CONFLICT (lock) DO UPDATE SET epoch = h.epoch + 1, who = excluded.who, host = excluded.host,
        tty = excluded.tty, pid = excluded.pid, since = excluded.since, token = excluded.token, key = excluded.key,
        backend = excluded.backend, login = excluded.login
    WHERE h.token = excluded.token OR NOT """
    + _IS_ALIVE
    + """
    RETURNING lock, epoch;
SELECT pg_notify(%(channel)s, '');
SELECT lock, who, host, tty, pid, since FROM switchover.holders AS h
    WHERE lock = ANY(%(locks)s) AND token <> %(token)s AND """
    + _IS_ALIVE
    + ";"
)
_LEAVE: LiteralString = """
UPDATE switchover.holders SET backend = 0 WHERE lock = ANY(%(locks)s) AND token = %(token)s AND key = %(key)s;
SELECT pg_advisory_unlock(%(key)s);
SELECT pg_notify(%(channel)s, '');
"""


@dataclass(slots=True)
class Hold:
    """What a session holds, or wants to: the run's lock and the target's. `token` tells its engine from all others.

    An engine whose session was lost takes over from itself. Others wait until the server knows that it is gone.
    """

    run: str
    channel: str
    token: str
    epoch: int = 0
    _key: int = 0
    _locks: dict[str, str] = field(default_factory=dict)  # the row's name -> what a person calls it

    def values(self) -> dict[str, object]:
        """Return what the statements are filled with."""
        return {"run": self.run, "epoch": self.epoch, "channel": self.channel, "token": self.token, "key": self._key,
                "locks": list(self._locks)}  # fmt: skip

    def taking(self, operator: Operator, target: str) -> tuple[LiteralString, dict[str, object]]:
        """Return what takes it."""
        self._key = secrets.randbits(62)
        self._locks = {self.run: "this run", **({f"target {target}": f"the target {target}"} if target else {})}
        who = {
            "who": operator.who,
            "host": operator.host,
            "tty": operator.tty,
            "pid": os.getpid(),
            "since": time.time(),
        }
        return _TAKE, {**self.values(), **who}

    def taken(self, found: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        """Read the answer. Raise `LockedError` that names who holds it."""
        _, rows, _, others = found[:4]
        epochs = {str(row[0]): int(row[1]) for row in rows}
        self.epoch = epochs.get(self.run, 0)
        for lock, what in self._locks.items():
            if lock in epochs:
                continue
            holder = next((holder_of([row[1:]]) for row in others if row[0] == lock), None)
            words = describe_holder(holder) if holder else "somebody who is just beginning or ending"
            raise LockedError(
                f"{what} is driven by {words}", "watch it with `switchover status PLAN`, or wait until it is free"
            )

    def leaving(self) -> tuple[LiteralString, dict[str, object]] | None:
        """Return what gives it back; None where nothing was taken."""
        if not self._locks:
            return None
        values = self.values()
        self.epoch, self._locks = 0, {}
        return _LEAVE, values


def holder_of(rows: Sequence[tuple[Any, ...]]) -> Holder | None:
    """Return the holder in an answer."""
    return Holder(*rows[0]) if rows else None
