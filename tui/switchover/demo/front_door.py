"""The front door: what visitors talk to. It sends each request to the side that is live at that moment.

`python -m switchover.demo.front_door DIR` listens, then goes on in the background. `/_door` says which side is live.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from http import HTTPStatus
from typing import Any, Final

from switchover.demo.background import go_on_in_background
from switchover.demo.layout import SIDES, Demo

__all__ = ["Door", "serve"]

_MAX_HEAD: Final = 32_768
_MAX_BODY: Final = 1 << 20
_VISITOR_S: Final = 15.0
_SIDE_S: Final = 60.0
_ENVIRONMENT: Final = {"old": "before", "new": "after"}


class Door:
    """A reverse proxy that asks the file `live` anew for each request: a switch needs no restart and drops nobody."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._ports = demo.ports()
        self._started = time.monotonic()
        self._sent = dict.fromkeys(SIDES, 0)
        self._failed = 0

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request of one visitor, then close."""
        try:
            async with asyncio.timeout(_VISITOR_S):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head, reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ConnectionError):
            pass  # the visitor left, or never asked anything
        finally:
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *fields = head.decode("latin-1").split("\r\n")
        words = line.split(" ")
        if len(words) != 3:
            return await _reply(writer, HTTPStatus.BAD_REQUEST, {"error": "this is no HTTP request"})
        path = words[1].partition("?")[0]
        length = next(
            (value for name, _, value in (f.partition(":") for f in fields) if name.lower() == "content-length"), "0"
        )
        if not length.strip().isdigit() or int(length) > _MAX_BODY:
            return await _reply(writer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "the body is too large"})
        body = await reader.readexactly(int(length))
        live = self._demo.live()
        if path == "/_door":
            return await _reply(writer, HTTPStatus.OK, self._describe(live))
        if live not in self._sent:
            return await _reply(
                writer, HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"no side is live: {live!r} is unknown"}
            )
        self._sent[live] += 1
        kept = [f for f in fields if f and f.partition(":")[0].lower() not in {"connection", "keep-alive"}]
        request = "\r\n".join([line, *kept, "Connection: close", "", ""]).encode("latin-1") + body
        return await self._pass_on(live, request, writer)

    async def _pass_on(self, live: str, request: bytes, writer: asyncio.StreamWriter) -> None:
        port = getattr(self._ports, live)
        try:
            async with asyncio.timeout(_SIDE_S):
                side_reader, side_writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    side_writer.write(request)
                    first = await side_reader.read(65_536)
                    if not first:
                        raise ConnectionError("it closed without an answer")
                    writer.write(first)
                    while data := await side_reader.read(65_536):
                        writer.write(data)
                        await writer.drain()
                    await writer.drain()
                finally:
                    side_writer.close()
        except (OSError, TimeoutError) as error:
            self._failed += 1
            text = f"the live side, {live}, does not answer: {error or type(error).__name__}"
            await _reply(writer, HTTPStatus.BAD_GATEWAY, {"error": text})

    def _describe(self, live: str) -> dict[str, Any]:
        return {
            "live": live,
            "environment": _ENVIRONMENT.get(live, ""),
            "requests": dict(self._sent),
            "failed": self._failed,
            "uptime_s": round(time.monotonic() - self._started, 1),
        }


async def _reply(writer: asyncio.StreamWriter, status: HTTPStatus, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode() + b"\n"
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    )
    writer.write(head.encode() + b"Connection: close\r\n\r\n" + data)
    await writer.drain()


def serve(demo: Demo) -> int:
    """Listen, go to the background, and serve until ended or until the folder is gone."""
    door = Door(demo)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", demo.ports().door))
        listener.listen(512)
    except OSError as error:
        sys.stderr.write(f"the front door cannot listen: {error}\n")
        return 1
    if not go_on_in_background(demo, "door"):
        return 0

    async def forever() -> None:
        server = await asyncio.start_server(door.receive, sock=listener, limit=_MAX_HEAD)
        await server.serve_forever()

    asyncio.run(forever())
    return 0


def main(arguments: list[str]) -> int:
    """Run the command line."""
    return serve(Demo.at(arguments[0] if arguments else os.curdir))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
