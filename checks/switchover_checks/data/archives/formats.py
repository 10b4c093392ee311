"""Which format a backup has, by its name and its first bytes, and what must be true of it."""

from __future__ import annotations

import gzip
import lzma
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from switchover_checks.api import Finding, Status
from switchover_checks.data.archives.documents import (
    SQLITE_MAGIC,
    check_json,
    check_packed_sqlite,
    check_sqlite,
    check_zip,
)
from switchover_checks.data.archives.mongo import ARCHIVE_MAGIC, check_bson, check_mongo_archive
from switchover_checks.data.archives.packed import PACKINGS, packing_of, unpacked
from switchover_checks.data.archives.postgres import MAGIC, check_pg_custom
from switchover_checks.data.archives.redis import RDB_MAGIC, check_rdb
from switchover_checks.data.archives.sql_dumps import check_sql, looks_like_dump, looks_like_sql
from switchover_checks.data.archives.stream import DamagedError, Stream, UnprovedError
from switchover_checks.data.archives.tars import check_tar
from switchover_checks.language.units import format_bytes

__all__ = ["FORMATS", "check_format", "format_of"]

_SUFFIXES = (
    ((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.lz4"), "tar"),
    *((ends, packing) for packing, ends in PACKINGS.items()),
    ((".zip",), "zip"),
    ((".json",), "json"),
    ((".sqlite", ".sqlite3", ".db", ".db3"), "sqlite"),
    ((".rdb",), "rdb"),
    ((".bson",), "bson"),
)
_POSTGRES = (".dump", ".pgdump", ".backup", ".custom")
_HINT = "set a restore_test, or format: none where a digest is enough"
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


def format_of(path: Path) -> str | None:
    """Tell the format by the name, else by the first bytes; None when it cannot be told."""
    name = path.name.lower()
    for ends, kind in _SUFFIXES:
        if name.endswith(ends):
            return kind
    found = _sniffed(_head(path))
    if found is None and name.endswith(".sql"):
        return "sql"
    if found is None and name.endswith(_POSTGRES):
        return "pg_custom"
    return found


def check_format(kind: str, path: Path, deadline: float) -> Finding:
    """Read the file as `kind`. What is damaged is CRIT; what could not be read, or is not proved, is UNKNOWN."""
    expected = f"a whole {_NOUNS.get(kind, kind)}"
    try:
        observed = _CHECKS[kind](path, deadline)
    except UnprovedError as error:
        return Finding("format", expected, str(error), Status.UNKNOWN, _HINT)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile) or error.errno is None:
            return Finding("format", expected, f"damaged: {error}", Status.CRIT)
        return Finding("format", expected, error.strerror or str(error), Status.UNKNOWN)
    except _DAMAGE as error:
        return Finding("format", expected, f"damaged: {error}", Status.CRIT)
    return Finding("format", expected, observed, Status.OK)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(8192)
    except OSError:
        return b""


_MAGIC = (
    (MAGIC, "pg_custom"),
    (SQLITE_MAGIC, "sqlite"),
    (RDB_MAGIC, "rdb"),
    (ARCHIVE_MAGIC, "mongo_archive"),
    (b"PK\x03\x04", "zip"),
)


def _sniffed(head: bytes) -> str | None:
    """Tell what a file is from its first bytes, where they leave no doubt."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[257:262] == b"ustar":
        return "tar"
    return packing_of("", head) or ("sql" if looks_like_dump(head) else None)


def _inner(stream: Stream, name: str, deadline: float) -> str:
    """Look at what was packed, by its own first bytes and by its name without the packing."""
    head = stream.peek(8192)
    kind = _sniffed(head)
    if kind is None and (name.endswith(".sql") or looks_like_sql(head)):
        kind = "sql"
    if kind is None and head[:1] in (b"{", b"[") and _is_text(head):
        kind = "json"
    if kind is None and name.endswith(".bson"):
        kind = "bson"
    if kind == "tar":
        return check_tar(stream, deadline)
    check = _STREAMED.get(kind or "")
    if check is None:
        if not stream.drain():
            raise DamagedError("nothing is inside")
        return ""
    return check(stream)


def _is_text(head: bytes) -> bool:
    try:
        head[:-4].decode()  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


_STREAMED: Mapping[str, Callable[[Stream], str]] = {
    "sql": check_sql,
    "pg_custom": check_pg_custom,
    "rdb": check_rdb,
    "json": check_json,
    "bson": check_bson,
    "mongo_archive": check_mongo_archive,
    "sqlite": check_packed_sqlite,
}


def _packed(packing: str) -> Callable[[Path, float], str]:
    def check(path: Path, deadline: float) -> str:
        with unpacked(packing, path) as file:
            stream = Stream(file, deadline)
            told = _inner(stream, _without_packing(path.name), deadline)
            stream.drain()
        return f"{format_bytes(stream.position)} unpacked" + (f": {told}" if told else "")

    return check


def _without_packing(name: str) -> str:
    return name.lower().rpartition(".")[0]


def _plain(kind: str) -> Callable[[Path, float], str]:
    def check(path: Path, deadline: float) -> str:
        with path.open("rb") as file:
            return _STREAMED[kind](Stream(file, deadline))

    return check


def _tar(path: Path, deadline: float) -> str:
    packing = packing_of(path.name, _head(path))
    if packing is not None:
        with unpacked(packing, path) as file:
            stream = Stream(file, deadline)
            told = check_tar(stream, deadline)
            stream.drain()
            return told
    with path.open("rb") as plain:
        return check_tar(Stream(plain, deadline), deadline)


_CHECKS: Mapping[str, Callable[[Path, float], str]] = {
    "tar": _tar,
    **{packing: _packed(packing) for packing in PACKINGS},
    "zip": check_zip,
    "sqlite": check_sqlite,
    **{kind: _plain(kind) for kind in ("json", "pg_custom", "sql", "rdb", "bson", "mongo_archive")},
}
FORMATS = tuple(_CHECKS)
_NOUNS = {
    "sqlite": "SQLite database",
    "tar": "tar archive",
    "zip": "zip archive",
    **{packing: f"{packing} file" for packing in PACKINGS},
    "json": "JSON document",
    "pg_custom": "PostgreSQL dump (custom format)",
    "sql": "SQL dump",
    "rdb": "Redis snapshot",
    "bson": "file of BSON documents",
    "mongo_archive": "archive of mongodump",
}
