"""A line to a server that a test has in its hands: it counts what goes to and fro, and may be held up or cut."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_GOODBYE = b"X\x00\x00\x00\x04"  # after which a client waits for nothing


class Line:
    """Forwards connections to a server on loopback. `trips` counts how often a client has asked and waited."""

    def __init__(self, port: int) -> None:
        self.server = port
        self.trips = 0
        self.delay_s = 0.0  # each way
        self._open = threading.Event()
        self._open.set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._gone: list[tuple[socket.socket, socket.socket]] = []
        self._threads: list[threading.Thread] = []
        self._begin(self._accept)

    def url(self, address: str) -> str:
        """Return the address that goes through here."""
        return address.replace(f":{self.server}/", f":{self.port}/")

    def freeze(self) -> None:
        """Let nothing through, and tell nobody: a server that hangs, or a line that was cut far away."""
        self._open.clear()

    def thaw(self) -> None:
        """Let through again, what was held up first."""
        self._open.set()

    def cut(self) -> None:
        """End all connections; new ones go through."""
        pairs, self._pairs = self._pairs, []
        self._gone += pairs
        for pair in pairs:
            for one in pair:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._open.set()
        pairs = list(self._pairs)
        self._listener.shutdown(socket.SHUT_RDWR)
        self.cut()
        for thread in self._threads:
            thread.join()
        self._listener.close()
        for pair in (*pairs, *self._gone):
            for one in pair:
                one.close()

    def _begin(self, work: Callable[..., None], *given: object) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.server))
                except OSError:
                    client.close()
                    continue
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pairs.append((client, server))
                asked = [False]
                self._begin(self._carry, client, server, asked, True)
                self._begin(self._carry, server, client, asked, False)

    def _carry(self, source: socket.socket, sink: socket.socket, asked: list[bool], asks: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                self._open.wait()
                if self.delay_s:
                    time.sleep(self.delay_s)
                if asks and not asked[0] and data != _GOODBYE:
                    self.trips += 1
                asked[0] = asks
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    line = Line(port)
    try:
        yield line
    finally:
        line.close()
