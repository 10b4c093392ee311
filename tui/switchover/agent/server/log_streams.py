"""The log streams of one client: a reader process for each, relayed to, watched, and ended with the client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from switchover.agent.server.reader_process import LogReader, ReaderHungError
from switchover.commands.logs import OpenedLog, SavedLog
from switchover.errors import RefusedError, StateError, UsageError
from switchover.services.provider_api import LogSource, LogSpan
from switchover.snapshot.logview import LogSourceState, LogWindow

if TYPE_CHECKING:
    from switchover.hub import Hub

__all__ = ["LogStreams"]

Answer = TypeVar("Answer")
_MOST_STREAMS = 8
_ANSWER_WITHIN_S = 3.0
_START_WITHIN_S = 20.0  # for a process of Python's to be there and to answer first, on a machine that is busy
_SEEK_WITHIN_S = 6.0
_SAVE_WITHIN_S = 300.0
_PATTERNS = ("show", "hide", "find")
_GIVEN_UP = "the pattern took too long to search for, so the log was opened again without it"
_HUNG = "the log reader did not answer, so the log was opened again"


@dataclass(slots=True)
class _Stream:
    reader: LogReader
    what: Mapping[str, Any]
    secrets: Callable[[], Mapping[str, str]]
    refused: tuple[str, ...] | None = None  # show, hide and find that hung a reader
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    closed: bool = False

    async def aclose(self) -> None:
        """End the reader, and with it whatever is about to start another."""
        self.closed = True
        await self.reader.aclose()


class LogStreams:
    """Opens, asks and closes streams by their number. Raise `StateError` where a reader fails."""

    def __init__(self, *, answer_within_s: float = _ANSWER_WITHIN_S) -> None:
        self._within_s = answer_within_s
        self._streams: dict[int, _Stream] = {}
        self._last = 0
        self._opening = 0

    async def open_merged(
        self,
        hub: Hub,
        items: Sequence[str],
        paths: Sequence[str],
        span: tuple[int, float | None, float | None],
        *,
        secrets: Callable[[], Mapping[str, str]],
        folder: Path | None,
    ) -> OpenedLog:
        """Read the logs of services, by their ids, and files together. `span`: the newest lines, since, until."""
        tail, since, until = span
        wanted = LogSpan(tail, since, until, follow=until is None)
        found = await hub.log_sources(items, wanted) if items else []
        sources = [LogSource(path, "file", path=path) for path in paths]
        sources += [one for one in found if isinstance(one, LogSource)]
        off = [one for one in found if not isinstance(one, LogSource)]
        return await self.open(sources, off, wanted, secrets=secrets, folder=folder)

    async def open(
        self,
        sources: Sequence[LogSource],
        off: Sequence[tuple[str, str]],
        span: LogSpan,
        *,
        secrets: Callable[[], Mapping[str, str]],
        folder: Path | None,
    ) -> OpenedLog:
        """Start to read; return the stream's number and the state of its sources. Raise `RefusedError`.

        `secrets` tells those known by now: a reader learns each before it answers again.
        """
        await self._let_go_of_ended()
        if len(self._streams) + self._opening >= _MOST_STREAMS:
            raise RefusedError(f"{_MOST_STREAMS} logs are open already", "close one of them first")
        what = {
            "sources": msgspec.to_builtins(_with_names_apart(sources)),
            "off": list(off),
            "span": msgspec.to_builtins(span),
            "secrets": dict(secrets()),
            "folder": str(folder) if folder is not None else "",
        }
        self._opening += 1
        reader = LogReader()
        try:
            await reader.start(what)
            states = await reader.ask("states", {}, _START_WITHIN_S)
        except ReaderHungError:
            await reader.aclose()
            raise StateError("the log reader does not answer", "try again") from None
        except BaseException:
            await reader.aclose()
            raise
        finally:
            self._opening -= 1
        self._last += 1
        self._streams[self._last] = _Stream(reader, what, secrets)
        return OpenedLog(self._last, msgspec.json.decode(states, type=tuple[LogSourceState, ...]))

    async def ask(
        self, number: int, do: str, params: Mapping[str, Any], answer_type: type[Answer], *, extra_s: float = 0.0
    ) -> Answer:
        """Relay a request. A reader that hangs is ended and started anew, without the pattern that it hung over."""
        stream = self._stream(number)
        asked, problem = _without(stream.refused, params)
        within = extra_s + (_SEEK_WITHIN_S if do == "seek" else self._within_s)
        reader = stream.reader
        try:
            await self._learn(stream)
            raw = await reader.ask(do, asked, within)
            if await self._learn(stream):  # while it waited for lines
                raw = await reader.ask(do, {**asked, "wait": 0}, within)
        except ReaderHungError:
            await self._open_again(stream, reader, params)
            asked, problem = _without(stream.refused, params)
            if do != "window":
                raise StateError(problem or _HUNG) from None
            problem = problem or _HUNG
            raw = await self._ask_new(stream, asked)
        answer = msgspec.json.decode(raw, type=answer_type)
        return replace(answer, problem=problem) if problem and isinstance(answer, LogWindow) else answer

    async def save(self, number: int, params: Mapping[str, Any]) -> SavedLog:
        """Write what fits to a file; it may take its time."""
        stream = self._stream(number)
        asked, problem = _without(stream.refused, params)
        if problem:
            raise StateError(problem)
        try:
            await self._learn(stream)
            return msgspec.json.decode(await stream.reader.ask("save", asked, _SAVE_WITHIN_S), type=SavedLog)
        except ReaderHungError:
            raise StateError("the log could not be written in time", "choose fewer lines") from None

    async def close(self, number: int) -> None:
        """End a stream and its reader."""
        stream = self._stream(number)
        del self._streams[number]
        await stream.aclose()

    async def aclose(self) -> None:
        """End all of them: the client has gone."""
        streams, self._streams = list(self._streams.values()), {}
        await asyncio.gather(*(stream.aclose() for stream in streams), return_exceptions=True)

    async def _learn(self, stream: _Stream) -> bool:
        """Tell a reader the secrets that became known since; return whether there were any."""
        known = dict(stream.secrets())
        if known == stream.what["secrets"]:
            return False
        stream.what = {**stream.what, "secrets": known}
        await stream.reader.ask("learn", {"secrets": known}, self._within_s)
        return True

    async def _let_go_of_ended(self) -> None:
        """Forget streams whose reader was ended. Their clients got an error, and open them anew."""
        for number in [number for number, stream in self._streams.items() if stream.reader.has_ended]:
            await self._streams.pop(number).reader.aclose()

    def _stream(self, number: int) -> _Stream:
        stream = self._streams.get(number)
        if stream is None:
            raise UsageError(f"there is no log stream {number}", "open the log again")
        return stream

    async def _open_again(self, stream: _Stream, hung: LogReader, params: Mapping[str, Any]) -> None:
        """Start anew what hung, where nobody else has; a stream that was closed meanwhile stays closed."""
        patterns = _patterns(params)
        if any(patterns):
            stream.refused = patterns
        async with stream.opening:
            if stream.reader is hung:
                await hung.kill()
                stream.reader = LogReader()
                await stream.reader.start(stream.what)
            if stream.closed:
                await stream.reader.aclose()
                raise UsageError("the log was closed")

    async def _ask_new(self, stream: _Stream, params: Mapping[str, Any]) -> msgspec.Raw:
        try:
            return await stream.reader.ask("window", {**params, "wait": 0}, _START_WITHIN_S)
        except ReaderHungError:
            raise StateError("the log reader does not answer", "open the log again") from None


def _patterns(params: Mapping[str, Any]) -> tuple[str, ...]:
    query = params.get("query") or {}
    return tuple(query.get(name) or "" for name in _PATTERNS)


def _without(refused: tuple[str, ...] | None, params: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """Return what is asked without patterns that hung a reader, and what to say of it."""
    if refused is None or _patterns(params) != refused:
        return params, ""
    return {**params, "query": {**params["query"], **dict.fromkeys(_PATTERNS, "")}}, _GIVEN_UP


def _with_names_apart(sources: Sequence[LogSource]) -> list[LogSource]:
    """Return sources none of which is called like another."""
    taken: set[str] = set()
    named = []
    for source in sources:
        name, count = source.name, 1
        while name in taken:
            count += 1
            name = f"{source.name} ({count})"
        taken.add(name)
        named.append(replace(source, name=name))
    return named
