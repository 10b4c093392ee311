"""The hub: owns the live state and publishes it as a frozen Snapshot."""

from switchover.hub.core import Hub
from switchover.hub.engine_view import EngineView

__all__ = ["EngineView", "Hub"]
