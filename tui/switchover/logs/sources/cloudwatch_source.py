"""A log group of CloudWatch Logs, or one of its streams, through `FilterLogEvents`."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from switchover.clouds.aws_login import Aws
from switchover.clouds.cloud_errors import CloudError, CloudTrouble
from switchover.logs.sources.polled import PolledEntry, follow
from switchover.logs.sources.source_api import Feed, LineSource, LogTimeSpan, SourceSpec

__all__ = ["CloudWatchSource", "open_source"]

_EVERY_S = 2.0
_PAGE = 10_000
_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_MOST_PAGES = 200
_AHEAD_S = 60.0  # clocks differ
_WIDER_S = (60.0, 600.0, 3600.0, 6 * 3600.0, 86_400.0, 7 * 86_400.0, 90 * 86_400.0)


def open_source(spec: SourceSpec) -> LineSource:
    """Return what reads `options["log"]`, written GROUP or GROUP/STREAM, in `options["region"]`."""
    return CloudWatchSource(spec.options.get("log", ""), spec.options.get("region", ""))


class CloudWatchSource:
    """Asks every few seconds. It can only be read forwards, so the last lines are sought in growing spans."""

    def __init__(
        self,
        log: str,
        region: str = "",
        aws: Aws | None = None,
        *,
        every: float = _EVERY_S,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._aws = aws or Aws()
        self._region = region or self._aws.region()
        self._every = every
        self._wall = wall
        self._place: dict[str, Any] | None = None

    async def read(self, feed: Feed, span: LogTimeSpan) -> None:
        """Push the last lines and what comes."""
        why = self._aws.missing() or ("" if self._region else "AWS: no region configured (AWS_REGION)")
        if why:
            feed.off(why)
            feed.caught_up()
            return
        await follow(self, feed, span, every=self._every, wall=self._wall)

    async def last(self, span: LogTimeSpan) -> Sequence[PolledEntry]:
        """Return the last entries of the span, oldest first. Raise `CloudError`."""
        now = self._wall() if span.until is None else span.until
        end = now + _AHEAD_S if span.until is None else span.until
        kept: deque[PolledEntry] = deque(maxlen=max(span.tail, 1))
        if span.since is not None:
            async for page in self._pages(span.since, end):
                kept.extend(page)
            return list(kept)
        found: list[PolledEntry] = []
        after = end
        for wider in _WIDER_S:
            before, kept = now - wider, deque(maxlen=max(span.tail, 1))
            async for page in self._pages(before, after):
                kept.extend(page)
            found, after = [*kept, *found], before
            if len(found) >= span.tail:
                break
        return found[-span.tail :] if span.tail else []

    async def since(self, start: float) -> AsyncIterator[Sequence[PolledEntry]]:
        """Go through the pages of what there is from `start` on. Raise `CloudError`."""
        async for page in self._pages(start, None):
            yield page

    async def _pages(self, start: float, end: float | None) -> AsyncIterator[list[PolledEntry]]:
        wanted: dict[str, Any] = {"startTime": max(0, int(start * 1000)), "limit": _PAGE}
        if end is not None:
            wanted["endTime"] = int(end * 1000)
        for _ in range(_MOST_PAGES):
            reply = await self._ask(wanted)
            if entries := [_entry(event) for event in reply.get("events") or ()]:
                yield entries
            if not reply.get("nextToken"):  # an empty page with a token is not the last
                return
            wanted["nextToken"] = reply["nextToken"]

    async def _ask(self, wanted: dict[str, Any]) -> Any:
        """Ask for a page; at first find out which part of the name is the group's."""
        for place in [self._place] if self._place is not None else _places(self._log):
            arguments = {**place, **wanted}
            try:
                reply = await self._aws.call("logs", self._region, partial(_filter, arguments))
            except CloudError as error:
                if error.trouble is CloudTrouble.MISSING:
                    continue
                raise
            self._place = place
            return reply
        self._place = None
        raise CloudError(CloudTrouble.MISSING, f"CloudWatch Logs: no group or stream {self._log} in {self._region}")


def _filter(arguments: dict[str, Any], client: Any) -> Any:
    return client.filter_log_events(**arguments)


def _places(log: str) -> Iterator[dict[str, Any]]:
    """Give each way to understand GROUP/STREAM: both may hold a `/`, and a group alone is the likeliest."""
    if _GROUP.fullmatch(log):
        yield {"logGroupName": log}
    at = log.rfind("/")
    while at > 0:
        if at + 1 < len(log) and _GROUP.fullmatch(log[:at]):
            yield {"logGroupName": log[:at], "logStreamNames": [log[at + 1 :]]}
        at = log.rfind("/", 0, at)


def _entry(event: dict[str, Any]) -> PolledEntry:
    return PolledEntry(
        int(event.get("timestamp", 0)) / 1000, str(event.get("eventId", "")), str(event.get("message", ""))
    )
