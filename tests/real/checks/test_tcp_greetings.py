"""Greetings of real protocols come in lines and pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from switchover_checks.api import Result, Status

Run = Callable[..., Awaitable[Result]]
Speak = Callable[..., Awaitable[int]]


@pytest.fixture
async def speak() -> AsyncIterator[Speak]:
    """Start a server that says pieces, each in a packet of its own, and then ends or stays silent."""
    servers: list[asyncio.Server] = []
    talks: list[asyncio.Task[None] | None] = []
    ends = asyncio.Event()

    async def start(pieces: Sequence[bytes], *, stays: bool = True) -> int:
        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.append(asyncio.current_task())
            try:
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    for _ in range(20):  # the other side, in the same loop, reads each piece by itself
                        await asyncio.sleep(0)
                if stays:
                    await ends.wait()
            except ConnectionError:
                pass
            writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    ends.set()
    await asyncio.gather(*(talk for talk in talks if talk is not None))
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([b"220-mail.example.org\r\n", b"220-no spam\r\n", b"220 ready\r\n"], "text contains '220 ready'"),
        ([b"220-ma", b"il\r\n22", b"0 ready\r", b"\n"], 'text matches "(?m)^220 ready"'),
        ([b"+OK POP3\r\n", b"+OK Capability list follows\r\n", b"UIDL\r\n", b".\r\n"], "text contains 'UIDL'"),
        ([b"Welcome\r\n", b"to the shop\r\n", b"ready> "], "text matches 'ready> $'"),
        ([b"* OK [CAPABILITY IMAP4rev1]\r\n"], "text contains 'IMAP4rev1'"),
        ([b"\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"], "text contains 'SSH-2.0'"),
        ([b"x" * 6000, b"\r\n", b"done\r\n"], "text contains 'done'"),
    ],
)
async def test_what_is_expected_is_waited_for_over_lines_and_pieces(
    run: Run, speak: Speak, pieces: list[bytes], expected: str
) -> None:
    result = await run("tcp", timeout_s=30, port=await speak(pieces), expect=expected)
    assert result.status is Status.OK, result


async def test_a_bad_line_after_good_ones_is_seen(run: Run, speak: Speak) -> None:
    port = await speak([b"220-mail\r\n", b"220-ok\r\n", b"220 overloaded\r\n"])
    result = await run("tcp", timeout_s=30, port=port, expect="not (text contains 'overloaded')")
    assert result.status is Status.CRIT


async def test_a_greeting_that_is_complete_is_judged_at_once(run: Run, speak: Speak) -> None:
    port = await speak([b"554-no\r\n", b"554 go away\r\n"])
    result = await asyncio.wait_for(run("tcp", timeout_s=3600, port=port, expect="text contains '220 '"), 60)
    assert result.status is Status.CRIT
    assert result.evidence["text"] == "554-no\r\n554 go away\r\n"


@pytest.mark.parametrize("piece", [b"220-half of it\r\n", b"no line", b"one line\r\n"])
async def test_what_did_not_come_in_time_is_critical_with_what_came(run: Run, speak: Speak, piece: bytes) -> None:
    result = await run("tcp", timeout_s=1.0, port=await speak([piece]), expect="text contains '220 ready'")
    assert result.status is Status.CRIT
    assert result.findings[-1].observed == repr(piece.decode())


async def test_the_end_of_the_connection_ends_the_waiting(run: Run, speak: Speak) -> None:
    port = await speak([b"220-half\r\n"], stays=False)
    result = await asyncio.wait_for(run("tcp", timeout_s=3600, port=port, expect="text contains '220 ready'"), 60)
    assert result.status is Status.CRIT
