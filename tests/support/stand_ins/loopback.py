"""What the stand-ins for services over HTTP have in common: a server on a loopback port, and answers with a length."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Answers", "serving"]


class Answers(BaseHTTPRequestHandler):
    """Writes whole answers, and nothing to the terminal."""

    def answer(self, code: int, body: bytes, kind: str = "") -> None:
        """Answer with bytes of a content type; none is named where it is empty."""
        self.send_response(code)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, code: int, document: object) -> None:
        """Answer with a document."""
        self.answer(code, json.dumps(document).encode(), "application/json; charset=UTF-8")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on a loopback port; give the address, as `http://127.0.0.1:PORT`."""
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
