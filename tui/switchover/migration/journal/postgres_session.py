"""A session with a PostgreSQL that keeps journals: how it is begun, and what an error of it means.

All that is asked goes as one message, so that it costs one round trip however much it is.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, LiteralString

import psycopg
from psycopg import errors

from switchover.errors import JournalAwayError, JournalError
from switchover.migration.journal.postgres_refusal import PASSES, refusal_of
from switchover.settings import JournalAddress

__all__ = ["AWAY_HINT", "CONNECT", "HINT", "SESSION", "PostgresSession", "in_words", "refused_login"]

HINT = "see to the database, or name another journal with --journal"
AWAY_HINT = "what runs goes on; its end is kept on this host and recorded when the database is back"

# A peer that is gone without a word is noticed within half a minute, on both sides.
CONNECT: dict[str, Any] = {
    "autocommit": True,
    "application_name": "switchover",
    "client_encoding": "utf8",
    "connect_timeout": 4,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# Settings are made only in a session of one's own: what a pooler lends goes on to others.
# The server's own end of the line: without `tcp_user_timeout` it takes a dead host for alive for a quarter of an hour.
SESSION: LiteralString = """
SELECT set_config(name, value, false) FROM pg_settings JOIN (VALUES
    ('statement_timeout', '15s'), ('lock_timeout', '10s'), ('idle_session_timeout', '0'),
    ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3'),
    ('tcp_user_timeout', '10s')) AS wanted (name, value) USING (name) WHERE pg_backend_pid() = %(backend)s;
SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local') AND pg_backend_pid() = %(backend)s;
SELECT pg_backend_pid();
"""
# What a server says that will be well again by itself; everything else that it says is for a person to mend.
_WELL_AGAIN = re.compile(
    r"starting up|shutting down|recovery|too many|remaining connection slots|terminating|not yet accepting"
    r"|query_wait_timeout|server_login_retry|pgbouncer cannot connect|no more connections",
    re.IGNORECASE,
)
# "FATAL:  ..." in whatever language, or what the client says of a login that the server wants otherwise.
_REFUSES = re.compile(r"\b\w{3,}:  |no password supplied|certificate|SSL|authentication|definition of service")


class PostgresSession:
    """A connection that answers several questions at once. Used from one thread at a time, but for `abandon`."""

    def __init__(self, address: JournalAddress) -> None:
        self.shown = address.shown
        self.broken = ""
        self.warning = ""  # what the server warned of in its last answer
        self._hide = address.hide
        try:
            self._connection = psycopg.connect(address.url, **CONNECT, cursor_factory=psycopg.ClientCursor)
        except psycopg.OperationalError as error:
            raise refused_login(address, error) from None  # what it says of an address may repeat the password
        except (psycopg.Error, ValueError):
            raise JournalError(f"{address.shown} is no address that PostgreSQL understands", HINT) from None
        self._connection.add_notice_handler(self._warn)

    @property
    def encoding(self) -> str:
        """The database's own encoding."""
        return self._connection.info.parameter_status("server_encoding") or ""

    @property
    def told_backend(self) -> int:
        """The process that serves this session, as it was told at the login; a pooler tells something else."""
        return self._connection.info.backend_pid

    def ask(
        self, query: str, values: Mapping[str, object] | Sequence[object] | None = None
    ) -> list[list[tuple[Any, ...]]]:
        """Return the rows of each statement that gives any. Raise `JournalAwayError` where the line is lost."""
        if self.broken:
            raise JournalAwayError(self.broken, AWAY_HINT)
        self.warning = ""
        try:
            cursor = self._connection.execute(query.encode(), values)
            found = [cursor.fetchall()] if cursor.description else []
            while cursor.nextset():
                if cursor.description:
                    found.append(cursor.fetchall())
        except psycopg.Error as error:
            raise self._judged(error) from error
        return found

    def abandon(self) -> None:
        """Cut the line, from any thread; whoever waits gets an error at once. Nothing is cancelled at the server."""
        self.broken = self.broken or f"the journal {self.shown} does not answer"
        with suppress(OSError, psycopg.Error):
            line = socket.socket(fileno=self._connection.fileno())
            try:
                line.shutdown(socket.SHUT_RDWR)
            finally:
                line.detach()

    def close(self) -> None:
        """End it; the server gives back what was held."""
        self._connection.close()

    def _judged(self, error: psycopg.Error) -> JournalError:
        words = self._hide(in_words(error))
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) or self._connection.closed
        if isinstance(error, errors.ReadOnlySqlTransaction):
            lost, words = True, f"this server only reads: a standby, or a role that may not write ({words})"
        if lost:
            self.broken = self.broken or f"the journal {self.shown} is away: {words}"
            return JournalAwayError(self.broken, AWAY_HINT)
        if isinstance(error, errors.InsufficientPrivilege):
            return JournalError(
                f"the journal {self.shown} does not let you do that: {words}",
                "ask whoever keeps the database for the role: `switchover journal roles` says which there are",
            )
        return JournalError(f"the journal {self.shown} cannot be used: {words}", HINT)

    def _warn(self, notice: psycopg.errors.Diagnostic) -> None:
        # As when a commit is no longer waited for at the standby: it is done here, and may be lost with this server.
        if notice.severity_nonlocalized == "WARNING":
            self.warning = self.warning or self._hide(notice.message_primary or "it gave a warning")


def refused_login(address: JournalAddress, error: psycopg.OperationalError) -> JournalError:
    """Return what a failed login means: the server is away, or it does not let this one in."""
    words, said = address.hide(in_words(error)), str(error)
    if said.startswith("connection is bad") and "connection to server" not in said:
        return JournalError(f"the journal {address.shown} cannot be used: {words}", HINT)
    if _REFUSES.search(said) and not _WELL_AGAIN.search(said) and refusal_of(error.pgconn) not in PASSES:
        return JournalError(
            f"the journal {address.shown} does not let you in: {words.rpartition(' failed: ')[2]}",
            "see to the user, the password and its rights",
        )
    return JournalAwayError(f"the journal {address.shown} is away: {words}", AWAY_HINT)


def in_words(error: psycopg.Error) -> str:
    """Return the first line of what an error says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
