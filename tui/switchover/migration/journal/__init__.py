"""Where facts are kept: SQLite or PostgreSQL, hash-chained, fenced by locks.

`record_hash` is for those who check a journal with a program of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from switchover.migration.journal.sqlite_journal import record_hash

__all__ = ["record_hash"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # only who asks for it pays for SQLite
        from switchover.migration.journal import sqlite_journal

        return getattr(sqlite_journal, name)
    raise AttributeError(name)
