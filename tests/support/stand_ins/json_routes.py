"""A stand-in for any API over HTTP: what it answers is laid down by path, and what was asked is kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.support.stand_ins.loopback import Answers, serving

__all__ = ["JsonRoutes", "json_routes"]

Answer = tuple[int, Any]


@dataclass
class JsonRoutes:
    """Routes: a path to a document, to (status, document), or to a function of the body that returns one of these."""

    routes: dict[str, Any]
    address: str = ""
    asked: list[tuple[str, str, Any, Mapping[str, str]]] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)

    def answer(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        document = json.loads(body) if body[:1] in (b"{", b"[") else body.decode()
        self.asked.append((method, path, document, headers))
        self.came.set()
        said = self.routes.get(urlsplit(path).path, self.routes.get("*", (404, {"error": "not found"})))
        if isinstance(said, Callable):  # type: ignore[arg-type]
            said = said(document if body else path)
        return said if isinstance(said, tuple) else (200, said)


@contextmanager
def json_routes(routes: dict[str, Any]) -> Iterator[JsonRoutes]:
    """Serve on a loopback port."""
    state = JsonRoutes(routes)

    class Handler(Answers, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            code, document = state.answer(self.command, self.path, body, dict(self.headers.items()))
            if isinstance(document, str):
                self.answer(code, document.encode(), "text/plain")
            else:
                self.answer_json(code, document)

        do_POST = do_PUT = do_GET  # noqa: N815 - the base class names them

    with serving(Handler) as state.address:
        yield state
