"""The SHA-256 digest of a file, read piece by piece."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from switchover_checks.api import ProbeError, Status

__all__ = ["sha256_of"]


def sha256_of(path: Path, deadline: float) -> str:
    """Digest a file piece by piece. Raise `ProbeError` when the deadline comes first."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            if time.monotonic() > deadline:
                raise ProbeError(f"reading {path} takes longer than the check may", status=Status.UNKNOWN)
    return digest.hexdigest()
