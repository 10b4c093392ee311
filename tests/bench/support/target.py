"""A loopback HTTP server whose answers take a known time: of 20 paths, 16 take 5 ms, 3 take 100 ms, 1 takes 1 s."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["delay_of", "serving"]

_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{"status": "healthy"}'


def delay_of(number: int) -> float:
    """Return how long the answer to `/NUMBER` takes, in seconds."""
    share = number * 7 % 20  # so that the slow ones are spread
    return 0.005 if share < 16 else 0.1 if share < 19 else 1.0


class _Visitor(asyncio.Protocol):
    """Keeps a connection alive and answers one request after the other."""

    transport: asyncio.Transport
    buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            number = int(head.split(b" ")[1].strip(b"/"))
            asyncio.get_running_loop().call_later(delay_of(number), self._answer)

    def _answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_ANSWER)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Visitor, "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  # nothing tells of it
        await asyncio.sleep(1)


@contextmanager
def serving() -> Iterator[int]:
    """Run the server in a process of its own; give its port."""
    with subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


if __name__ == "__main__":
    asyncio.run(_serve())
