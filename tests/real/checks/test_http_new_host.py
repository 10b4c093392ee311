"""`http` where name and address differ, with certificates, cookies and character sets, against sockets on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.made_chains import issue, server_context
from tests.support.stand_ins.tcp_server import Serve, serving

from switchover_checks.api import Result, Status

Run = Callable[..., Awaitable[Result]]


def answer(body: bytes, kind: str = "text/plain") -> bytes:
    """Write a whole answer."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Server:
    """A server with an answer for each path, which keeps what it was asked."""

    answers: dict[str, bytes] = field(default_factory=lambda: {"/health": answer(b"fine")})
    requests: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer each request of a connection."""
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            writer.write(self.answers.get(head.split(" ")[1], answer(b"")))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Serve."""
    served = Server()
    async with serving(served.serve) as port:
        served.port = port
        yield served


async def test_a_name_is_asked_for_at_the_address_of_its_new_host(run: Run, server: Server) -> None:
    url = "http://shop.example.invalid:81/health"
    result = await run("http", url=url, connect=f"127.0.0.1:{server.port}", expect=["status == 200", f"url == '{url}'"])
    assert result.status is Status.OK, result
    assert "Host: shop.example.invalid:81\r\n" in server.requests[-1]


@pytest.mark.parametrize("connect", ["127.0.0.1:x", "a/b", "u@127.0.0.1", "127.0.0.1:99999"])
async def test_what_is_no_address_is_not_connected_to(run: Run, server: Server, connect: str) -> None:
    result = await run("http", url=server.url, connect=connect)
    assert result.status is Status.UNKNOWN
    assert "is no address to connect to" in result.summary


async def test_over_tls_the_name_of_the_url_is_proved_at_the_new_address(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = issue("root", authority=True)
    (tmp_path / "root.pem").write_bytes(root.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "root.pem"))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"fine"))
        await writer.drain()
        await reader.read()

    leaf = issue("shop.example.invalid", root, days=30)
    async with serving(serve, server_context(tmp_path, leaf)) as port:
        at = {"connect": f"127.0.0.1:{port}", "expect": ["certificate.days_left > 29", "certificate.issuer == 'root'"]}
        fine = await run("http", url="https://shop.example.invalid/", **at)
        other = await run("http", url="https://other.example.invalid/", **at)
    assert fine.status is Status.OK, fine
    assert (other.status, other.phase) == (Status.CRIT, "tls"), other


async def test_a_cookie_of_a_redirect_is_sent_to_the_same_host_only(run: Run, server: Server) -> None:
    server.answers["/login"] = (
        b"HTTP/1.1 302 Found\r\nLocation: /health\r\n"
        b"Set-Cookie: sid=7; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT\r\n"
        b"Set-Cookie: old=1; Max-Age=0\r\nContent-Length: 0\r\n\r\n"
    )
    result = await run("http", url=f"{server.url}/login", follow_redirects=True, headers={"Cookie": "lang=de"})
    assert result.status is Status.OK, result
    assert "Cookie: lang=de; sid=7\r\n" in server.requests[-1]
    async with serving(_sends_elsewhere(server)) as port:
        await run("http", url=f"http://localhost:{port}/", follow_redirects=True)
    assert "ookie" not in server.requests[-1]


def _sends_elsewhere(server: Server) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {server.url}/health\r\nSet-Cookie: sid=8\r\n".encode())
        writer.write(b"Content-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read()

    return serve


async def test_a_body_is_read_in_its_own_character_set(run: Run, server: Server) -> None:
    server.answers["/latin"] = answer("Größe".encode("latin-1"), "text/plain; charset=ISO-8859-1")
    server.answers["/odd"] = answer("Größe".encode(), "text/plain; charset=x-nobody-knows")
    for path in ("/latin", "/odd"):
        result = await run("http", url=server.url + path, expect="text == 'Größe'")
        assert result.status is Status.OK, result
