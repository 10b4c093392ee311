"""Zip files, JSON and SQLite databases."""

from __future__ import annotations

import json
import sqlite3
import time
import zipfile
from pathlib import Path
from urllib.parse import quote

from switchover_checks.api import ProbeError, Status
from switchover_checks.data.archives.stream import DamagedError, Stream, UnprovedError
from switchover_checks.language.units import format_bytes

__all__ = ["SQLITE_MAGIC", "check_json", "check_packed_sqlite", "check_sqlite", "check_zip"]

SQLITE_MAGIC = b"SQLite format 3\0"
_MOST_JSON = 64 << 20


def check_zip(path: Path, deadline: float) -> str:
    """Read every member of a zip file."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for name in names:
            try:
                with archive.open(name) as file:
                    Stream(file, deadline).drain()
            except RuntimeError as error:  # encrypted, or packed in a way that is not known here
                raise UnprovedError(str(error)) from None
    if not names:
        raise DamagedError("no member is inside")
    return f"{len(names)} members"


def check_json(stream: Stream) -> str:
    """Parse a document. Lines of documents are read too, but nothing proves that the last line is the last."""
    parts, size = [], 0
    while piece := stream.read():
        parts.append(piece)
        size += len(piece)
        if size > _MOST_JSON:
            raise UnprovedError(f"JSON above {format_bytes(_MOST_JSON)} is not read")
    data = b"".join(parts)
    try:
        value = json.loads(data)
    except RecursionError:
        raise UnprovedError("it is nested too deeply to be read") from None
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise
        lines = [line for line in data.splitlines() if line.strip()]
        for line in lines:
            json.loads(line)
        raise UnprovedError(f"{len(lines)} lines of JSON; nothing tells that the last one is the last") from None
    if value in (None, [], {}, ""):
        raise DamagedError("nothing is inside")
    return f"{len(value)} items" if isinstance(value, list | dict) else "one value"


def check_sqlite(path: Path, deadline: float) -> str:
    """Let SQLite check the whole file. What its last page lacks SQLite itself reads as zeros."""
    with path.open("rb") as file:
        _compare_size(file.read(100), path.stat().st_size)
    # A backup at rest has no other writer; `immutable` also reads one on a read-only medium.
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True)
    try:
        connection.set_progress_handler(lambda: int(time.monotonic() > deadline), 10_000)
        said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
        tables = int(connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0])
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            raise ProbeError("the integrity check takes longer than the check may", status=Status.UNKNOWN) from None
        raise
    finally:
        connection.close()
    if said != ["ok"]:
        raise DamagedError("; ".join(said)[:200])
    if not tables:
        raise DamagedError("no table is inside")
    return f"integrity ok, {tables} tables"


def check_packed_sqlite(stream: Stream) -> str:
    """Compare the size of a database with the size in its first page."""
    head = stream.peek(100)
    return f"a database of {_compare_size(head, stream.drain())} pages"


def _compare_size(head: bytes, size: int) -> int:
    """Return how many pages the first page tells of. Raise `DamagedError` where the database has another size."""
    page = int.from_bytes(head[16:18], "big")
    page = 65536 if page == 1 else page
    pages, changed, counted = (int.from_bytes(head[a : a + 4], "big") for a in (28, 24, 92))
    if size < 512 or (changed == counted and pages * page != size) or size % max(page, 1):
        raise DamagedError(f"the database is cut off, or goes on: {size} bytes of {pages * page}")
    return pages
