"""Why a Docker daemon cannot be asked."""

from __future__ import annotations

__all__ = ["DockerAwayError"]


class DockerAwayError(Exception):
    """No daemon answers there; says why in plain words."""
