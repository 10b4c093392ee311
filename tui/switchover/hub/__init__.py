"""The hub: owns the live state and publishes it as a frozen Snapshot."""

from switchover.hub.core import Hub
from switchover.hub.engine_view import EngineView
from switchover.hub.follow import FollowingHub

__all__ = ["EngineView", "FollowingHub", "Hub"]
