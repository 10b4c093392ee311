"""Each kind that talks over the network meets servers that misbehave: never fine, in its own time, with a phase."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.stand_ins.tcp_server import serving

from switchover_checks.api import Status
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import ProbeSpec, Runner

pytest.importorskip("redis.asyncio")  # imported before it is timed
pytest.importorskip("dns.asyncresolver")

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


def http(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def says(data: bytes, *, first: bool = False) -> Callable[[Reader, Writer], Awaitable[None]]:
    """Return a server that answers every question alike, or with `first` speaks unasked."""

    async def serve(reader: Reader, writer: Writer) -> None:
        while first or await reader.read(65536):
            writer.write(data)
            await writer.drain()
            if first:
                await reader.read()
                return

    return serve


async def reset(_reader: Reader, writer: Writer) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()


async def silent(reader: Reader, _writer: Writer) -> None:
    while await reader.read(65536):
        pass


async def drip(_reader: Reader, writer: Writer) -> None:
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.02)


async def half_closed(reader: Reader, writer: Writer) -> None:
    writer.write_eof()
    await reader.read()


async def huge(_reader: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
    while True:
        writer.write(b"2" * 65536)
        await writer.drain()
        await asyncio.sleep(0.001)


async def endless_headers(_reader: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: and more\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0.001)


_BOMB = gzip.compress(b"0" * (64 << 20), 9)
_RAW = {
    "reset": reset,
    "silent": silent,
    "slow drip": drip,
    "half closed": half_closed,
    "wrong protocol": says(b"\x16\x03\x01\x00\xa5nonsense\x00\xff", first=True),
    "another protocol": says(b"* OK IMAP ready\r\n", first=True),
    "huge answer": huge,
}
_OVER_HTTP = {
    "endless headers": endless_headers,
    "endless redirect": says(http(b"", "302 Found", Location="/again")),
    "gzip bomb": says(http(_BOMB, **{"Content-Encoding": "gzip"})),
    "bad JSON": says(http(b'{"status": "gre')),
    "no JSON": says(http(b"<html>It works!</html>")),
    "wrong credentials": says(http(b'{"error": "unauthorized"}', "401 Unauthorized")),
    "broken": says(http(b"oops", "500 Internal Server Error")),
    "a list": says(http(b"[]")),
    "a number": says(http(b"7")),
    "wrong types": says(
        http(json.dumps({"status": [], "data": {"resultType": "vector", "result": [7]}, "result": [], "hits": 3,
                         "database": None, "count": "x"}).encode())
    ),
    "empty": says(http(b"")),
    "empty object": says(http(b"{}")),
}  # fmt: skip

_SPEAKERS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "tcp": lambda port: {"port": port, "expect": "text contains 'ready 220'"},
    "tls": lambda port: {"host": "127.0.0.1", "port": port},
    "smtp": lambda port: {"port": port},
    "ssh": lambda port: {"host": "127.0.0.1", "port": port, "login": False},
    "redis": lambda port: {"port": port},
    "dns": lambda port: {"name": "example.org", "server": f"127.0.0.1:{port}", "transport": "tcp"},
}


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


_APIS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "http": lambda port: {"url": url(port), "expect": "body.status == 'fine'", "follow_redirects": True},
    "openmetrics": lambda port: {"url": url(port), "metrics": {"up": "up"}},
    "promql": lambda port: {"url": url(port), "query": "up", "crit": "1000000:"},
    "qdrant": lambda port: {"url": url(port), "collection": "docs"},
    "elasticsearch": lambda port: {"url": url(port), "index": "a"},
    "openobserve": lambda port: {"url": url(port), "stream": "a"},
    "grafana": lambda port: {"url": url(port), "token": "t", "datasources": "a"},
    "roundtrip": lambda port: {
        "send": {"url": f"{url(port)}/$MARK", "method": "POST"},
        "receive": {"url": url(port)},
        "within": "100ms",
        "look_every": "50ms",
    },
}
_HANGS = {"silent", "slow drip", "huge answer", "endless headers", "wrong protocol", "another protocol"}
_CASES = [
    *((bad, (*_SPEAKERS, *_APIS)) for bad in ("refused", *_RAW)),
    *((bad, tuple(_APIS)) for bad in _OVER_HTTP),
]


@pytest.mark.parametrize(("bad", "kinds"), _CASES, ids=[bad for bad, _ in _CASES])
async def test_a_server_that_misbehaves_is_never_fine(tmp_path: Path, bad: str, kinds: Sequence[str]) -> None:
    """All kinds meet it at once, so that those that have to wait for their time wait together."""
    resources = Resources()
    runner = Runner(Registry(), lambda deadline: LocalContext(deadline, tmp_path, resources=resources))
    runner.on_close(resources.aclose)
    keys = {**_SPEAKERS, **_APIS}
    seconds = 2.0 if bad in _HANGS else 30.0
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.aclose)
        port = await stack.enter_async_context(serving({**_RAW, **_OVER_HTTP}.get(bad, silent)))
        if bad == "refused":
            await stack.pop_all().aclose()
        probes = [runner.run(ProbeSpec(kind, kind, keys[kind](port), seconds)) for kind in kinds]
        outcomes = dict(zip(kinds, await asyncio.gather(*probes), strict=True))
        await runner.aclose()
    assert len(outcomes) == len(kinds)
    for kind, outcome in outcomes.items():
        result = outcome.result
        assert result.status in (Status.CRIT, Status.UNKNOWN), (kind, result)
        assert "the check itself failed" not in result.summary, (kind, result)
        assert result.findings, kind
        assert all(f.expected and f.observed for f in result.findings), (kind, result)
        if bad in ("refused", *_RAW):
            assert result.phase, (kind, result)
        if bad == "refused":
            assert "refused" in result.summary, (kind, result)
