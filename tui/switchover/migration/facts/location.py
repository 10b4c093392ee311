"""Where this engine's units run: the machine, and the folder of their records."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

from switchover.migration.facts.events import Place

__all__ = ["this_location", "this_machine"]


def this_location(directory: Path) -> Place:
    """Return the place of a workspace's folder on this machine."""
    return Place(socket.gethostname(), this_machine(), str(directory))


def this_machine() -> str:
    """Return a digest that tells this machine from others; empty where it has no id."""
    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = ""
    # The id itself is to be kept from strangers: machine-id(5).
    return hashlib.sha256(f"switchover {machine}".encode()).hexdigest()[:16] if machine else ""
