"""Serves the API in the agent's loop. Until somebody connects it is a bound socket, and nothing of it is imported."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.agent.http.guard import ApiGuard, token_of
from switchover.agent.server.sockets import bind_socket
from switchover.errors import StateError, UsageError

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

    from switchover.agent.http.api_sources import ApiSources
    from switchover.agent.http.api_stream import ApiStream

__all__ = ["ApiServer", "parse_address"]

log = logging.getLogger("switchover.agent")

_STARTS_WITHIN_S = 30.0


def parse_address(text: str) -> tuple[str, int]:
    """Read `127.0.0.1:PORT`. Raise `UsageError` for anything but a loopback address."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or not 0 <= int(port) < 65536:
        raise UsageError(f"{text!r} is no address with a port", "write --api 127.0.0.1:8000")
    if host not in {"127.0.0.1", "::1", "localhost"}:
        raise UsageError(f"the API is served on this machine alone, not on {host}", "write --api 127.0.0.1:8000")
    return "127.0.0.1" if host == "localhost" else host, int(port)


class ApiServer:
    """Listens on a Unix socket, and on a loopback port where one is asked for."""

    def __init__(self, sources: ApiSources, path: Path, token_file: Path, address: tuple[str, int] | None) -> None:
        self._sources = sources
        self._path = path
        self._token_file = token_file
        self._address = address
        self._listeners: list[socket.socket] = []
        self._inode = 0
        self._stream: ApiStream | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._beginning: asyncio.Task[None] | None = None
        self._token = ""

    @property
    def port(self) -> int:
        """The TCP port that is served; 0 where there is none."""
        tcp = [s for s in self._listeners if s.family != socket.AF_UNIX]
        return int(tcp[0].getsockname()[1]) if tcp else 0

    @property
    def is_reachable(self) -> bool:
        """Whether the socket lies where applications look, and is listened to."""
        try:
            return bool(self._listeners) and self._path.stat().st_ino == self._inode
        except OSError:
            return False

    async def watch_health(self) -> None:
        """Take in what an agent before this one was told; then measure how the agent fares, until cancelled."""
        await self._sources.restore()
        await self._sources.health.watch()

    def listen(self) -> None:
        """Bind, and wait for the first connection. Raise `StateError` where that cannot be."""
        unix, self._inode = bind_socket(self._path)
        self._listeners = [unix]
        if self._address is not None:
            try:
                self._token = token_of(self._token_file)
                self._listeners.append(_tcp(*self._address))
            except OSError as error:
                host, port = self._address
                self._let_go()
                raise StateError(f"cannot serve the API on {host}:{port}: {error.strerror or error}") from error
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            listener.setblocking(False)
            loop.add_reader(listener.fileno(), self._first)

    async def aclose(self) -> None:
        """Let every client go and stop."""
        self._forget_readers()
        if self._beginning is not None:
            await asyncio.gather(self._beginning, return_exceptions=True)
        if self._stream is not None:
            await self._stream.aclose()
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await asyncio.gather(self._serving, return_exceptions=True)
        self._stream, self._server, self._serving, self._beginning = None, None, None, None
        self._let_go()

    # Inside

    def _first(self) -> None:
        """Begin to serve: somebody waits in the queue of a socket."""
        self._forget_readers()
        self._beginning = asyncio.get_running_loop().create_task(self._begin(), name="api start")

    async def _begin(self) -> None:
        try:
            app = await asyncio.to_thread(self._build)  # the import takes long, and the loop must not
            self._server = _server(app)
            self._serving = asyncio.create_task(self._server._serve(sockets=self._listeners), name="api")  # noqa: SLF001 - `serve` would take the signals
        except Exception:  # the boundary: without the API the agent's own work goes on
            log.exception("the API cannot be served")

    def _build(self) -> ApiGuard:
        from switchover.agent.http.web_app import build_app

        app, self._stream = build_app(self._sources)
        return self._guarded(app)

    def _guarded(self, app: Starlette) -> ApiGuard:
        port = self.port
        hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        return ApiGuard(app, self._token, hosts)

    def _forget_readers(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            if listener.fileno() >= 0:
                loop.remove_reader(listener.fileno())

    def _let_go(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        with suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()


def _tcp(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    os.set_inheritable(listener.fileno(), False)
    return listener


def _server(app: ApiGuard) -> uvicorn.Server:
    import uvicorn

    config = uvicorn.Config(
        app,
        loop="none",
        http="h11",
        ws="wsproto",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=1 << 16,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)
