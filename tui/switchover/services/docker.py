"""Containers through the Docker SDK, which is imported on first use and speaks in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from switchover.services.api import Capability, RunState, Seen, Target
from switchover_checks.api import Status
from switchover_checks.threads import Threads

__all__ = ["DockerProvider", "seen_from_attributes"]

_TIMEOUT_S = 5
_HEALTH = {"healthy": Status.OK, "starting": Status.PENDING, "unhealthy": Status.CRIT}


def _from_environment() -> Any:
    import docker

    return docker.from_env(timeout=_TIMEOUT_S)


class DockerProvider:
    """Inspects containers by name. Without a daemon every container is unknown, and `off` says why."""

    kind: ClassVar[str] = "docker"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.INSPECT})

    def __init__(self, connect: Callable[[], Any] = _from_environment) -> None:
        self._connect = connect
        self._lock = asyncio.Lock()
        self._threads = Threads()
        self._client: Any = None
        self._off = ""

    def off(self) -> str:
        """Say why no container can be seen; empty while they can."""
        return self._off

    async def aclose(self) -> None:
        """Close the connection to the daemon."""
        if self._client is not None:
            await self._threads.run(self._client.close)
            self._client = None

    async def inspect(self, targets: Sequence[Target]) -> Mapping[str, Seen]:
        """Look at the containers behind `targets`."""
        async with self._lock:
            return await self._threads.run(partial(self._inspect, tuple(targets)))

    def _inspect(self, targets: tuple[Target, ...]) -> dict[str, Seen]:
        from docker.errors import NotFound

        seen: dict[str, Seen] = {}
        try:
            if self._client is None:
                self._client = self._connect()
            for target in targets:
                try:
                    seen[target.name] = seen_from_attributes(self._client.containers.get(target.container).attrs)
                except NotFound:
                    seen[target.name] = Seen(RunState.STOPPED, Status.CRIT, f"no container {target.container}")
            self._off = ""
        except Exception as error:  # the SDK lets errors of requests, urllib3 and its own through
            self._client = None
            self._off = _reason(error)
            missing = Seen(RunState.UNKNOWN, Status.UNKNOWN, self._off)
            seen.update({target.name: missing for target in targets if target.name not in seen})
        return seen


def seen_from_attributes(attributes: Mapping[str, Any]) -> Seen:
    """Read what `docker inspect` says about one container."""
    state = attributes.get("State", {})
    status = str(state.get("Status", "unknown"))
    restarts = int(attributes.get("RestartCount", 0))
    identity = str(attributes.get("Id", ""))
    if status == "running":
        word = str(state.get("Health", {}).get("Status", ""))
        return Seen(
            RunState.RUNNING,
            _HEALTH.get(word, Status.OK),
            word,
            pid=int(state.get("Pid", 0)) or None,
            started_at=_epoch(str(state.get("StartedAt", ""))),
            restarts=restarts,
            identity=identity,
        )
    detail = f"{status}, exit {state.get('ExitCode', '?')}" + (", out of memory" if state.get("OOMKilled") else "")
    if status in ("created", "exited", "dead", "removing"):
        return Seen(RunState.STOPPED, Status.CRIT, detail, restarts=restarts, identity=identity)
    return Seen(RunState.UNKNOWN, Status.CRIT, status, restarts=restarts, identity=identity)


def _epoch(text: str) -> float | None:
    """Read Docker's RFC 3339 time, which has nine digits after the point."""
    head, _, rest = text.partition(".")
    try:
        return datetime.fromisoformat(head.removesuffix("Z") + "+00:00").timestamp() if head or rest else None
    except ValueError:
        return None


def _reason(error: Exception) -> str:
    text = str(error)
    if "No such file" in text or "FileNotFoundError" in text:
        return "no Docker daemon here (its socket is not there)"
    if "Permission denied" in text or "PermissionError" in text:
        return "the Docker socket may not be opened by this user; join the docker group"
    if "Connection refused" in text or "ConnectionRefusedError" in text:
        return "the Docker daemon does not answer (connection refused)"
    return f"Docker: {text.splitlines()[0][:120]}" if text else f"Docker: {type(error).__name__}"
