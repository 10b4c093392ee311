"""Snapshots of Redis (RDB): their checksum over all that is in them."""

from __future__ import annotations

from switchover_checks.data.archives.crc64 import crc64
from switchover_checks.data.archives.stream import PIECE, DamagedError, Stream, UnprovedError
from switchover_checks.language.units import format_bytes

__all__ = ["RDB_MAGIC", "check_rdb"]

RDB_MAGIC = b"REDIS"
_END = 0xFF
_CHECKED_SINCE = 5
_FOOT = 9  # the mark and the checksum


def check_rdb(stream: Stream) -> str:
    """Read a snapshot to its end. Raise `DamagedError` where its end or its checksum is not right."""
    head = stream.peek(9)
    if not head.startswith(RDB_MAGIC) or not head[5:].isdigit() or len(head) < 9:
        raise DamagedError(f"it begins with {head!r}, not REDIS and its version")
    version = int(head[5:])
    crc, kept = 0, b""
    while piece := stream.read(PIECE):
        kept += piece
        if len(kept) > _FOOT:  # what may be the end waits for what comes
            crc, kept = crc64(kept[:-_FOOT], crc), kept[-_FOOT:]
    if version < _CHECKED_SINCE:
        if kept[-1:] != bytes([_END]):
            raise DamagedError("the mark of its end is not there: it is cut off")
        raise UnprovedError(f"a snapshot of version {version} has no checksum")
    if len(kept) < 9 or kept[-9] != _END:
        raise DamagedError("the mark of its end is not there: it is cut off")
    told = int.from_bytes(kept[-8:], "little")
    if told and told != crc64(kept[:-8], crc):
        raise DamagedError("its checksum is not that of its content")
    proof = "its checksum is right" if told else "written without a checksum"
    return f"{format_bytes(stream.position)}, version {version}, {proof}"
