"""Why a PostgreSQL refuses a login, by its code: the words are in whatever language the server speaks.

libpq keeps the code of a failed login to itself. Before it asks for a password or for TLS, a server says whether it
takes anybody at all. So a first message without either learns it.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from psycopg.pq.abc import PGconn

__all__ = ["PASSES", "refusal_of"]

# Not yet or no longer taking logins, too many of them, ended by its operator: all pass by themselves.
PASSES = frozenset({"57P03", "53300", "57P01", "57P02"})
_WITHIN_S = 2.0
_MOST = 8192
_VERSION_3 = (3 << 16).to_bytes(4, "big")


def refusal_of(connection: PGconn | None) -> str:
    """Ask the server of a login that failed once more; return its SQLSTATE, empty where it gives none. Blocks."""
    if connection is None:
        return ""
    with suppress(OSError, ValueError):
        user, database = connection.user, connection.db
        words = b"\0".join((b"user", user, b"database", database or user)) + b"\0\0"
        with _line(connection) as line:
            line.settimeout(_WITHIN_S)
            line.sendall((len(words) + 8).to_bytes(4, "big") + _VERSION_3 + words)
            return _code(line)
    return ""


def _line(connection: PGconn) -> socket.socket:
    host, port = connection.host.decode(), int(connection.port)
    if not host.startswith("/"):
        return socket.create_connection((connection.hostaddr.decode() or host, port), _WITHIN_S)
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(_WITHIN_S)
    line.connect(str(Path(host) / f".s.PGSQL.{port}"))
    return line


def _code(line: socket.socket) -> str:
    """Read one message; the code of an error stands in its field `C`."""
    said = b""
    while len(said) < 5 or len(said) <= int.from_bytes(said[1:5], "big"):
        piece = line.recv(_MOST)
        if not piece or len(said) > _MOST:
            return ""
        said += piece
        if said[:1] != b"E":
            return ""
    fields = said[5:].split(b"\0")
    return next((field[1:].decode("ascii", "replace") for field in fields if field[:1] == b"C"), "")
