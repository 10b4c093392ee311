"""What mongodump writes: files of BSON documents, and archives that say where each collection ends."""

from __future__ import annotations

import struct

from switchover_checks.data.archives.stream import DamagedError, Stream
from switchover_checks.language.units import format_bytes

__all__ = ["ARCHIVE_MAGIC", "check_bson", "check_mongo_archive"]

ARCHIVE_MAGIC = b"\x6d\xe2\x99\x81"
_END = b"\xff\xff\xff\xff"
_MOST = 64 << 20
_SIZES = {0x01: 8, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x07: 12, 0x13: 16}


def check_bson(stream: Stream) -> str:
    """Go through documents to the end of the file. Raise `DamagedError` for one that is cut off."""
    count = 0
    while stream.peek(1):
        _document(stream, f"document {count + 1}")
        count += 1
    return f"{count} documents, {format_bytes(stream.position)}"


def check_mongo_archive(stream: Stream) -> str:
    """Go through an archive: each collection that it announces must be there to its end."""
    if stream.exactly(4, "its first bytes") != ARCHIVE_MAGIC:
        raise DamagedError("it does not begin as an archive of mongodump")
    _document(stream, "its header")
    announced: set[tuple[str, str]] = set()
    while stream.peek(4) != _END:
        announced.add(_collection(_document(stream, "its list of collections"))[:2])
    stream.exactly(4, "its list of collections")
    ended: set[tuple[str, str]] = set()
    while stream.peek(1):
        database, collection, end = _collection(_document(stream, "the head of a block"))
        while stream.peek(4) != _END:
            _document(stream, f"{database}.{collection}")
        stream.exactly(4, "a block")
        if end:
            ended.add((database, collection))
    lost = sorted(announced - ended)
    if lost:
        raise DamagedError(f"it is cut off: {'.'.join(lost[0])} has no end")
    return f"{len(ended)} collections, {format_bytes(stream.position)}"


def _document(stream: Stream, what: str) -> bytes:
    (size,) = struct.unpack("<i", stream.exactly(4, what))
    if not 5 <= size <= _MOST:
        raise DamagedError(f"{what}: a document of {size} bytes makes no sense")
    body = stream.exactly(size - 4, what)
    if body[-1:] != b"\0":
        raise DamagedError(f"{what}: a document does not end where it should")
    return body


def _collection(body: bytes) -> tuple[str, str, bool]:
    """Read `db`, `collection` and `EOF` from the first level of a document without its length."""
    found: dict[str, str | bool] = {}
    place = 0
    while place < len(body) - 1 and body[place]:
        kind = body[place]
        name, _, _ = body[place + 1 :].partition(b"\0")
        place += len(name) + 2
        if kind == 0x02:
            (size,) = struct.unpack_from("<i", body, place)
            found[name.decode("utf-8", "replace")] = body[place + 4 : place + 3 + size].decode("utf-8", "replace")
            place += 4 + size
        elif kind in _SIZES:
            if kind == 0x08:
                found[name.decode("utf-8", "replace")] = bool(body[place])
            place += _SIZES[kind]
        elif kind in (0x03, 0x04):
            place += struct.unpack_from("<i", body, place)[0]
        else:
            break
    return str(found.get("db", "")), str(found.get("collection", "")), found.get("EOF") is True
