"""Follows a log that has to be asked for what came since: each entry once, with pauses where it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple, Protocol

from switchover.clouds.cloud_errors import CloudError, CloudTrouble
from switchover.logs.sources.source_api import Feed, LogTimeSpan, RawLine

__all__ = ["PolledEntry", "PolledLog", "follow"]

_PAUSES_S = (0.5, 30.0)
_LATE_S = 30.0  # entries come this late at times, so what was there then is asked for once more


class PolledEntry(NamedTuple):
    """One entry; its text may have several lines. `id` tells it from all others of the log."""

    at: float
    id: str
    text: str
    level: str = ""


class PolledLog(Protocol):
    """A log that answers questions. Both raise `CloudError`."""

    async def last(self, span: LogTimeSpan) -> Sequence[PolledEntry]:
        """Return the last `tail` entries of the span, oldest first."""

    def since(self, start: float) -> AsyncIterator[Sequence[PolledEntry]]:
        """Go through the pages of what there is from `start` (epoch seconds) on."""


async def follow(
    log: PolledLog,
    feed: Feed,
    span: LogTimeSpan,
    *,
    every: float,
    late: float = _LATE_S,
    wall: Callable[[], float] = time.time,
) -> None:
    """Push what there is, then what comes, until the span has ended or this is cancelled."""
    given: dict[str, float] = {}
    newest = wall() if span.since is None else span.since
    oldest = 0.0 if span.since is None else span.since - 0.001
    pause, first, troubled = _PAUSES_S[0], True, False
    ends = not span.follow or span.until is not None
    while True:
        try:
            if first:
                entries = await log.last(span)
                if entries and len(entries) >= span.tail:
                    oldest = entries[0].at
                newest = await _give(feed, entries, given, newest)
            else:
                async for page in log.since(newest - late):
                    # what was cut off the last lines stays cut off
                    newest = await _give(feed, [one for one in page if one.at > oldest], given, newest)
        except CloudError as error:
            troubled = True
            if error.trouble is CloudTrouble.THROTTLED:
                feed.reading(error.title)
            else:
                feed.off(f"{error.title}; {error.hint}" if error.hint else error.title)
            if ends:
                return
            feed.caught_up()  # the other logs need not wait
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSES_S[1])
            continue
        if first or troubled:
            feed.reading()
        if first:
            feed.caught_up()
        pause, first, troubled = _PAUSES_S[0], False, False
        if ends:
            return
        for name in [name for name, at in given.items() if at < newest - 2 * late]:
            del given[name]
        await asyncio.sleep(every)


async def _give(feed: Feed, entries: Sequence[PolledEntry], given: dict[str, float], newest: float) -> float:
    lines = []
    for entry in sorted(entries, key=lambda entry: entry.at):
        if entry.id in given:
            continue
        given[entry.id] = entry.at
        newest = max(newest, entry.at)
        lines += [
            RawLine(entry.at, line.encode("utf-8", "replace"), entry.level, goes_on=bool(number))
            for number, line in enumerate(entry.text.splitlines() or [""])
        ]
    if lines:
        await feed.push(lines)
    return newest
