"""How soon one Snapshot may follow another: at once when it is urgent, but not without end."""

from __future__ import annotations

from switchover.clock import Clock

__all__ = ["Throttle"]

_AT_ONCE = 6  # what happens together comes in several pieces: a container's processes end, then its daemon says so
_APART_S = 0.01
_AGAIN_S = 0.05  # between urgent ones in the long run


class Throttle:
    """Counts the urgent Snapshots: a few may follow each other closely, then 20 a second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._credit = float(_AT_ONCE)
        self._counted = clock.monotonic()

    def pause(self, *, publish_now: bool) -> float:
        """Return for how many seconds nothing is published after a Snapshot."""
        now = self._clock.monotonic()
        self._credit = min(float(_AT_ONCE), self._credit + (now - self._counted) / _AGAIN_S)
        self._counted = now
        if not publish_now:
            return _APART_S
        self._credit = max(self._credit - 1.0, 0.0)
        return _APART_S if self._credit >= 1.0 else _AGAIN_S
