"""The service that is migrated: a small shop's HTTP interface over one SQLite store.

`python -m switchover.demo.shop DIR old|new` listens on the side's port, then goes on in the background. When the
command returns with 0, the service answers.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from switchover.demo.background import go_on_in_background
from switchover.demo.layout import SIDES, Demo, Side
from switchover.demo.shop_store import connect, counts

__all__ = ["Shop", "serve"]

_REPORT: Final = """
SELECT o.id, (SELECT sum(l.quantity * l.price_cents) FROM order_lines l WHERE l.order_id = o.id) AS cents
FROM orders o WHERE o.status = 'open' ORDER BY cents DESC, o.id LIMIT 10
"""
_BUSIEST: Final = """
SELECT max(many) FROM (SELECT (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) AS many FROM customers c)
"""
_ROOM_BYTES: Final = 16_384  # more than the free space in a store's last pages

Answer = tuple[int, dict[str, Any]]


class Shop:
    """What the service answers, as (status, JSON)."""

    def __init__(self, demo: Demo, side: Side) -> None:
        self._demo = demo
        self._side = side
        self._started = time.monotonic()

    def answer(self, path: str) -> Answer:
        """Answer a GET. A store that cannot be used is the service's own fault: 503 with its words."""
        routes: dict[str, Callable[[], Answer]] = {
            "/health": self._health,
            "/report": self._report,
            "/stats": self._stats,
        }
        try:
            if path.startswith("/customers/"):
                return self._customer(path.removeprefix("/customers/"))
            if route := routes.get(path):
                return route()
        except (sqlite3.Error, OSError) as error:
            return 503, {"status": "failed", "side": self._side, "error": str(error)}
        return 404, {"error": f"there is nothing at {path}", "try": [*routes, "/customers/1"]}

    def _health(self) -> Answer:
        """Read, and write what needs new room in the store; the write is taken back."""
        error = ""
        with connect(self._demo, self._side) as store:
            rows = sum(counts(store).values())
        try:
            with connect(self._demo, self._side) as store:
                store.execute("CREATE TABLE room (bytes BLOB)")
                store.execute("INSERT INTO room VALUES (zeroblob(?))", (_ROOM_BYTES,))
                store.execute("ROLLBACK")
                store.execute("BEGIN")
        except sqlite3.Error as problem:
            error = str(problem)
        health = {
            "status": "degraded" if error else "healthy",
            "side": self._side,
            "rows": rows,
            "writable": not error,
            "uptime_s": round(time.monotonic() - self._started, 1),
        }
        return (503, {**health, "error": error}) if error else (200, health)

    def _customer(self, number: str) -> Answer:
        if not (number.isascii() and number.isdigit() and len(number) < 18):
            return 400, {"error": f"{number[:40]!r} is not the number of a customer"}
        with connect(self._demo, self._side) as store:
            row = store.execute(
                "SELECT id, name, email, city, since FROM customers WHERE id = ?", (int(number),)
            ).fetchone()
            if row is None:
                return 404, {"error": f"there is no customer {number}"}
            orders = store.execute("SELECT id, placed, status FROM orders WHERE customer_id = ? ORDER BY id", (row[0],))
            customer = dict(zip(("id", "name", "email", "city", "since"), row, strict=True))
            customer["orders"] = [dict(zip(("id", "placed", "status"), order, strict=True)) for order in orders]
        return 200, customer

    def _report(self) -> Answer:
        """Rank the open orders by their worth: slow without an index on `service_action_lines.order_id`."""
        with connect(self._demo, self._side) as store:
            began = time.perf_counter()
            rows = store.execute(_REPORT).fetchall()
            took = time.perf_counter() - began
        orders = [{"order": number, "cents": cents or 0} for number, cents in rows]
        return 200, {"side": self._side, "query_ms": round(took * 1000, 2), "open_orders": orders}

    def _stats(self) -> Answer:
        """Count, and look up each customer's orders: slow when the index `orders_by_customer` is gone."""
        with connect(self._demo, self._side) as store:
            rows = counts(store)
            began = time.perf_counter()
            busiest = store.execute(_BUSIEST).fetchone()[0]
            took = time.perf_counter() - began
        return 200, {"side": self._side, "rows": rows, "most_orders": busiest, "query_ms": round(took * 1000, 2)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, shop: Shop) -> None:
        self.shop = shop
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, _request: Any, client_address: Any) -> None:
        """Say in one line what went wrong with a connection; visitors who leave early are no news."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            sys.stderr.write(f"request from {client_address}: {type(error).__name__}: {error}\n")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def do_GET(self) -> None:
        """Answer with JSON."""
        status, body = self.server.shop.answer(self.path.partition("?")[0])
        data = json.dumps(body, ensure_ascii=False).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the parent's parameter
        """Keep no access log: the demo may run for days."""


def serve(demo: Demo, side: Side) -> int:
    """Listen, go to the background, and serve until ended or until the folder is gone."""
    try:
        server = _Server(getattr(demo.ports(), side), Shop(demo, side))
    except OSError as error:
        sys.stderr.write(f"the {side} service cannot listen: {error}\n")
        return 1
    if not go_on_in_background(demo, side):
        return 0
    server.serve_forever(poll_interval=0.5)
    return 0


def main(arguments: list[str]) -> int:
    """Run the command line."""
    directory, name = arguments
    side = next(side for side in SIDES if side == name)
    return serve(Demo.at(directory), side)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
