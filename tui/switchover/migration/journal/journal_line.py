"""An engine's line to its journal: opened, held, read and written, and the loop never waits for a server.

Questions go one after the other, each to its end, even where nobody waits for the answer any more.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from switchover.clock import Clock
from switchover.errors import JournalAwayError, JournalDiffersError, JournalError
from switchover.locations import Workspace
from switchover.migration.facts.events import Event, Record
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.checkpoints import Checkpoint, noted_heads, refuse_lost
from switchover.migration.journal.journal_reading import Ask, JournalReading, Tip
from switchover.migration.journal.journal_store import JournalStore, open_journal
from switchover.migration.journal.off_loop import Overdue, call_in_thread, wait_for_call
from switchover.migration.journal.outage import Outage
from switchover.snapshot import Holder

__all__ = ["JournalLine", "JournalOpening"]

_ANSWER_WITHIN_S = 12.0  # longer than the server may take for a statement that waits for a lock
_LEAVE_WITHIN_S = 3.0
_SLOW_S = 2.0
_HINT = "bring the original back; or begin in another journal: ?journal=NAME in its address, or another --state DIR"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JournalOpening:
    """How a journal is opened: made where there is none (`create`), and held for an operator on a target."""

    create: bool = False
    operator: Operator | None = None
    target: str = ""


class JournalLine:
    """What is known of the journal, and how to reach it. `tip` is the newest record that this engine knows of."""

    def __init__(
        self,
        workspace: Workspace,
        plan_id: str,
        clock: Clock,
        outage: Outage,
        noted_elsewhere: Callable[[], Checkpoint | None] = lambda: None,
    ) -> None:
        self.journal: JournalStore | None = None
        self.journal_id = ""
        self.tip = Tip()
        self.runs = 0
        self.holder: Holder | None = None
        self.writable = False
        self.current = False  # held, and read since: nobody else can have written
        self._workspace = workspace
        self._plan_id = plan_id
        self._clock = clock
        self._absence = outage
        self._noted_elsewhere = noted_elsewhere
        self._token = secrets.token_hex(16)
        self._turn = asyncio.Lock()
        self._going: set[asyncio.Task[Any]] = set()

    @property
    def shared(self) -> bool:
        """Whether it is a server's."""
        return self._workspace.shared is not None

    @property
    def usable(self) -> bool:
        """Whether it is open and no write to it has failed."""
        return self.journal is not None and not self.journal.broken

    async def in_turn(self, action: Callable[[], Awaitable[T]]) -> T:
        """Do it after all that was asked for before."""
        if not self.shared:
            return await action()  # which waits for nothing

        async def do() -> T:
            async with self._turn:
                return await action()

        task = asyncio.ensure_future(do())
        self._going.add(task)
        task.add_done_callback(self._going.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_forget)
            raise

    def read_now(self, ask: Ask, wanted: JournalOpening) -> JournalReading | None:
        """Do what `read` does, before anything else goes on in this process."""
        try:
            if self.shared:
                journal, reading = wait_for_call(lambda: self._read(None, ask, wanted), _ANSWER_WITHIN_S)
            else:
                journal, reading = self._read(self.journal, ask, wanted)
        except Overdue as overdue:
            overdue.then(_close)
            raise self._mute() from overdue
        self.journal = journal
        return self._verified(reading, wanted)

    async def read(self, ask: Ask, wanted: JournalOpening) -> JournalReading | None:
        """Return what is new; None where there is no journal. Opened where needed, and held if that is wanted.

        Raise `JournalDiffersError` for another journal than the one that was known, or for other records in it.
        """
        if self.journal is not None and self.journal.broken:
            self.drop()
        known = self.journal
        try:
            journal, reading = await self._call(lambda: self._read(known, ask, wanted), known)
        except JournalAwayError as error:
            self.drop()
            if known is None or isinstance(error.__cause__, Overdue):
                raise
            # The line was lost while nobody looked; the server may be back long since.
            journal, reading = await self._call(lambda: self._read(None, ask, wanted), None)
        self.journal = journal
        return self._verified(reading, wanted)

    async def hold(self, ask: Ask, wanted: JournalOpening) -> JournalReading | None:
        """Be the only one who writes to a shared journal, and read. Raise `LockedError` that names who is."""
        journal, operator = self.journal, wanted.operator
        self.current = False
        if journal is not None and not journal.broken and operator is not None:
            try:
                await self._call(lambda: journal.hold(operator, wanted.target, ask), journal)
            except JournalAwayError as error:
                self.drop()
                if isinstance(error.__cause__, Overdue):
                    raise
        return await self.read(ask, wanted)

    async def leave(self) -> None:
        """Let others write. Never raises."""
        self.current = False
        journal = self.journal
        if journal is not None:
            with suppress(JournalError):
                await self._call(journal.leave, journal, _LEAVE_WITHIN_S)

    async def append(self, run_id: str, event: Event) -> Record:
        """Add a fact after the newest that is known; on return it is durable."""
        journal = self.journal
        if journal is None:
            raise JournalError("nothing can be recorded: the journal is not open")
        record = await self._call(lambda: journal.append(run_id, event), journal)
        self.tip = Tip(record.seq, record.hash)
        return record

    async def records(self, run_id: str) -> list[Record]:
        """Return what is on record of a run, whether it is the newest or not."""
        journal = self.journal
        if journal is None:
            raise JournalAwayError("the journal is not open")
        return await self._call(lambda: journal.records(run_id), journal)

    def drop(self) -> None:
        """Close it; the next who asks opens it anew."""
        journal, self.journal, self.current, self.writable = self.journal, None, False, False
        if journal is not None:
            journal.close()

    async def settled(self) -> None:
        """Wait until what was asked for is through; a server that does not answer is not waited for."""
        if self._going:
            await asyncio.wait(self._going, timeout=_LEAVE_WITHIN_S)

    def close(self) -> None:
        """Close it, whatever goes on."""
        if self._turn.locked() and self.journal is not None:
            self.journal.abandon()
            self.journal = None
        self.drop()

    # Inside

    def _read(
        self, journal: JournalStore | None, ask: Ask, wanted: JournalOpening
    ) -> tuple[JournalStore | None, JournalReading | None]:
        """Ask the server; it may take any time. What is opened here is closed here where that fails."""
        if journal is not None:
            return journal, journal.read(ask)
        noted = noted_heads(self._workspace, self._noted_elsewhere())
        if noted and not ask.known.seq:
            newest = max(noted, key=lambda head: head.seq)
            ask = replace(ask, known=Tip(newest.seq, newest.hash))
        journal = self._open(ask, wanted, sure=not noted and not self.tip.seq)
        if journal is None:
            for head in noted:
                refuse_lost(None, head, self._workspace.journal_name)
            return None, None
        try:
            if wanted.operator is not None:
                journal.hold(wanted.operator, wanted.target, ask)
            reading = journal.read(ask)
            for head in noted:
                if not _is_in(head, reading, ask):
                    refuse_lost(journal, head, self._workspace.journal_name)
            if self.journal_id and noted and reading.journal_id != self.journal_id:
                reading = replace(journal.read(Ask(history=True)), anew=True)
            if wanted.create and not self.shared and (noted or self.tip.seq):
                journal.close()  # it was opened for reading alone
                journal = self._open(ask, wanted, sure=True)
        except BaseException:
            if journal is not None:
                journal.close()
            raise
        return journal, reading

    def _open(self, ask: Ask, wanted: JournalOpening, *, sure: bool) -> JournalStore | None:
        """Open it; made where there is none, if that is `sure`: in the midst of a run nothing is made."""
        create = wanted.create and sure
        return open_journal(self._workspace, self._plan_id, self._clock, create=create, ask=ask, token=self._token)

    async def _call(self, work: Callable[[], T], journal: JournalStore | None, within_s: float | None = None) -> T:
        if not self.shared:
            return work()
        began, slow = self._clock.now(), False

        def tell() -> None:
            nonlocal slow
            slow = True
            self._absence.begins(self._mute(), began)

        try:
            result = await call_in_thread(work, within_s or _ANSWER_WITHIN_S, _SLOW_S, tell)
        except Overdue as overdue:
            if journal is not None:
                journal.abandon()
                if journal is self.journal:
                    self.journal, self.current = None, False
            else:
                overdue.then(_close)
            raise self._mute() from overdue
        if slow:
            self._absence.ends()
        return result

    def _mute(self) -> JournalAwayError:
        return JournalAwayError(
            f"the journal {self._workspace.journal_name} does not answer",
            "what runs goes on; its end is recorded when the database is back",
        )

    def _verified(self, reading: JournalReading | None, wanted: JournalOpening) -> JournalReading | None:
        """Take in how far it goes. Raise `JournalDiffersError` where that is not what was known of it."""
        known = self.tip
        if reading is None:
            if known.seq:
                raise self._differs(f"it is gone, and record {known.seq} was known")
            return None
        if known.seq and reading.known != known.hash and not reading.anew:
            self.drop()
            if self.journal_id and reading.journal_id != self.journal_id:
                raise self._differs("it was made anew")
            if reading.tip.seq < known.seq:
                raise self._differs(f"it has lost records: it ends at {reading.tip.seq}, and {known.seq} was known")
            raise self._differs(f"record {known.seq} is another one than was known")
        self.journal_id, self.tip = reading.journal_id, reading.tip
        self.writable = self.writable or wanted.create
        self.runs, self.holder = reading.runs, reading.holder
        self.current = self.shared and wanted.operator is not None
        return reading

    def _differs(self, why: str) -> JournalDiffersError:
        return JournalDiffersError(
            f"the journal {self._workspace.journal_name} is not the one that was known here: {why}", _HINT
        )


def _is_in(head: Checkpoint, reading: JournalReading, ask: Ask) -> bool:
    """Say whether the noted records are among those read; else they have to be searched."""
    hashes = {ask.known.seq: reading.known, **{record.seq: record.hash for record in reading.records}}
    return hashes.get(head.seq) == head.hash and head.journal in ("", reading.journal_id)


def _close(opened: tuple[JournalStore | None, object]) -> None:
    """Close a journal that came when nobody waited for it any more."""
    if isinstance(opened, tuple) and opened[0] is not None:
        opened[0].close()


def _forget(task: asyncio.Task[Any]) -> None:
    """Nobody waits for it any more, nor for what it raised."""
    if not task.cancelled():
        task.exception()
