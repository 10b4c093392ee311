"""Keeps the files that a person names as evidence: copied into the run's folder, with their digest."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from switchover.errors import RefusedError
from switchover.migration.facts.step_events import EvidenceFile, Place
from switchover.private_files import make_private_dir, open_private, replace_private

__all__ = ["EVIDENCE", "evidence_fault", "keep_evidence"]

EVIDENCE = "evidence"  # the folder below that of the run
_MOST = 32 * 1024 * 1024
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def keep_evidence(
    run_directory: Path, name: str, path: Path, place: Place | None, clean: Callable[[str], str]
) -> EvidenceFile:
    """Copy a file under `name` (`STEP.ITEM`) and return what is to be known of the copy. Raise `RefusedError`.

    `clean` takes secrets out of a text. A file that holds one is refused, because its copy has to stay as it is.
    """
    data = _read(path)
    text = data.decode("utf-8", "replace")
    if clean(text) != text:
        raise RefusedError(
            f"{path} holds a secret, and evidence is kept for all to read", "take it out of a copy first"
        )
    digest = hashlib.sha256(data).hexdigest()
    shown = _UNSAFE.sub("-", path.name).strip("-")[-60:] or "file"
    kept = f"{EVIDENCE}/{name}.{digest[:12]}.{shown}"
    try:
        make_private_dir(run_directory / EVIDENCE)
        replace_private(run_directory / kept, data)
    except OSError as error:
        raise RefusedError(
            f"{path} cannot be kept as evidence: {error.strerror}", "free space, then tick again"
        ) from None
    return EvidenceFile(clean(str(path.name)), kept, digest, len(data), place)


def evidence_fault(run_directory: Path, file: EvidenceFile) -> str:
    """Say what is wrong with a kept file: it is gone, or is not what was ticked with. Empty where it is whole."""
    try:
        with os.fdopen(open_private(run_directory / file.kept, os.O_RDONLY, only_ours=False), "rb") as kept:
            found = hashlib.file_digest(kept, "sha256").hexdigest()
    except FileNotFoundError:
        return "it is gone"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return "" if found == file.sha256 else "it is not what it was when the item was ticked"


def _read(path: Path) -> bytes:
    hint = "name a file that is there, with its whole path"
    try:
        data = _content(path)
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error.strerror}", hint) from None
    except ValueError:
        raise RefusedError("this is no path of a file", hint) from None
    if not data:
        raise RefusedError(f"{path} is empty: it shows nothing", hint)
    if len(data) > _MOST:
        raise RefusedError(
            f"{path} has more than {_MOST // 1024 // 1024} MiB", "name a part of it, or say in words where it lies"
        )
    return data


def _content(path: Path) -> bytes:
    """Return a file's bytes, and no more of them than one too many. A pipe or a device is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        parts = []
        left = _MOST + 1
        while left and (part := os.read(descriptor, min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
