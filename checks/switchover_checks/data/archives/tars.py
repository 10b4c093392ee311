"""Tar archives: every member whole, the closing blocks there, and in a dump of PostgreSQL all that it names."""

from __future__ import annotations

import tarfile
from typing import IO, cast

from switchover_checks.data.archives.postgres import MAGIC, read_contents
from switchover_checks.data.archives.sql_dumps import check_sql, looks_like_dump
from switchover_checks.data.archives.stream import DamagedError, Stream

__all__ = ["check_tar"]

_CLOSING = bytes(1024)
_SCRIPT = "restore.sql"
"""What pg_dump puts into its archives beside the data: a script that has no last line."""


def check_tar(stream: Stream, deadline: float) -> str:
    """Read an archive that is not compressed, or no longer. Raise `DamagedError` or `tarfile.TarError`."""
    names: set[str] = set()
    needed: list[str] = []
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
        for member in archive:
            names.add(member.name.removeprefix("./"))
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                inner = Stream(file, deadline)
                needed += _member(member.name, inner)
                if inner.drain() != member.size:
                    raise DamagedError(f"{member.name} is cut off")
    if not names:
        raise DamagedError("no member is inside")
    stream.drain()
    if stream.tail[-1024:] != _CLOSING:
        raise DamagedError("the closing blocks are not there: it is cut off")
    lost = sorted(set(needed) - names)
    if lost:
        raise DamagedError(f"{lost[0]}, which the dump names, is not in it")
    return f"{len(names)} members"


def _member(name: str, inner: Stream) -> list[str]:
    """Look into a member that is a dump itself; return the files that it says must be there."""
    head = inner.peek(8192)
    if head.startswith(MAGIC) and name.removeprefix("./") == "toc.dat":
        contents, _ = read_contents(inner)
        # Large objects lie in files of their own, which `blobs…toc` lists, whatever the entry calls its file.
        return [entry.file for entry in contents.entries if entry.file and not entry.what.startswith("BLOBS")]
    if looks_like_dump(head) and name != _SCRIPT:
        try:
            check_sql(inner)
        except DamagedError as error:
            raise DamagedError(f"{name}: {error}") from None
    return []
