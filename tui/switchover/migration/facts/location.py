"""Where this engine's units run: the machine, and the folder of their records."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

from switchover.migration.facts.events import Place

__all__ = ["this_location"]


def this_location(directory: Path) -> Place:
    """Return the place of a workspace's folder on this machine."""
    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = ""
    # The id itself is to be kept from strangers: machine-id(5).
    digest = hashlib.sha256(f"switchover {machine}".encode()).hexdigest()[:16] if machine else ""
    return Place(socket.gethostname(), digest, str(directory))
