"""Is a file what its name says? Reads all of it, piece by piece: a cut-off archive has a fine beginning."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import sqlite3
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from switchover_checks.api import Finding, ProbeError, Status
from switchover_checks.units import format_bytes

__all__ = ["FORMATS", "check_format", "format_of"]

_PIECE = 1 << 20
_MOST_JSON = 64 << 20
_SUFFIXES = (
    ((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".txz"), "tar"),
    ((".gz",), "gzip"),
    ((".bz2",), "bzip2"),
    ((".xz",), "xz"),
    ((".zip",), "zip"),
    ((".json",), "json"),
    ((".sqlite", ".sqlite3", ".db", ".db3"), "sqlite"),
    ((".sql",), "sql"),
)


def format_of(path: Path) -> str | None:
    """Tell the format by the name, and for a dump of PostgreSQL by its first bytes; None when it cannot be told."""
    name = path.name.lower()
    for suffixes, kind in _SUFFIXES:
        if name.endswith(suffixes):
            return kind
    if name.endswith((".dump", ".pgdump", ".backup", ".custom")):
        return "pg_custom"
    return None


def check_format(kind: str, path: Path, deadline: float) -> Finding:
    """Read the file as `kind`. What is damaged is CRIT; what could not be read is UNKNOWN."""
    expected = f"a whole {_NOUNS.get(kind, kind)}"
    try:
        observed = _CHECKS[kind](path, deadline)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile) or error.errno is None:
            return Finding("format", expected, f"damaged: {error}", Status.CRIT)
        return Finding("format", expected, error.strerror or str(error), Status.UNKNOWN)
    except _DAMAGE as error:
        return Finding("format", expected, f"damaged: {error}", Status.CRIT)
    return Finding("format", expected, observed, Status.OK)


_DAMAGE = (
    EOFError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    sqlite3.Error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _drain(file: _Readable, deadline: float) -> int:
    total = 0
    while piece := file.read(_PIECE):
        total += len(piece)
        if time.monotonic() > deadline:
            raise ProbeError("reading the backup takes longer than the check may", status=Status.UNKNOWN)
    return total


def _gzip(path: Path, deadline: float) -> str:
    with gzip.open(path, "rb") as file:
        return f"{_some(_drain(file, deadline))} unpacked"


def _bzip2(path: Path, deadline: float) -> str:
    with bz2.open(path, "rb") as file:
        return f"{_some(_drain(file, deadline))} unpacked"


def _xz(path: Path, deadline: float) -> str:
    with lzma.open(path, "rb") as file:
        return f"{_some(_drain(file, deadline))} unpacked"


def _some(count: int) -> str:
    if not count:
        raise ValueError("nothing is inside")
    return format_bytes(count)


def _tar(path: Path, deadline: float) -> str:
    members = 0
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            members += 1
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None and _drain(file, deadline) != member.size:
                raise ValueError(f"{member.name} is cut off")
    if not members:
        raise ValueError("no member is inside")
    # A plain tar that was cut between two members reads well; only the closing block tells.
    if tarfile.is_tarfile(path) and path.name.lower().endswith(".tar"):
        with path.open("rb") as plain:
            plain.seek(max(0, path.stat().st_size - 1024))
            if any(plain.read()):
                raise ValueError("the closing block is not there: it is cut off")
    return f"{members} members"


def _zip(path: Path, deadline: float) -> str:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for name in names:
            with archive.open(name) as file:
                _drain(file, deadline)
    if not names:
        raise ValueError("no member is inside")
    return f"{len(names)} members"


def _json(path: Path, _deadline: float) -> str:
    if path.stat().st_size > _MOST_JSON:
        raise ProbeError(
            f"JSON above {format_bytes(_MOST_JSON)} is not read; set a restore_test", status=Status.UNKNOWN
        )
    value = json.loads(path.read_bytes())
    if value in (None, [], {}, ""):
        raise ValueError("nothing is inside")
    return f"{len(value)} items" if isinstance(value, list | dict) else "one value"


def _sqlite(path: Path, deadline: float) -> str:
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
        raise ValueError("; ".join(said)[:200])
    if not tables:
        raise ValueError("no table is inside")
    return f"integrity ok, {tables} tables"


def _pg_custom(path: Path, deadline: float) -> str:
    with path.open("rb") as file:
        head = file.read(11)
        if head[:5] != b"PGDMP":
            raise ValueError(f"it begins with {head[:5]!r}, not PGDMP")
        if len(head) < 11:
            raise ValueError("the header is cut off")
        _drain(file, deadline)
    return f"dump format {head[5]}.{head[6]} (header only; a restore_test proves more)"


def _sql(path: Path, deadline: float) -> str:
    with path.open("rb") as file:
        total = _drain(file, deadline)
        file.seek(max(0, total - 4096))
        end = file.read()
        file.seek(0)
        begin = file.read(4096)
    if b"PostgreSQL database dump" in begin and b"PostgreSQL database dump complete" not in end:
        raise ValueError("the line that completes a dump is not there: it is cut off")
    if b"MySQL dump" in begin and b"Dump completed" not in end:
        raise ValueError("the line that completes a dump is not there: it is cut off")
    if b"\0" in begin:
        raise ValueError("it is not text")
    return format_bytes(total)


_CHECKS: Mapping[str, Callable[[Path, float], str]] = {
    "sqlite": _sqlite,
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "tar": _tar,
    "zip": _zip,
    "json": _json,
    "pg_custom": _pg_custom,
    "sql": _sql,
}
FORMATS = tuple(_CHECKS)
_NOUNS = {
    "sqlite": "SQLite database",
    "tar": "tar archive",
    "zip": "zip archive",
    "gzip": "gzip file",
    "json": "JSON document",
    "pg_custom": "PostgreSQL dump (custom format)",
    "sql": "SQL dump",
}
