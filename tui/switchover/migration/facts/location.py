"""Where this engine's units run: the machine, the folder of their records, and an id that no other folder has.

Clones of a machine have one name, one machine id and the same paths. So a workspace has a random id, and beside it
stands which files hold it. A copy lies in other files, and gets an id of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

from switchover.errors import StateError
from switchover.migration.facts.events import Place
from switchover.private_files import make_private_dir, open_private, read_private

__all__ = ["marked_location", "this_location", "this_machine"]

_MARK = "location.json"


def this_location(directory: Path) -> Place:
    """Return the location of a workspace's folder on this machine.

    It has no id where none was given to this very folder.
    """
    try:
        path = directory / _MARK
        mark = json.loads(read_private(path, 4096, only_ours=True))
        own = mark["id"] if _is_of(mark["files"], _files(path)) else ""
    except (OSError, ValueError, KeyError, TypeError):
        own = ""
    return Place(socket.gethostname(), this_machine(), str(directory), own if isinstance(own, str) else "")


def marked_location(directory: Path) -> Place:
    """Return the same with an id, which is given now where there is none. Raise `StateError`."""
    found = this_location(directory)
    if found.workspace:
        return found
    path, beside = directory / _MARK, directory / f".{_MARK}.{secrets.token_hex(6)}"
    try:
        make_private_dir(directory)
        with os.fdopen(open_private(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            mark = {"id": secrets.token_hex(16), "files": _files(beside)}
            file.write(json.dumps(mark).encode())
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise StateError(
            f"the step was not started: {path} cannot be written ({error.strerror})",
            "free space or make it writable, then go on",
        ) from error
    return this_location(directory)


def this_machine() -> str:
    """Return a digest that tells this machine from others; empty where it has no id."""
    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = ""
    # The id itself is to be kept from strangers: machine-id(5).
    return hashlib.sha256(f"switchover {machine}".encode()).hexdigest()[:16] if machine else ""


def _files(path: Path) -> dict[str, object]:
    """Return what tells these files from a copy of them. Raise `OSError`."""
    mark, folder = path.stat(), path.parent.stat()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return {"file": mark.st_ino, "folder": folder.st_ino, "device": mark.st_dev, "boot": boot}


def _is_of(noted: dict[str, object], found: dict[str, object]) -> bool:
    """Whether these are the files that were noted. Devices get other numbers when a machine starts anew."""
    names = ["file", "folder", *(["device"] if noted["boot"] == found["boot"] else [])]
    return all(noted[name] == found[name] for name in names)
