"""Reading a log source in a test: what it pushed, what it said of itself, and waiting for either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from switchover.logs.sources.source_api import LineSource, LogTimeSpan, RawLine


class Gathered:
    """A feed that keeps everything."""

    def __init__(self) -> None:
        self.lines: list[RawLine] = []
        self.said: list[tuple[str, str]] = []
        self.unfinished = b""
        self.is_caught_up = False
        self.ended = False
        self._news = asyncio.Event()

    async def push(self, lines: Sequence[RawLine]) -> None:
        self.lines += lines
        self._news.set()
        await asyncio.sleep(0)

    def begun(self, text: bytes) -> None:
        self.unfinished = text
        self._news.set()

    def caught_up(self) -> None:
        self.is_caught_up = True
        self._news.set()

    def reading(self, why: str = "") -> None:
        self._say("reading", why)

    def off(self, why: str) -> None:
        self._say("off", why)

    def end(self) -> None:
        self.ended = True
        self._news.set()

    @property
    def texts(self) -> list[str]:
        return [line.text.decode("utf-8", "replace") for line in self.lines]

    @property
    def state(self) -> tuple[str, str]:
        return self.said[-1] if self.said else ("", "")

    async def until(self, true: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait until `true()` is, looking again whenever something came."""
        async with asyncio.timeout(seconds):
            while not true():
                self._news.clear()
                await self._news.wait()

    def _say(self, state: str, why: str) -> None:
        self.said.append((state, why))
        self._news.set()


@asynccontextmanager
async def reading(source: LineSource, span: LogTimeSpan | None = None) -> AsyncIterator[Gathered]:
    """Read a source meanwhile; its own errors come out at the end."""
    feed = Gathered()

    async def read() -> None:
        await source.read(feed, span or LogTimeSpan())
        feed.end()

    task = asyncio.create_task(read())
    try:
        yield feed
    finally:
        if task.done():
            task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
