"""What the engine asks of a journal, and which one a workspace has: a file or a team's database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from switchover.clock import Clock
from switchover.locations import Workspace
from switchover.migration.facts.events import Event, Record
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.journal_reading import Ask, JournalReading, Tip
from switchover.migration.journal.sqlite_journal import Journal, RawRecord
from switchover.snapshot import Holder

__all__ = ["JournalNews", "JournalStore", "open_journal", "open_news"]

_GLANCE_S = 0.5


class JournalStore(Protocol):
    """An append-only, hash-chained journal. Every method may raise `JournalError`."""

    @property
    def journal_id(self) -> str:
        """The random id that was given to it when it was made: one that was made anew is another journal."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def broken(self) -> bool:
        """Whether it has to be opened anew before it can be used again."""

    @property
    def shared(self) -> bool:
        """Whether engines on other hosts may write to it too."""

    @property
    def tip(self) -> Tip | None:
        """The newest record as far as it was read or written here; None before."""

    def close(self) -> None:
        """Close it."""

    def abandon(self) -> None:
        """Let go of it at once, from any thread: whoever waits for its server waits no more."""

    def hold(self, operator: Operator, target: str, ask: Ask | None = None) -> None:
        """Be the only one who writes, and who acts on the target. Raise `LockedError` that names who is.

        Where a server is asked, the records are read along. The next `read` of them waits for nothing.
        """

    def leave(self) -> None:
        """Let others write. Never raises."""

    def holder(self) -> Holder | None:
        """Return who may write now, as far as the journal itself knows."""

    def append(self, run_id: str, event: Event) -> Record:
        """Add a fact after the newest that is known here; on return it is durable.

        Raise `JournalDiffersError` where another is the newest there.
        """

    def read(self, ask: Ask) -> JournalReading:
        """Return what is new."""

    def records(self, run_id: str, after: int = 0) -> list[Record]:
        """Return a run's records in order, those after `after`."""

    def of_type(self, kind: type[Event]) -> list[Record]:
        """Return all records of one type, over all runs."""

    def runs(self) -> list[str]:
        """Return the ids of all runs, oldest first."""

    def last_seq(self) -> int:
        """Return the number of the newest record, 0 in an empty journal."""

    def head_hash(self) -> str:
        """Return the hash of the newest record, which vouches for all before it."""

    def hash_of(self, seq: int) -> str:
        """Return the hash of a record, empty where there is none of that number."""

    def raw_records(self) -> Iterator[RawRecord]:
        """Return all records as they are stored, in order."""


def open_journal(
    workspace: Workspace, plan_id: str, clock: Clock, *, create: bool, ask: Ask | None = None, token: str = ""
) -> JournalStore | None:
    """Open the workspace's journal, made if `create`. Return None where there is none and none is to be made.

    Where a server has to be asked, what is asked for is read along. `token` tells an engine from all others.
    """
    if workspace.shared is None:
        return Journal.open(workspace.journal, clock, create=create)
    from switchover.migration.journal.postgres_journal import PostgresJournal  # psycopg takes 100 ms, and few need it

    name = workspace.shared.name or plan_id
    return PostgresJournal.open(workspace.shared, name, clock, create=create, ask=ask, token=token)


class JournalNews(Protocol):
    """Says when it is worth looking whether somebody else has written."""

    async def wait(self) -> bool:
        """Wait until then. Return whether something is known to have happened."""

    async def aclose(self) -> None:
        """Wait for no more."""


class _Glances:
    """A file emits no events, and reading it costs next to nothing. So read it now and then."""

    async def wait(self) -> bool:
        await asyncio.sleep(_GLANCE_S)
        return False

    async def aclose(self) -> None:
        pass


def open_news(workspace: Workspace, plan_id: str) -> JournalNews:
    """Return what tells of the workspace's journal. Connects to nothing yet."""
    if workspace.shared is None:
        return _Glances()
    from switchover.migration.journal.postgres_news import PostgresNews

    return PostgresNews(workspace.shared, workspace.shared.name or plan_id)
