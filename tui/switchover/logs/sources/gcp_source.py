"""A log of Google's Cloud Logging, through `entries.list`."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from switchover.clouds.google_login import Google
from switchover.logs.sources.polled import PolledEntry, follow
from switchover.logs.sources.source_api import Feed, LineSource, LogTimeSpan, SourceSpec

__all__ = ["GoogleLogSource", "open_source"]

_EVERY_S = 5.0  # a project may ask 60 times a minute, all of its askers together
_PAGE = 1000
_MOST_PAGES = 20
_LEVELS = {
    "DEBUG": "debug",
    "INFO": "info",
    "NOTICE": "info",
    "WARNING": "warn",
    "ERROR": "error",
    "CRITICAL": "fatal",
    "ALERT": "fatal",
    "EMERGENCY": "fatal",
}


def open_source(spec: SourceSpec) -> LineSource:
    """Return what reads the entries that fit `options["filter"]` in `options["project"]`."""
    return GoogleLogSource(spec.options.get("filter", ""), spec.options.get("project", ""))


class GoogleLogSource:
    """Asks every few seconds, newest first for the last lines, then oldest first."""

    def __init__(
        self,
        wanted: str,
        project: str = "",
        google: Google | None = None,
        *,
        every: float = _EVERY_S,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._wanted = wanted
        self._google = google or Google()
        self._project = project or self._google.project()
        self._every = every
        self._wall = wall

    async def read(self, feed: Feed, span: LogTimeSpan) -> None:
        """Push the last lines and what comes."""
        why = self._google.missing() or ("" if self._project else "Google Cloud: no project (GOOGLE_CLOUD_PROJECT)")
        if why:
            feed.off(why)
            feed.caught_up()
            return
        try:
            await follow(self, feed, span, every=self._every, wall=self._wall)
        finally:
            await self._google.aclose()

    async def last(self, span: LogTimeSpan) -> Sequence[PolledEntry]:
        """Return the last entries of the span, oldest first. Raise `CloudError`."""
        found: list[PolledEntry] = []
        async for page in self._pages(span.since, span.until, "timestamp desc", min(span.tail, _PAGE)):
            found += page
            if len(found) >= span.tail:
                break
        return list(reversed(found[: span.tail]))

    async def since(self, start: float) -> AsyncIterator[Sequence[PolledEntry]]:
        """Go through the pages of what there is from `start` on. Raise `CloudError`."""
        async for page in self._pages(start, None, "timestamp asc", _PAGE):
            yield page

    async def _pages(
        self, since: float | None, until: float | None, order: str, size: int
    ) -> AsyncIterator[list[PolledEntry]]:
        terms = [f"({self._wanted})"] if self._wanted else []
        terms += [f'timestamp>="{_stamp(since)}"'] if since is not None else []
        terms += [f'timestamp<="{_stamp(until)}"'] if until is not None else []
        body: dict[str, Any] = {
            "resourceNames": [f"projects/{self._project}"],
            "filter": " AND ".join(terms),
            "orderBy": order,
            "pageSize": max(size, 1),
        }
        for _ in range(_MOST_PAGES):
            page = await self._google.ask("logging", "POST", "/v2/entries:list", body=body)
            if entries := [_entry(one) for one in page.get("entries") or ()]:
                yield entries
            if not page.get("nextPageToken"):
                return
            body["pageToken"] = page["nextPageToken"]


def _stamp(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _entry(one: Mapping[str, Any]) -> PolledEntry:
    stamp = str(one.get("timestamp") or one.get("receiveTimestamp") or "")
    try:
        at = datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        at = 0.0
    name = f"{stamp} {one.get('insertId', '')} {one.get('logName', '')}"
    return PolledEntry(at, name, _text(one), _LEVELS.get(str(one.get("severity", "")), ""))


def _text(one: Mapping[str, Any]) -> str:
    """Return what an entry says: its text, the message of its JSON with the rest behind it, or the request."""
    if "textPayload" in one:
        return str(one["textPayload"])
    payload = one.get("jsonPayload")
    if isinstance(payload, dict):
        rest = {key: value for key, value in payload.items() if key != "message"}
        said = str(payload["message"]) if "message" in payload else ""
        more = json.dumps(rest, ensure_ascii=False, separators=(", ", ": ")) if rest else ""
        return " ".join(part for part in (said, more) if part)
    request = one.get("httpRequest")
    if isinstance(request, dict):
        keys = ("requestMethod", "status", "requestUrl", "latency")
        return " ".join(str(request[key]) for key in keys if key in request)
    payload = one.get("protoPayload")
    if isinstance(payload, dict):
        status = payload.get("status") if isinstance(payload.get("status"), dict) else {}
        who = (payload.get("authenticationInfo") or {}).get("principalEmail", "")
        parts = (str(payload.get("methodName", "")), str(who), str((status or {}).get("message", "")))
        return " ".join(part for part in parts if part)
    return ""
