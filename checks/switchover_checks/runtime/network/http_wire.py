"""One HTTP/1.1 connection: sends a request, reads the answer, and knows whether it can be used again."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from switchover_checks.api import ProbeError

__all__ = ["HttpAnswer", "StaleError", "Wire"]

_MOST_HEAD = 1 << 16
_HIGH_WATER = 1 << 18
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class StaleError(Exception):
    """A connection that was kept alive turned out to be closed before any of the answer came."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer as it came; `truncated` when the body was longer than asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    first_byte_at: float
    certificate: bytes | None = None


class Wire(asyncio.Protocol):
    """The bytes of one connection. Not usable again once `usable` is false."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._busy = False
        self._paused = False
        self._error: Exception | None = None
        self.opened_at = self._loop.time()
        self.certificate: bytes | None = None
        """What the other side showed in the TLS handshake, as DER."""
        self.uses = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (again after TLS has started)."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        shown = transport.get_extra_info("ssl_object")
        self.certificate = shown.getpeercert(binary_form=True) if shown is not None else None

    def data_received(self, data: bytes) -> None:
        """Keep what came; bytes that nobody asked for make the connection unusable."""
        if not self._busy:
            self._ended = True
            self.close()
            return
        self._buffer += data
        if len(self._buffer) > _HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Note that the other side has ended."""
        self._ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self._ended = True
        self._error = exc
        self._wake()

    @property
    def transport(self) -> asyncio.Transport:
        """The transport below."""
        assert self._transport is not None
        return self._transport

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return not self._ended and not self._busy and not self.transport.is_closing()

    def close(self) -> None:
        """Drop the connection now."""
        self._ended = True
        if self._transport is not None:
            self._transport.abort()

    def send(self, data: bytes) -> None:
        """Send a request."""
        self._busy = True
        self.uses += 1
        self.transport.write(data)

    async def read(self, method: str, max_body: int) -> HttpAnswer:
        """Read the answer. Raise `ProbeError` for one that breaks off, `StaleError` where it may be sent again."""
        while True:
            head, first_byte_at = await self._head()
            status, headers, old = _parse_head(head)
            if status >= 200:
                break
            if status == 101:
                raise ProbeError("switched to another protocol, which was not asked for", phase="first_byte")
        body, truncated, reusable = await self._body(method, status, headers, max_body)
        tokens = headers.get("connection", "").lower()
        self._busy = False
        if truncated or not reusable or "close" in tokens or (old and "keep-alive" not in tokens) or self._buffer:
            self.close()
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding in ("gzip", "x-gzip", "deflate") and body:
            body, more = _inflate(body, max_body)
            truncated = truncated or more
        return HttpAnswer(status, headers, body, truncated, first_byte_at, self.certificate)

    async def _head(self) -> tuple[bytes, float]:
        first_byte_at = 0.0
        while True:
            if self._buffer and not first_byte_at:
                first_byte_at = self._loop.time()
            end = self._buffer.find(b"\r\n\r\n")
            if end >= 0:
                head = bytes(self._buffer[:end])
                del self._buffer[: end + 4]
                return head, first_byte_at
            if len(self._buffer) > _MOST_HEAD:
                raise ProbeError("the headers are longer than 64 KiB", phase="first_byte")
            if self._ended:
                if not self._buffer and self.uses > 1:
                    raise StaleError
                why = f" ({self._error})" if self._error else ""
                got = "in the middle of the headers" if self._buffer else "without an answer"
                raise ProbeError(f"the connection was closed {got}{why}", phase="first_byte")
            await self._more()

    async def _body(self, method: str, status: int, headers: Mapping[str, str], most: int) -> tuple[bytes, bool, bool]:
        if method == "HEAD" or status in (204, 304):
            return b"", False, True
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body, truncated = await self._chunks(most)
            return body, truncated, True
        length_text = headers.get("content-length")
        if length_text is None:
            while not self._ended and len(self._buffer) <= most:
                await self._more()
            if self._error is not None:
                raise ProbeError(f"the connection broke in the body: {self._error}", phase="body")
            return bytes(self._buffer[:most]), len(self._buffer) > most, False
        if not length_text.isdecimal():
            raise ProbeError(f"Content-Length is {length_text[:40]!r}, not a number", phase="body")
        length = int(length_text)
        body = await self._exactly(min(length, most))
        return body, length > most, True

    async def _exactly(self, count: int) -> bytes:
        body = bytearray()
        while len(body) < count:
            if self._buffer:
                take = min(count - len(body), len(self._buffer))
                body += self._buffer[:take]
                del self._buffer[:take]
            elif self._ended:
                raise ProbeError(f"the body broke off after {len(body)} of {count} bytes", phase="body")
            else:
                await self._more()
        return bytes(body)

    async def _line(self) -> bytes:
        while True:
            end = self._buffer.find(b"\r\n")
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 2]
                return line
            if self._ended or len(self._buffer) > _MOST_HEAD:
                raise ProbeError("the body broke off between two chunks", phase="body")
            await self._more()

    async def _chunks(self, most: int) -> tuple[bytes, bool]:
        body = bytearray()
        while True:
            size_text = (await self._line()).partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size_text):
                raise ProbeError(f"a chunk's length is {size_text[:20]!r}, not a number", phase="body")
            size = int(size_text, 16)
            if size == 0:
                while await self._line():
                    pass
                return bytes(body), False
            body += await self._exactly(min(size, most - len(body)))
            if len(body) >= most:
                return bytes(body), True
            if await self._line():
                raise ProbeError("a chunk does not end where it should", phase="body")

    async def _more(self) -> None:
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _parse_head(head: bytes) -> tuple[int, dict[str, str], bool]:
    lines = head.split(b"\r\n")
    version, _, rest = lines[0].partition(b" ")
    code = rest[:3]
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or not code.isdigit() or len(code) != 3 or code < b"100":
        raise ProbeError(f"what answers does not speak HTTP: it said {lines[0][:60]!r}", phase="first_byte")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name):
            raise ProbeError(f"a header is not one: {line[:60]!r}", phase="first_byte")
        key = name.decode("ascii").lower()
        text = value.strip().decode("utf-8", "replace")
        between = "\n" if key == "set-cookie" else ", "  # a cookie may hold a comma
        headers[key] = f"{headers[key]}{between}{text}" if key in headers else text
    return int(code), headers, version == b"HTTP/1.0"


def _inflate(body: bytes, most: int) -> tuple[bytes, bool]:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = unpacker.decompress(body, most)
    except zlib.error as error:
        raise ProbeError(f"the compressed body is damaged: {error}", phase="body") from None
    return plain, bool(unpacker.unconsumed_tail)
