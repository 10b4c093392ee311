"""What was read of a backup is remembered while the file is the same, and not read at each look."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from switchover_checks.api import Finding, Status
from switchover_checks.language.units import format_duration

__all__ = ["identity_of", "remembered"]

_MOST = 20

Read = tuple[list[Finding], bool]
"""What reading found, and whether it proved the content."""


def identity_of(paths: Iterable[Path], *more: object) -> str:
    """Return a digest of inodes, sizes and times, and of how it is read; empty where a file is gone."""
    digest = hashlib.sha256(repr(more).encode())
    for path in paths:
        try:
            info = path.stat()
        except OSError:
            return ""
        seen = (str(path), info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        digest.update(repr(seen).encode())
    return digest.hexdigest()


def remembered(known: dict[str, Any], identity: str, read: Callable[[], Read]) -> Read:
    """Return what was read of the same content before, or read now. What could not be known is not remembered."""
    before = known.get(identity)
    if identity and before is not None:
        ago = format_duration(max(0.0, time.time() - before["at"]))
        found = [Finding(w, e, f"{o} (read {ago} ago)", Status(s), h) for w, e, o, s, h in before["findings"]]
        return found, bool(before["proved"])
    findings, proved = read()
    if identity and findings and all(f.status in (Status.OK, Status.CRIT) for f in findings):
        kept = [[f.what, f.expected, f.observed[:300], int(f.status), f.hint] for f in findings]
        known[identity] = {"at": time.time(), "findings": kept, "proved": proved}
        for old in sorted(known, key=lambda one: float(known[one]["at"]))[:-_MOST]:
            del known[old]
    return findings, proved
