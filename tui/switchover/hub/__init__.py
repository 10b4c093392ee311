"""The hub: owns the live state and publishes it as a frozen Snapshot."""

from switchover.hub.core.following_hub import FollowingHub
from switchover.hub.core.hub import Hub

__all__ = ["FollowingHub", "Hub"]
