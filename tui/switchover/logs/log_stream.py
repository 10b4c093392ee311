"""One stream: its sources are read side by side into one ring, and each reports how it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from switchover.logs.intake import Columns, Intake, clean
from switchover.logs.line_ring import LineRing
from switchover.logs.log_queries import LogQueries
from switchover.logs.merge import HORIZON_S, Merge
from switchover.logs.rendered_lines import Begun
from switchover.logs.sources.make_source import make_source
from switchover.logs.sources.source_api import LineSource, LogTimeSpan, RawLine, SourceSpec
from switchover.redaction import Redactor
from switchover.snapshot.states import LogSourceWord
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["Limits", "LogStream"]

_AT_ONCE = 200  # lines between two looks at what else there is to do: about a millisecond
_TICK_S = 0.05
_BEGIN_WITHIN_S = 3.0
_QUIET_S = 0.2  # after its lines, a source that cannot say so has told the older ones
_SILENT_S = 1.5  # so long may the first line of one take that is asked over a network
_LONGEST_WHY = 300

Limits = tuple[int, int]  # bytes, lines


class _Feed:
    """What a source gives its lines to."""

    def __init__(self, stream: LogStream, number: int, name: str, intake: Intake, tail: int) -> None:
        self._stream = stream
        self._number = number
        self._intake = intake
        self.name = name
        self.state: LogSourceWord = "reading"
        self.why = ""
        self.lines = 0
        self.is_caught_up = False
        self.older = False
        self.line_begun: tuple[float, int, str] | None = None
        self._begun = b""
        self.last = time.monotonic()
        self._tail = tail
        self._read = 0
        self._has_told_older = False

    async def push(self, lines: Sequence[RawLine]) -> None:
        """Take lines, a few at a time."""
        if self.lines and time.monotonic() - self.last > _SILENT_S:
            self._has_told_older = True  # some sources cannot say so
        if not self._are_new:  # as many as were asked for: before them there may be others
            self._read += len(lines)
            self.older = self._read >= self._tail > 0
        for begin in range(0, len(lines), _AT_ONCE):
            columns = self._intake.take(lines[begin : begin + _AT_ONCE])
            self.lines += len(columns.texts)
            self.last = time.monotonic()
            self._begun, self.line_begun = b"", None
            self._stream.take(self._number, columns)
            if not self._are_new:
                self._stream.queries.forget_rate()
            await asyncio.sleep(0)

    @property
    def _are_new(self) -> bool:
        """Lines that come now were not there before."""
        return self.is_caught_up or self._has_told_older

    def begun(self, text: bytes) -> None:
        """Show the beginning of a line."""
        if text != self._begun:
            self._begun = text
            self.line_begun = self._intake.look_at(RawLine(None, text)) if text else None
            self._stream.tell_begun()

    def caught_up(self) -> None:
        """All older lines are here."""
        self.is_caught_up = True

    def reading(self, why: str = "") -> None:
        """Lines come, or will."""
        self._say("reading", why)

    def off(self, why: str) -> None:
        """Nothing comes for now."""
        self.is_caught_up = True
        self._say("off", why)

    def end(self) -> None:
        """Say that the log has ended."""
        self.is_caught_up = True
        if self.state == "reading":
            self._say("ended", self.why)

    def _say(self, state: LogSourceWord, why: str) -> None:
        self.state, self.why = state, self._stream.harmless(why)


class LogStream:
    """Reads sources until it is closed. `off` are sources that could not even be found: (name, why)."""

    def __init__(
        self,
        sources: Sequence[SourceSpec],
        off: Sequence[tuple[str, str]],
        span: LogTimeSpan,
        secrets: Mapping[str, str],
        limits: Limits,
        *,
        make: Callable[[SourceSpec], LineSource] = make_source,
        horizon_s: float = HORIZON_S,
    ) -> None:
        self._make = make
        self._span = span
        self._sources = sources
        self._redactor = Redactor(secrets)
        self.ring = LineRing(*limits)
        self.names = [source.name for source in sources]
        self._feeds = [
            _Feed(self, n, source.name, Intake(span.since, span.until), span.tail) for n, source in enumerate(sources)
        ]
        self._off = [{"name": name, "state": "off", "why": self.harmless(why)} for name, why in off]
        self._merge = Merge(self.ring, len(sources), horizon_s)
        self.queries = LogQueries(self.ring, self.names, secrets, self.states, begun=self._lines_begun)
        self._times_begun = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._work = asyncio.Event()
        self._newer: set[asyncio.Event] = set()

    def start(self) -> None:
        """Begin to read."""
        for feed, spec in zip(self._feeds, self._sources, strict=True):
            self._tasks.append(asyncio.create_task(self._read(feed, spec)))
        self._tasks.append(asyncio.create_task(self._search()))
        if len(self._feeds) > 1:
            self._tasks.append(asyncio.create_task(self._settle()))

    async def aclose(self) -> None:
        """Stop reading, and let the sources let go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def states(self) -> list[dict[str, Any]]:
        """Return how the sources are."""
        states: list[dict[str, Any]] = [
            {"name": feed.name, "state": feed.state, "why": feed.why, "lines": feed.lines, "older": feed.older}
            for feed in self._feeds
        ]
        return states + self._off

    def learn(self, secrets: Mapping[str, str]) -> None:
        """Take these out of everything from here on."""
        self._redactor = Redactor(secrets)
        self.queries.shown.learn(secrets)

    def harmless(self, why: str) -> str:
        """Return a reason as it may be shown: one line, no secrets, nothing that a terminal obeys."""
        return redact_unknown(clean(self._redactor.redact(why)))[:_LONGEST_WHY]

    def take(self, number: int, columns: Columns) -> None:
        """Take lines of a source."""
        self._merge.add(number, columns, time.monotonic())
        self.tell()

    def tell(self) -> None:
        """Wake those who wait for newer lines, and the searching."""
        self._work.set()
        for event in self._newer:
            event.set()

    def tell_begun(self) -> None:
        """Wake those who wait: a line was begun, or went on."""
        self._times_begun += 1
        self.tell()

    def _lines_begun(self) -> list[Begun]:
        lines = [(number, feed.line_begun) for number, feed in enumerate(self._feeds)]
        return [Begun(number, *line) for number, line in lines if line is not None]

    async def newer_than(self, seq: int, seconds: float) -> None:
        """Wait for a line after this number, or for news of a source, at most for so long."""
        event = asyncio.Event()
        self._newer.add(event)
        before, begun = self.states() if seq >= 0 else [], self._times_begun
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            while self.ring.end - 1 <= seq and self._times_begun == begun and self._same(before):
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    return
                event.clear()
                try:
                    async with asyncio.timeout(min(left, 1.0)):
                        await event.wait()
                except TimeoutError:
                    continue
        finally:
            self._newer.discard(event)

    def _same(self, before: Sequence[Mapping[str, Any]]) -> bool:
        now = self.states()
        return [(s["state"], s["why"]) for s in now] == [(s["state"], s["why"]) for s in before]

    async def _read(self, feed: _Feed, spec: SourceSpec) -> None:
        try:
            await self._make(spec).read(feed, self._span)
            feed.end()
        except Exception as error:  # the boundary: one source fails, the others are read on
            feed.off(str(error) or f"reading ended with an unexpected {type(error).__name__}")
        self.tell()

    async def _settle(self) -> None:
        """Give lines their place among those of other sources."""
        began = time.monotonic()
        while not self._have_all_begun(began):  # noqa: ASYNC110 - it is a matter of time as well
            await asyncio.sleep(_TICK_S)
        self._merge.begin()
        while True:
            if self._merge.settle(time.monotonic()):
                self.tell()
            await asyncio.sleep(_TICK_S)

    def _have_all_begun(self, began: float) -> bool:
        now = time.monotonic()
        return now - began > _BEGIN_WITHIN_S or all(
            feed.is_caught_up or now - feed.last > (_QUIET_S if feed.lines else _SILENT_S) for feed in self._feeds
        )

    async def _search(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self.queries.step():  # noqa: ASYNC110 - the others have their turn between two steps
                await asyncio.sleep(0)
