"""What a client may ask about logs. A stream belongs to the client that opened it and ends with it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from switchover.commands.command import CommandContext, Question
from switchover.errors import UsageError
from switchover.snapshot.logview import LEVELS, LogQuery, LogSourceState, LogWindow

__all__ = [
    "CloseLog",
    "LinePart",
    "OpenLog",
    "OpenedLog",
    "ReadLogLine",
    "ReadLogWindow",
    "SaveLog",
    "SavedLog",
    "SeekLog",
    "SoughtFor",
    "SoughtLine",
]

SoughtFor: TypeAlias = Literal["error", "find", "line"]
_MOST_LINES = 1000  # in a window
_MOST_SOURCES = 50
_MOST_TAIL = 500_000
_LONGEST_PART = 256 * 1024
_LONGEST_WAIT_S = 30.0


class OpenedLog(msgspec.Struct, frozen=True):
    """The number of a stream, and how its sources are."""

    stream: int
    sources: tuple[LogSourceState, ...] = ()


class OpenLog(Question[OpenedLog], frozen=True):
    """Read logs, merged by time: of services by their `items` ids, and of `paths` on the agent's host.

    `since` and `until` are epoch seconds.
    """

    name: ClassVar[str] = "logs.open"
    items: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tail: int = 1000
    since: float | None = None
    until: float | None = None

    async def apply(self, at: CommandContext) -> OpenedLog:
        if not self.items and not self.paths:
            raise UsageError("there is nothing to read: neither a service nor a file was named")
        if len(self.items) + len(self.paths) > _MOST_SOURCES:
            raise UsageError(f"at most {_MOST_SOURCES} logs are read together", "choose fewer")
        return await at.client.streams.open_merged(
            at.hub,
            self.items,
            self.paths,
            (max(0, min(self.tail, _MOST_TAIL)), self.since, self.until),
            secrets=at.target.secrets,
            folder=at.target.log_folder,
        )


class ReadLogWindow(Question[LogWindow], frozen=True):
    """Read the lines that a screen shows.

    `anchor` is a line's number: that line or the next that fits, `before` lines above it, `after` from it on. Without
    it: the newest `before + after` lines. With `wait` the answer comes with the first line newer than `seen`.
    After so many seconds (30 at most) it comes anyway. `seen` is `LogWindow.newest` of the last answer.
    """

    name: ClassVar[str] = "logs.window"
    stream: int
    query: LogQuery = LogQuery()
    anchor: int | None = None
    before: int = 0
    after: int = 50
    seen: int = -1
    wait: float = 0.0

    async def apply(self, at: CommandContext) -> LogWindow:
        wait = max(0.0, min(self.wait, _LONGEST_WAIT_S))
        asked = {
            "query": _query(self.query),
            "anchor": self.anchor,
            "before": max(0, min(self.before, _MOST_LINES)),
            "after": max(0, min(self.after, _MOST_LINES)),
            "seen": self.seen,
            "wait": wait,
        }
        return await at.client.streams.ask(self.stream, "window", asked, LogWindow, extra_s=wait)


class SoughtLine(msgspec.Struct, frozen=True):
    """The number of a line; None where there is none."""

    seq: int | None = None


class SeekLog(Question[SoughtLine], frozen=True):
    """Find the next line (`by` 1) or the one before (-1) among those that fit.

    With `line` it goes as many as `by` says.
    """

    name: ClassVar[str] = "logs.seek"
    stream: int
    seq: int
    what: SoughtFor
    by: int = 1
    query: LogQuery = LogQuery()

    async def apply(self, at: CommandContext) -> SoughtLine:
        asked = {"query": _query(self.query), "seq": self.seq, "what": self.what, "by": self.by}
        return await at.client.streams.ask(self.stream, "seek", asked, SoughtLine)


class LinePart(msgspec.Struct, frozen=True):
    """A part of a long line, in characters."""

    text: str = ""
    total: int = 0


class ReadLogLine(Question[LinePart], frozen=True):
    """Read a long line in parts."""

    name: ClassVar[str] = "logs.line"
    stream: int
    seq: int
    offset: int = 0
    limit: int = 64 * 1024

    async def apply(self, at: CommandContext) -> LinePart:
        limit = max(1, min(self.limit, _LONGEST_PART))
        asked = {"seq": self.seq, "offset": max(0, self.offset), "limit": limit}
        return await at.client.streams.ask(self.stream, "line", asked, LinePart)


class SavedLog(msgspec.Struct, frozen=True):
    """Where the lines were written to, and how many."""

    path: str = ""
    lines: int = 0


class SaveLog(Question[SavedLog], frozen=True):
    """Write what fits into a file of mode 0600, without secrets."""

    name: ClassVar[str] = "logs.save"
    stream: int
    query: LogQuery = LogQuery()

    async def apply(self, at: CommandContext) -> SavedLog:
        return await at.client.streams.save(self.stream, {"query": _query(self.query)})


class CloseLog(Question[None], frozen=True):
    """End a stream."""

    name: ClassVar[str] = "logs.close"
    stream: int

    async def apply(self, at: CommandContext) -> None:
        await at.client.streams.close(self.stream)


def _query(query: LogQuery) -> dict[str, Any]:
    if query.least and query.least not in LEVELS:
        raise UsageError(f"there is no level {query.least}", f"there are {', '.join(LEVELS)}")
    found: dict[str, Any] = msgspec.to_builtins(query)
    return found
