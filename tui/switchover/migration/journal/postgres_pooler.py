"""Is there a pooler that lends a session to others between two questions? A journal cannot be kept through one."""

from __future__ import annotations

import secrets
from contextlib import suppress

from switchover.errors import JournalError
from switchover.migration.journal.off_loop import Overdue, wait_for_call
from switchover.migration.journal.postgres_session import PostgresSession
from switchover.settings import JournalAddress

__all__ = ["refuse_lent_sessions"]

_MARK = "switchover.mark"
_OTHER_WITHIN_S = 2.0


def refuse_lent_sessions(session: PostgresSession, address: JournalAddress, backend: int) -> bool:
    """Raise `JournalError` where a pooler lends the session to others; return whether there is a pooler at all.

    Only a pooler tells another process at the login than the one that serves. The session gets a mark, then a second
    one begins a transaction. It is lent either another server connection, or the one with the mark.
    """
    if session.told_backend == backend:
        return False
    mark = secrets.token_hex(8)
    session.ask("SELECT set_config(%s, %s, false)", (_MARK, mark))
    other = PostgresSession(address)
    try:
        try:
            seen = wait_for_call(
                lambda: other.ask("BEGIN; SELECT current_setting(%s, true)", (_MARK,)), _OTHER_WITHIN_S
            )[0][0][0]
        except Overdue:  # a pool of one has nothing left for it, which proves nothing
            other.abandon()
            seen = ""
        except JournalError as error:
            if "pooling mode" in error.title:  # no transaction may be begun there
                raise _lent(session) from error
            raise
        if seen == mark or session.ask("SELECT current_setting(%s, true)", (_MARK,))[0][0][0] != mark:
            raise _lent(session)
        with suppress(JournalError):
            other.ask("ROLLBACK")
    finally:
        other.close()
    return True


def _lent(session: PostgresSession) -> JournalError:
    return JournalError(
        f"the journal {session.shown} is reached through a pooler that lends its sessions to others",
        "let the pooler keep sessions (pgbouncer: pool_mode=session), or name the server itself",
    )
