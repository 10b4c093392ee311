"""Containers that failed and were removed at once, as with `docker run --rm`: nothing is left that could be listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from switchover.services.docker.docker_events import DockerEvent
from switchover.services.docker.docker_observation import exit_words
from switchover.services.provider_api import Observation, ProcessState
from switchover_checks.api import Status

__all__ = ["Departures"]

_AT_ONCE_S = 10.0  # who removes a container by hand takes longer
_MOST = 200
_ASKED = frozenset({0, 130, 143})  # ended well, or as somebody asked it to from inside


class Departures:
    """Remembers how containers died until they are removed."""

    def __init__(self) -> None:
        self._died: dict[str, DockerEvent] = {}

    def follow(self, event: DockerEvent, sent: str, known: Mapping[str, Any] | None) -> Observation | None:
        """Take an event; return how a container failed that is removed now.

        `sent` names the signal that it died of, because somebody asked for it. `known` are the container's details: one
        in whose terminal a person sits ends as that person wants.
        """
        if event.action == "die":
            config = (known or {}).get("Config") or {}
            attended = bool(config.get("Tty") and config.get("OpenStdin"))
            if not sent and not attended and event.exit_code not in _ASKED:
                self._died[event.container] = event
                while len(self._died) > _MOST:
                    del self._died[next(iter(self._died))]
        elif event.action in ("start", "destroy"):
            died = self._died.pop(event.container, None)
            if died is not None and event.action == "destroy" and _seconds(died, event) <= _AT_ONCE_S:
                detail = f"exited, {exit_words(died.exit_code)}"
                image = event.attributes.get("image", "")
                return Observation(
                    ProcessState.STOPPED, Status.CRIT, detail, identity=event.container, image=image, since=died.at
                )
        return None


def _seconds(before: DockerEvent, after: DockerEvent) -> float:
    return 0.0 if before.at is None or after.at is None else after.at - before.at
