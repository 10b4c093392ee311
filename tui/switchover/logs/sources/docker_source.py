"""The log of a container, through the SDK: followed over its restarts, its making anew, and those of the daemon."""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Collection, Iterator
from typing import Any

from switchover.logs.reading.log_times import Times
from switchover.logs.reading.splitter import Splitter
from switchover.logs.sources.source_api import Feed, LineSource, LogTimeSpan, RawLine, SourceSpec
from switchover.logs.sources.threaded import Bridge

__all__ = ["DockerSource", "open_source"]

_CHUNK = 1 << 16
_HEADER = struct.Struct(">BxxxL")
_TIMEOUT_S = 10
_PAUSES_S = (0.2, 5.0)
_LOOK_EVERY_S = 1.0
_REFUSED_EVERY_S = 30.0
_BIT_BEFORE_S = 0.05  # output and errors are written side by side, so times may stand in a slightly other order
_RECENT = 20_000  # lines that are known again after a lost connection


def open_source(spec: SourceSpec) -> LineSource:
    """Return what reads the log of the container `ref` on `docker_host`."""
    return DockerSource(spec.ref, spec.docker_host)


class _GoneError(Exception):
    """The container is not there, or its log cannot be read; the text says so."""


class DockerSource:
    """Reads one container by its name. Lines bear the daemon's times, by which none is told twice."""

    def __init__(self, ref: str, host: str) -> None:
        self._ref = ref
        self._host = host
        self._last = b""  # the daemon's latest time; all have the same form, so they compare as they are
        self._recent: deque[bytes] = deque(maxlen=_RECENT)
        self._times = Times()

    async def read(self, feed: Feed, span: LogTimeSpan) -> None:
        """Push the last lines and what comes."""
        bridge = Bridge(feed)
        await bridge.carry(lambda: self._follow(bridge, feed, span))

    def _follow(self, bridge: Bridge, feed: Feed, span: LogTimeSpan) -> None:
        """Read until there is no more to follow; in a thread."""
        pause = _PAUSES_S[0]
        while not bridge.closed:
            wait = _LOOK_EVERY_S
            try:
                running = self._read_once(bridge, feed, span)
                pause = wait = _PAUSES_S[0]
                if not running:
                    bridge.tell(feed.reading, "stopped; lines come again once it runs")
                    wait = _LOOK_EVERY_S
            except _GoneError as error:
                bridge.tell(feed.off, str(error))
                wait = _REFUSED_EVERY_S if "driver" in str(error) else _LOOK_EVERY_S
            except Exception as error:  # the SDK lets errors of requests, urllib3 and its own through
                bridge.tell(feed.off, f"Docker: {_reason(error)}; it is tried again")
                wait, pause = pause, min(pause * 2, _PAUSES_S[1])
            if not span.follow:
                return
            time.sleep(wait)

    def _read_once(self, bridge: Bridge, feed: Feed, span: LogTimeSpan) -> bool:
        """Read one connection to its end; return whether the container runs still."""
        from switchover_checks.runtime.docker.docker_hosts import named_endpoint, open_client, usual_endpoint

        api = open_client(named_endpoint(self._host) if self._host else usual_endpoint(), _TIMEOUT_S)
        try:
            tty = self._is_tty(api)
            response = self._open(api, span)
            bridge.tell(feed.reading)
            known, known_until = frozenset(self._recent), self._last
            chunks = response.raw.stream(_CHUNK, decode_content=False)
            for lines in _lines(chunks, tty=tty):
                fresh = self._fresh(lines, known, known_until)
                if fresh:
                    bridge.put(fresh)
                if bridge.closed:
                    return False
            return bool((api.inspect_container(self._ref).get("State") or {}).get("Running"))
        finally:
            api.close()

    def _is_tty(self, api: Any) -> bool:
        from docker.errors import NotFound

        try:
            details = api.inspect_container(self._ref)
        except NotFound:
            raise _GoneError(f"there is no container {self._ref}; it is read as soon as there is") from None
        return bool((details.get("Config") or {}).get("Tty"))

    def _open(self, api: Any, span: LogTimeSpan) -> Any:
        """Ask for the log. The SDK's own method reads a terminal's output byte by byte, so its parts are used here."""
        from docker.errors import APIError

        params: dict[str, Any] = {"stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(span.follow)}
        if self._last:
            at = self._times.read(self._last.decode("ascii", "replace")) or 0.0
            params |= {"tail": "all", "since": f"{max(0.0, at - _BIT_BEFORE_S):.6f}"}
        else:
            params["tail"] = span.tail
            if span.since is not None:
                params["since"] = f"{span.since:.6f}"
        if span.until is not None:
            params["until"] = f"{span.until:.6f}"
        url = api._url("/containers/{0}/logs", self._ref)  # noqa: SLF001
        response = api._get(url, params=params, stream=True)  # noqa: SLF001
        try:
            api._raise_for_status(response)  # noqa: SLF001
        except APIError as error:
            said = str(error.explanation or error)
            if "driver" in said:
                raise _GoneError(
                    f"the log driver of {self._ref} keeps no log that Docker can read; look where it sends them"
                ) from None
            raise _GoneError(f"Docker: {said}") from None
        api._disable_socket_timeout(api._get_raw_response_socket(response))  # noqa: SLF001
        return response

    def _fresh(self, lines: list[bytes], known: Collection[bytes], known_until: bytes) -> list[RawLine]:
        """Return the lines that were not read yet, with their times."""
        fresh = []
        for line in lines:
            stamp, _, text = line.partition(b" ")
            at = self._times.read(stamp.decode("ascii", "replace"))
            if at is None:
                fresh.append(RawLine(None, line))
                continue
            if stamp <= known_until and line in known:
                continue
            self._last = max(stamp, self._last)
            self._recent.append(line)
            fresh.append(RawLine(at, text))
        return fresh


def _lines(chunks: Iterator[bytes], *, tty: bool) -> Iterator[list[bytes]]:
    """Return lines, each with the daemon's time before it; without a terminal they come in frames."""
    if tty:
        splitter = Splitter()
        for chunk in chunks:
            yield list(splitter.feed(chunk))
        yield list(splitter.finish())
        return
    buffer = bytearray()
    begun: dict[int, Splitter] = {}
    for chunk in chunks:
        buffer += chunk
        lines: list[bytes] = []
        position = 0
        while len(buffer) - position >= _HEADER.size:
            stream, length = _HEADER.unpack_from(buffer, position)
            end = position + _HEADER.size + length
            if end > len(buffer):
                break
            lines += _from_frame(bytes(buffer[position + _HEADER.size : end]), stream, begun)
            position = end
        del buffer[:position]
        if lines:
            yield lines


def _from_frame(frame: bytes, stream: int, begun: dict[int, Splitter]) -> list[bytes]:
    """Return the line of a frame. A long line comes in several, each with a time; the first one's is its own."""
    if stream not in begun:
        if frame.endswith(b"\n"):
            return [frame[:-1]]
        splitter = Splitter()
        splitter.feed(frame)
        begun[stream] = splitter
        return []
    lines = list(begun[stream].feed(frame.partition(b" ")[2]))
    if lines:
        del begun[stream]
    return lines


def _reason(error: Exception) -> str:
    from switchover_checks.runtime.docker.docker_hosts import reason_of

    return reason_of(error)
