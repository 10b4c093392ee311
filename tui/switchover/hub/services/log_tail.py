"""The last lines of a service's log, read once and within bounds: to recognise an issue, and for the bundle."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict

from switchover.logs.sources.source_api import LogTimeSpan, RawLine, SourceSpec
from switchover.services.provider_api import LogSource

__all__ = ["read_tail"]

_MOST_LINE = 2000


class _Kept:
    """Keeps the newest lines, and why there are none."""

    def __init__(self, most: int) -> None:
        self.lines: deque[str] = deque(maxlen=most)
        self.why = ""
        self.done = asyncio.Event()

    async def push(self, lines: Sequence[RawLine], /) -> None:
        self.lines.extend(line.text[:_MOST_LINE].decode("utf-8", "replace") for line in lines)

    def begun(self, text: bytes, /) -> None:
        """Only what is followed has a line that may go on."""

    def caught_up(self) -> None:
        self.done.set()

    def reading(self, why: str = "") -> None:
        self.why = why

    def off(self, why: str) -> None:
        self.why = why
        self.done.set()


async def read_tail(
    source: LogSource, lines: int, redact: Callable[[str], str], *, timeout_s: float = 4.0, until: float | None = None
) -> tuple[tuple[str, ...], str]:
    """Return the last lines, oldest first and without secrets, and why there are none or not all."""
    from switchover.logs.sources.make_source import make_source

    kept = _Kept(lines)
    try:
        reading = asyncio.ensure_future(
            make_source(SourceSpec(**asdict(source))).read(kept, LogTimeSpan(lines, None, until, follow=False))
        )
    except (LookupError, ImportError) as error:
        return (), str(error)
    done = asyncio.ensure_future(kept.done.wait())
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.wait({reading, done}, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        kept.why = kept.why or f"not all of it was read within {timeout_s:.0f} s"
    finally:
        for task in (reading, done):
            task.cancel()
        ended, _ = await asyncio.gather(reading, done, return_exceptions=True)
        if isinstance(ended, Exception):
            kept.why = str(ended)
    return tuple(redact(line) for line in kept.lines), kept.why
