"""What the log screen asks of the agent: a stream, a window onto it, the next error. Answers are plain data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from switchover.clock import Clock
from switchover.commands.logs import (
    CloseLog,
    LinePart,
    OpenLog,
    ReadLogLine,
    ReadLogWindow,
    SavedLog,
    SaveLog,
    SeekLog,
    SoughtFor,
)
from switchover.errors import AgentError, SwitchoverError
from switchover.snapshot.logview import LogQuery, LogWindow
from switchover.ui.kit.messages import Sender

__all__ = ["Lane", "LogFeed", "Wanted", "names_of"]

_MOST_TAIL = 500_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose logs are read: services by their ids, and files by their paths. `tail` lines of each are read first."""

    items: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tail: int = 10_000


class LogFeed:
    """One stream at a time. Every method raises `SwitchoverError` where the agent refuses or is lost."""

    def __init__(self, sender: Sender, wanted: Wanted) -> None:
        self._sender = sender
        self._wanted = wanted
        self.stream: int | None = None
        self._left: list[int] = []
        self.tail = wanted.tail
        self.since: float | None = None
        self.until: float | None = None

    @property
    def can_read_older(self) -> bool:
        """More lines can be asked for than were."""
        return self.tail < _MOST_TAIL

    def read_more(self) -> None:
        """Ask for many more lines the next time."""
        self.tail = min(self.tail * 10, _MOST_TAIL)

    def covers(self, since: float | None, until: float | None) -> bool:
        """Say whether what is read has everything of this span, as far as it was asked for."""
        begun = self.since is None or (since is not None and since >= self.since)
        return begun and (self.until is None or (until is not None and until <= self.until))

    @property
    def is_open(self) -> bool:
        """There is a stream to ask about."""
        return self.stream is not None

    async def open(self, since: float | None = None, until: float | None = None) -> None:
        """Begin to read, anew where a stream is open. Of a span with a begin all is read that can be kept."""
        await self.close()
        self.since, self.until = since, until
        tail = self.tail if since is None else _MOST_TAIL
        self.stream = (
            await self._sender.send(OpenLog(self._wanted.items, self._wanted.paths, tail, since, until))
        ).stream

    def forget(self) -> None:
        """Take the stream as gone, with the agent that held it."""
        self.stream = None
        self._left.clear()

    def drop(self) -> None:
        """Ask this stream for nothing more: it fails. The agent lets go of it when the next one is opened."""
        if self.stream is not None:
            self._left.append(self.stream)
        self.stream = None

    async def window(
        self, query: LogQuery, anchor: int | None, before: int, after: int, *, seen: int = -1, wait_s: float = 0.0
    ) -> LogWindow:
        """Return the lines around `anchor`, the newest without one.

        With `wait_s` the answer comes with the first line newer than `seen`, at the latest after that time.
        """
        return await self._sender.send(
            ReadLogWindow(self._open_stream, query, anchor, before, after, seen if wait_s else -1, wait_s)
        )

    async def seek(self, query: LogQuery, seq: int, what: SoughtFor, by: int) -> int | None:
        """Return the number of the next line with an error or with the searched text. None where there is none."""
        return (await self._sender.send(SeekLog(self._open_stream, seq, what, by, query))).seq

    async def line(self, seq: int, offset: int, limit: int) -> LinePart:
        """Return a piece of a line, and how long the line is."""
        return await self._sender.send(ReadLogLine(self._open_stream, seq, offset, limit))

    async def save(self, query: LogQuery) -> SavedLog:
        """Write what fits the query into a file; return its path and how many lines it has."""
        return await self._sender.send(SaveLog(self._open_stream, query))

    async def close(self) -> None:
        """Let go of the stream. Never raises."""
        self.drop()
        while self._left:
            stream = self._left.pop()
            with suppress(SwitchoverError):  # it may have ended with the line to the agent
                await self._sender.send(CloseLog(stream))

    @property
    def _open_stream(self) -> int:
        if self.stream is None:
            raise AgentError("the log is not open", "it is opened again as soon as the agent answers")
        return self.stream


class Lane:
    """One request under way, and the newest that is wanted next: what was wanted in between is never asked."""

    def __init__(self, start: Callable[[Coroutine[Any, Any, None]], object], clock: Clock) -> None:
        self._start = start
        self._clock = clock
        self._next: Callable[[], Awaitable[None]] | None = None
        self._busy = False
        self._since = 0.0

    @property
    def busy(self) -> bool:
        """A request is under way."""
        return self._busy

    @property
    def waited(self) -> float:
        """For how many seconds an answer is awaited; 0 where none is."""
        return self._clock.monotonic() - self._since if self._busy else 0.0

    def answered(self) -> None:
        """Count from now: what is under way has its answer, and is only to be shown."""
        self._since = self._clock.monotonic()

    def want(self, job: Callable[[], Awaitable[None]]) -> None:
        """Do this next."""
        self._next = job
        if not self._busy:
            self._busy = True
            self._since = self._clock.monotonic()
            self._start(self._run())

    async def _run(self) -> None:
        try:
            while self._next is not None:
                job, self._next = self._next, None
                self._since = self._clock.monotonic()
                await job()
        finally:
            self._busy = False


def names_of(items: Sequence[str], paths: Sequence[str]) -> str:
    """Write whose logs these are, as a title."""
    names = [*(item.partition(":")[2] or item for item in items), *(path.rpartition("/")[2] or path for path in paths)]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
