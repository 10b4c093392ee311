"""What people did here outside of a run: to services, with solutions, in shells. Written down before it is done.

Each record is on disk before its effect. As in a run's journal it carries the hash of the one before. The file lies
beside that journal, with the hash of its newest record. An operation without an end, because the agent died, is
reported at the next start.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from switchover.clock import Clock
from switchover.errors import SwitchoverError
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.checkpoints import OPERATION_CHECKPOINTS, Checkpoint, note_checkpoint
from switchover.migration.journal.sqlite_journal import Journal, RawRecord
from switchover.snapshot import TimelineRow
from switchover.snapshot.states import EventKind, NamedStatus
from switchover_checks.language.units import format_duration

__all__ = ["OPERATIONS", "Operations"]

OPERATIONS = "operations"  # stands where records of a run have the run's id
_TIMELINE = 100
_LONGEST_TEXT = 2000
_SHOWN_TEXT = 120
_FOUND = re.compile(r".* \((\S+)\)")  # what was found by itself: its name, and its id
_DIED = "the agent ended before it was known what came of it"


class _Started(msgspec.Struct, frozen=True):
    """Something is about to be done; it may have been, from here on."""

    by: Operator
    action: str
    subject: str
    kind: str = ""
    identity: str = ""
    argument: str = ""
    command: str = ""


class _Ended(msgspec.Struct, frozen=True):
    """What came of it. `operation` is the number of the record that began it."""

    operation: int
    ok: bool
    text: str = ""


class _Unknown(msgspec.Struct, frozen=True):
    """Nobody knows what came of it."""

    operation: int
    why: str


class _Noted(msgspec.Struct, frozen=True):
    """A thing of one moment."""

    by: Operator
    action: str
    subject: str
    text: str = ""


_KINDS: dict[type[msgspec.Struct], str] = {
    _Started: "OperationStarted",
    _Ended: "OperationEnded",
    _Unknown: "OperationUnknown",
    _Noted: "OperationNoted",
}
_TYPES = {name: kind for kind, name in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class _Open:
    """An operation that has begun, with its row of the timeline."""

    started: _Started
    row: TimelineRow


class Operations:
    """The journal of operations at `path`, made with the first of them. `changed` is called when the timeline moved."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        redact: Callable[[str], str],
        *,
        read_only: bool = False,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.timeline: deque[TimelineRow] = deque(maxlen=_TIMELINE)
        self.version = 0
        self.trouble = ""
        self.changed = changed
        self._path = path
        self._clock = clock
        self._redact = redact
        self._read_only = read_only
        self._looked_back = False
        self._looking_back = asyncio.Lock()
        self._journal: Journal | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._open: dict[int, _Open] = {}  # of agents before this one

    async def look_back(self) -> None:
        """Take in what was done before this agent began, and say of what has no end that nobody knows it. Once."""
        async with self._looking_back:
            if self._looked_back:
                return
            try:
                for record in await self._in_thread(self._read):
                    self._take(record)
                for number, operation in list(self._open.items()):
                    if not self._read_only:
                        await self._in_thread(partial(self._append, _Unknown(number, _DIED)))
                    self._close(number, operation, f"not known: {_DIED}", "unknown")
            except SwitchoverError as error:
                self.trouble = error.title
            self._looked_back = True
        self._moved()

    async def perform(
        self,
        operator: Operator,
        action: str,
        subject: str,
        work: Callable[[], Awaitable[str]],
        *,
        kind: str = "",
        identity: str = "",
        argument: str = "",
        command: str = "",
    ) -> str:
        """Write down that `action` is done to `subject` now, await `work`, write down what came of it, and return that.

        `work` returns the result in words. What it raises is written down as the result and raised again. Raise
        `JournalError`, with nothing done, where it cannot be written down.
        """
        await self.look_back()
        words = (self._shortened(text) for text in (action, subject, kind, identity, argument, command))
        started = _Started(operator, *words)
        begun = self._clock.monotonic()
        record = await self._in_thread(lambda: self._append(started))
        number, operation = record.seq, _Open(started, _begun(record.at, started))
        self._add(operation.row)
        self._moved()
        try:
            text = self._shortened(await work())
        except Exception as error:
            title = error.title if isinstance(error, SwitchoverError) else f"{type(error).__name__}: {error}"
            await self._end(number, operation, self._shortened(title), begun, ok=False)
            raise
        await self._end(number, operation, text, begun, ok=True)
        return text

    async def record(self, operator: Operator, action: str, subject: str, text: str = "") -> None:
        """Write down a thing of one moment: a shell that was opened, an incident, a bundle. Raise `JournalError`."""
        await self.look_back()
        noted = _Noted(operator, *(self._shortened(part) for part in (action, subject, text)))
        record = await self._in_thread(lambda: self._append(noted))
        self._take(record)
        self._moved()

    async def aclose(self) -> None:
        """Let go of the file."""
        if self._thread is not None:
            await self._in_thread(self._let_go)
            self._thread.shutdown(wait=False)
            self._thread = None

    # Inside: what is on record

    async def _end(self, number: int, operation: _Open, text: str, begun: float, *, ok: bool) -> None:
        took = format_duration(self._clock.monotonic() - begun)
        said = f"{text or 'done'} ({took})" if ok else f"failed: {text}"
        self._close(number, operation, said, "ok" if ok else "crit")
        try:
            await self._in_thread(lambda: self._append(_Ended(number, ok, text)))
        except SwitchoverError as error:  # it is done all the same; the next start will say that its end is not known
            self.trouble = f"what came of {operation.started.action} is not on record: {error.title}"
        self._moved()

    def _take(self, record: RawRecord) -> None:
        """Take a record that is on the disk into what is known. One of another version is left alone."""
        try:
            fact: Any = msgspec.json.decode(record.data, type=_TYPES[record.kind])
        except (KeyError, msgspec.MsgspecError):
            return
        if isinstance(fact, _Started):
            self._open[record.seq] = _Open(fact, _begun(record.at, fact))
            self._add(self._open[record.seq].row)
        elif isinstance(fact, _Noted):
            said = f"{fact.by.who}: {fact.action} {fact.subject}" + (
                f": {fact.text[:_SHOWN_TEXT]}" if fact.text else ""
            )
            kind: EventKind = "incident" if fact.action == "incident" else "action"
            self._add(TimelineRow(record.at, kind, said, about=(fact.subject,)))
        elif (operation := self._open.get(fact.operation)) is not None:
            if isinstance(fact, _Ended):
                said = (fact.text or "done") if fact.ok else f"failed: {fact.text}"
                self._close(fact.operation, operation, said, "ok" if fact.ok else "crit")
            else:
                self._close(fact.operation, operation, f"not known: {fact.why}", "unknown")

    def _add(self, row: TimelineRow) -> None:
        self.timeline.append(row)

    def _close(self, number: int, operation: _Open, said: str, status: NamedStatus) -> None:
        """Say in the operation's row what came of it."""
        self._open.pop(number, None)
        row = replace(operation.row, text=f"{operation.row.text}: {said[:_SHOWN_TEXT]}", status=status)
        try:
            self.timeline[self.timeline.index(operation.row)] = row
        except ValueError:  # so long ago that it left the timeline
            self._add(row)

    def _moved(self) -> None:
        self.version += 1
        self.changed()

    def _shortened(self, text: str) -> str:
        return self._redact(text)[:_LONGEST_TEXT].encode("utf-8", "replace").decode()

    # Inside: in the thread of the file

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="operations")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _read(self) -> list[RawRecord]:
        journal = Journal.open(self._path, self._clock, create=False)
        if journal is None:
            return []
        with journal:
            return list(journal.raw_records())

    def _append(self, fact: msgspec.Struct) -> RawRecord:
        """Write a fact down, durably. Raise `JournalError`."""
        if self._journal is not None and self._journal.broken:
            self._let_go()
        if self._journal is None:
            self._journal = Journal.open(self._path, self._clock)
        assert self._journal is not None
        kind = _KINDS[type(fact)]
        record = self._journal.append_raw(OPERATIONS, kind, msgspec.json.encode(fact).decode())
        note_checkpoint(
            self._path.parent / OPERATION_CHECKPOINTS, Checkpoint(OPERATIONS, record.seq, record.hash, record.at, kind)
        )
        return record

    def _let_go(self) -> None:
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()


def _begun(at: float, started: _Started) -> TimelineRow:
    more = f" to {started.argument}" if started.argument else ""
    found = _FOUND.fullmatch(started.subject)
    about = (found[1] if found is not None else started.subject,)
    return TimelineRow(at, "action", f"{started.by.who}: {started.action} {started.subject}{more}", about=about)
