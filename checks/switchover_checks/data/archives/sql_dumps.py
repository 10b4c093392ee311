"""Dumps in SQL: whole only where the dumping program wrote its last line, and nothing after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from switchover_checks.data.archives.stream import DamagedError, Stream, UnprovedError
from switchover_checks.language.units import format_bytes

__all__ = ["check_sql", "looks_like_dump", "looks_like_sql"]

_HEAD = 8192
_TAIL = 8192
_BEGINNINGS = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:--|/\*|(?:alter|begin|copy|create|drop|insert|lock|pragma|set|start|use)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Dumper:
    """A program that writes dumps: how its dumps begin, and how the last lines of a whole one read."""

    name: str
    begins: re.Pattern[bytes]
    whole: Callable[[list[bytes], bytes], bool]


def _postgres(lines: list[bytes], head: bytes) -> bool:
    """Newer dumps stand in brackets. What opens with a key at the beginning is closed with it after the last line."""
    key = re.search(rb"^\\restrict (\S+)", head, re.MULTILINE)
    if key is not None and (not lines or lines[-1] != b"\\unrestrict " + key[1]):
        return False
    return _last_comment(lines) == b"-- PostgreSQL database dump complete"


def _cluster(lines: list[bytes], _head: bytes) -> bool:
    return _last_comment(lines) == b"-- PostgreSQL database cluster dump complete"


def _last_comment(lines: list[bytes]) -> bytes:
    """Return the last line, but for empty comments and the bracket that closes."""
    while lines and (lines[-1] == b"--" or lines[-1].startswith(b"\\unrestrict ")):
        lines = lines[:-1]
    return lines[-1] if lines else b""


def _ends_with(start: bytes) -> Callable[[list[bytes], bytes], bool]:
    return lambda lines, _head: bool(lines) and lines[-1].startswith(start)


def _transaction(lines: list[bytes], _head: bytes) -> bool:
    """Look for the COMMIT that ends a dump in one transaction; only comments may follow."""
    last = [line for line in lines if not line.startswith((b"--", b"/*!"))][-1:]
    return bool(last) and re.fullmatch(rb"(?i)(commit|end)( transaction| work)?\s*;", last[0]) is not None


_DUMPERS = (
    _Dumper("pg_dumpall", re.compile(rb"^-- PostgreSQL database cluster dump\r?$", re.MULTILINE), _cluster),
    _Dumper("pg_dump", re.compile(rb"^-- PostgreSQL database dump\r?$", re.MULTILINE), _postgres),
    _Dumper("mysqldump", re.compile(rb"^-- (?:MySQL|MariaDB) dump ", re.MULTILINE), _ends_with(b"-- Dump completed")),
    _Dumper(
        "mysqlpump", re.compile(rb"^-- Dump created by MySQL pump", re.MULTILINE), _ends_with(b"-- Dump end time:")
    ),
    _Dumper(
        "mysqldump without comments",
        re.compile(rb"^/\*!\d+ SET @OLD_SQL_NOTES=@@SQL_NOTES|^/\*!\d+ SET @OLD_CHARACTER_SET_CLIENT=", re.MULTILINE),
        lambda lines, _head: (
            bool(lines) and re.match(rb"/\*!\d+ SET SQL_NOTES=@OLD_SQL_NOTES \*/;", lines[-1]) is not None
        ),
    ),
    _Dumper(
        "a dump in one transaction",
        re.compile(
            rb"\A(?:\xef\xbb\xbf|\s|--[^\n]*\n|PRAGMA [^\n;]*;|SET [^\n;]*;)*(?:BEGIN|START TRANSACTION)\b[^\n;]*;",
            re.IGNORECASE,
        ),
        _transaction,
    ),
)


def looks_like_dump(head: bytes) -> bool:
    """Tell whether text begins as a known program writes a dump."""
    return any(dumper.begins.search(head) for dumper in _DUMPERS[:4])


def looks_like_sql(head: bytes) -> bool:
    """Tell whether text begins as SQL does."""
    return b"\0" not in head and _BEGINNINGS.match(head) is not None


def check_sql(stream: Stream) -> str:
    """Read a dump in SQL to its end. Raise `DamagedError`, or `UnprovedError` for one that nothing tells of."""
    head = stream.peek(_HEAD)
    if b"\0" in head:
        raise DamagedError("it is not text")
    tail = b""
    while piece := stream.read():
        tail = (tail + piece)[-_TAIL:] if len(piece) < _TAIL else piece[-_TAIL:]
    if not tail.strip():
        raise DamagedError("nothing is inside")
    if not tail.strip(b"\0"):
        raise DamagedError("its end is empty space")
    lines = [line.rstrip() for line in tail.splitlines() if line.strip()]
    if lines[-1].startswith(b"ROLLBACK"):
        raise DamagedError("it ends with ROLLBACK: the program that wrote it met errors")
    dumper = next((d for d in _DUMPERS if d.begins.search(head)), None)
    if dumper is None:
        raise UnprovedError("nothing in this SQL tells that it is whole")
    if not dumper.whole(lines, head):
        raise DamagedError(f"the line that completes {dumper.name} is not its last: it is cut off")
    return f"{format_bytes(stream.position)} of {dumper.name}, complete"
