"""What a step on another machine is watched by: the same files as here, sent there."""

from __future__ import annotations

import hmac
from pathlib import Path

__all__ = ["FAR_PARTS", "far_key"]

_BEFORE_THE_SHIM = ("sealing", "bounded_output", "remote_clients", "shim_records", "step_processes", "step_streams")
FAR_PARTS = tuple(Path(__file__).with_name(f"{name}.py") for name in (*_BEFORE_THE_SHIM, "shim"))


def far_key(key: bytes, started: str) -> bytes:
    """Return the key that covers what one attempt leaves on another machine. The key it comes from never goes there."""
    return hmac.digest(key, b"far " + started.encode(), "sha256")
