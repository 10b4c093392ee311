"""All entries that ship with the program, in the order in which they are tried. Those that name a cause come first."""

from __future__ import annotations

from switchover.triage.entries import KnownIssue
from switchover.triage.known.network import CERTIFICATE, CONNECTION_REFUSED, NAME, PORT_TAKEN
from switchover.triage.known.resources import (
    DISK_FULL,
    FILE_HANDLES,
    HOST_MEMORY,
    OUT_OF_MEMORY,
    PERMISSION,
    READ_ONLY,
)
from switchover.triage.known.running import CRASH_LOOP, DATABASE_CONNECTIONS, SPOT

__all__ = ["KNOWN", "known_entry"]

KNOWN: tuple[KnownIssue, ...] = (
    SPOT,
    OUT_OF_MEMORY,
    DISK_FULL,
    READ_ONLY,
    PORT_TAKEN,
    DATABASE_CONNECTIONS,
    FILE_HANDLES,
    CERTIFICATE,
    NAME,
    PERMISSION,
    HOST_MEMORY,
    CONNECTION_REFUSED,
    CRASH_LOOP,
)

_BY_ID = {entry.id: entry for entry in KNOWN}


def known_entry(name: str) -> KnownIssue | None:
    """Return the entry of this id."""
    return _BY_ID.get(name)
