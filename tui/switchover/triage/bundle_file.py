"""The bundle for a colleague: one file of mode 0600 with everything that helps, and no secret."""

from __future__ import annotations

import io
import os
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from switchover.errors import StateError
from switchover.locations import ensure_private_dir
from switchover.private_files import open_private
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["MOST_BYTES", "bundle_name", "write_bundle"]

MOST_BYTES = 20 << 20
_MOST_PART = 4 << 20


def bundle_name(host: str, at: float) -> str:
    """Return a file name that distinguishes bundles."""
    safe = "".join(c if c.isalnum() or c in "-." else "-" for c in host)[:60] or "host"
    return f"switchover-{safe}-{time.strftime('%Y%m%d-%H%M%SZ', time.gmtime(at))}"


def write_bundle(
    folder: Path, name: str, parts: Mapping[str, str], redact: Callable[[str], str], at: float
) -> tuple[Path, int]:
    """Write `parts` (file names and texts) as NAME.tar.gz; return its path and its size in bytes.

    Each text goes through `redact`, then through the rules for what looks like a secret. A part that is too long keeps
    its end. Raise `StateError` where it cannot be written; nothing half-written stays.
    """
    ensure_private_dir(folder)
    path = folder / f"{name}.tar.gz"
    part_path = folder / f".{name}.part"
    left = MOST_BYTES
    try:
        descriptor = open_private(part_path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as archive:
                for part, text in parts.items():
                    content = _content(text, redact, min(_MOST_PART, left))
                    left -= len(content)
                    member = tarfile.TarInfo(f"{name}/{part}")
                    member.size, member.mode, member.mtime = len(content), 0o600, int(at)
                    archive.addfile(member, io.BytesIO(content))
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        part_path.rename(path)
    except OSError as error:
        part_path.unlink(missing_ok=True)
        raise StateError(f"the bundle cannot be written: {error.strerror}", f"free space at {folder}") from error
    return path, size


def _content(text: str, redact: Callable[[str], str], most: int) -> bytes:
    clean = redact_unknown(redact(text)).encode("utf-8", "replace")
    if len(clean) <= most:
        return clean
    note = f"({len(clean) - most} bytes before this were left out)\n".encode()
    return note[:most] + clean[len(clean) - max(most - len(note), 0) :]
