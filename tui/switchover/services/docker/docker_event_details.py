"""What an event changes in what is known of a container, before it is inspected again.

While a container ends, the daemon holds it locked until all of it is cleaned up. An inspection waits for as long. The
event itself says what has become of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from switchover.services.docker.docker_events import DockerEvent

__all__ = ["TELLS_STATE", "details_after"]

# Events that say how the container is now. Whether one that ended is started anew is seen when it is looked at.
TELLS_STATE = frozenset({"die", "pause", "unpause", "health_status"})
_SAYS_NOTHING = frozenset({"kill", "stop"})  # a signal was sent; the stop is over, which `die` told before


def details_after(before: Mapping[str, Any], event: DockerEvent) -> Mapping[str, Any] | None:
    """Return what `docker inspect` would say as far as `event` tells; None where too much may be another now."""
    state = before.get("State") or {}
    match event.action:
        case action if action in _SAYS_NOTHING:
            return before
        case "die" if event.exit_code is not None:
            now = {"Status": "exited", "Paused": False, "Pid": 0, "ExitCode": event.exit_code, "Error": ""}
            now["FinishedAt"] = _docker_time(event.at)
        case "oom":
            now = {"OOMKilled": True}
        case "pause":
            now = {"Status": "paused", "Paused": True}
        case "unpause":
            now = {"Status": "running", "Paused": False}
        case "health_status" if event.said:
            now = {"Health": {"Status": event.said}}  # what the check said is not in the event
        case _:
            return None
    return {**before, "State": {**state, **now}}


def _docker_time(at: float | None) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat() if at is not None else ""
