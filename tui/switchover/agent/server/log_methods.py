"""What a client may ask about logs. A stream belongs to the client that opened it and ends with it.

    logs.open    {items: [ids], paths: [], tail, since, until}  → {stream, sources: [LogSourceState]}
    logs.window  {stream, query: LogQuery, anchor, before, after, seen, wait}     → LogWindow
                 `anchor` is a line's number: that line or the next that fits, `before` lines above it, `after` from it
                 on; null: the newest `before + after` lines. With `wait` (seconds, at most 30) it is answered as soon
                 as there is a line newer than `seen` (`LogWindow.newest` of the last answer), at the latest then.
    logs.seek    {stream, query, seq, what: "error"|"find"|"line", by}            → {seq}: null where there is none
                 the next (`by` 1) or the one before (-1) among the lines that fit; with "line" as many as `by` says
    logs.line    {stream, seq, offset, limit}                   → {text, total}: a long line in parts (characters)
    logs.save    {stream, query}                                → {path, lines}: without secrets, mode 0600
    logs.close   {stream}                                       → nothing

`items` are ids of services, `paths` files on the agent's host. `since` and `until` are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from switchover.agent.server.client_session import ClientSession
from switchover.agent.server.log_streams import LogStreams
from switchover.agent.server.method import Method, MethodContext, Need
from switchover.errors import UsageError
from switchover.migration.facts.operator import Operator
from switchover.services.provider_api import LogSource, LogSpan
from switchover.snapshot.logview import LEVELS, LogQuery

__all__ = ["LOG_METHODS"]

_MOST_LINES = 1000  # in a window
_MOST_SOURCES = 50
_MOST_TAIL = 500_000
_LONGEST_PART = 256 * 1024
_LONGEST_WAIT_S = 30.0


class _Open(Need, frozen=True):
    items: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tail: int = 1000
    since: float | None = None
    until: float | None = None


class _Window(Need, frozen=True):
    stream: int
    query: LogQuery = LogQuery()
    anchor: int | None = None
    before: int = 0
    after: int = 50
    seen: int = -1
    wait: float = 0.0


class _Seek(Need, frozen=True):
    stream: int
    seq: int
    what: Literal["error", "find", "line"]
    by: int = 1
    query: LogQuery = LogQuery()


class _Line(Need, frozen=True):
    stream: int
    seq: int
    offset: int = 0
    limit: int = 64 * 1024


class _Save(Need, frozen=True):
    stream: int
    query: LogQuery = LogQuery()


class _Stream(Need, frozen=True):
    stream: int


def _streams(session: ClientSession) -> LogStreams:
    if session.logs is None:
        session.logs = LogStreams()
        session.at_end.append(session.logs.aclose)
    return session.logs


async def _open(target: MethodContext, need: _Open, op: Operator, session: ClientSession) -> Any:  # noqa: ARG001 - one shape
    if not need.items and not need.paths:
        raise UsageError("there is nothing to read: neither a service nor a file was named")
    if len(need.items) + len(need.paths) > _MOST_SOURCES:
        raise UsageError(f"at most {_MOST_SOURCES} logs are read together", "choose fewer")
    span = LogSpan(max(0, min(need.tail, _MOST_TAIL)), need.since, need.until, follow=need.until is None)
    sources: list[LogSource] = [LogSource(path, "file", path=path) for path in need.paths]
    off: list[tuple[str, str]] = []
    if need.items:
        for found in await target.hub.log_sources(need.items, span):
            if isinstance(found, LogSource):
                sources.append(found)
            else:
                off.append(found)
    return await _streams(session).open(sources, off, span, secrets=target.secrets(), folder=target.log_folder)


async def _window(target: MethodContext, need: _Window, op: Operator, session: ClientSession) -> Any:  # noqa: ARG001 - one shape
    before, after = max(0, min(need.before, _MOST_LINES)), max(0, min(need.after, _MOST_LINES))
    wait = max(0.0, min(need.wait, _LONGEST_WAIT_S))
    asked = {"query": _query(need.query), "anchor": need.anchor, "before": before, "after": after}
    return await _streams(session).ask(need.stream, "window", asked | {"seen": need.seen, "wait": wait}, extra_s=wait)


async def _seek(target: MethodContext, need: _Seek, op: Operator, session: ClientSession) -> Any:  # noqa: ARG001 - one shape
    asked = {"query": _query(need.query), "seq": need.seq, "what": need.what, "by": need.by}
    return await _streams(session).ask(need.stream, "seek", asked)


async def _line(target: MethodContext, need: _Line, op: Operator, session: ClientSession) -> Any:  # noqa: ARG001 - one shape
    limit = max(1, min(need.limit, _LONGEST_PART))
    asked = {"seq": need.seq, "offset": max(0, need.offset), "limit": limit}
    return await _streams(session).ask(need.stream, "line", asked)


async def _save(target: MethodContext, need: _Save, op: Operator, session: ClientSession) -> Any:  # noqa: ARG001 - one shape
    return await _streams(session).save(need.stream, {"query": _query(need.query)})


async def _close(target: MethodContext, need: _Stream, op: Operator, session: ClientSession) -> Any:  # noqa: ARG001 - one shape
    await _streams(session).close(need.stream)


def _query(query: LogQuery) -> dict[str, Any]:
    if query.least and query.least not in LEVELS:
        raise UsageError(f"there is no level {query.least}", f"there are {', '.join(LEVELS)}")
    names = ("show", "hide", "find", "least", "since", "until", "sources")
    return {name: getattr(query, name) for name in names}


LOG_METHODS: Mapping[str, Method] = {
    "logs.open": Method(_Open, _open, changes=False, acts=False, in_session=True),
    "logs.window": Method(_Window, _window, changes=False, acts=False, in_session=True),
    "logs.seek": Method(_Seek, _seek, changes=False, acts=False, in_session=True),
    "logs.line": Method(_Line, _line, changes=False, acts=False, in_session=True),
    "logs.save": Method(_Save, _save, changes=False, acts=False, in_session=True),
    "logs.close": Method(_Stream, _close, changes=False, acts=False, in_session=True),
}
