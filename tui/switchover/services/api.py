"""What a provider of services can do, and what it tells about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from switchover_checks.api import Status

__all__ = ["Capability", "Provider", "RunState", "Seen", "Target"]


class Capability(StrEnum):
    """Things a provider may be able to do; a client offers only what is there."""

    LIST = "list"
    INSPECT = "inspect"
    WATCH = "watch"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    SCALE = "scale"
    LOGS = "logs"
    EXEC = "exec"
    STATS = "stats"


class RunState(StrEnum):
    """Whether a service runs. UNKNOWN when it could not be found out, or the answer is too old."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Target:
    """A service to look at, its keys filled in."""

    name: str
    kind: str
    url: str = ""
    container: str = ""
    pattern: str = ""
    pid_file: str = ""
    listen: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A service as it was seen. None means not known.

    `cpu_percent` counts one core as 100; `started_at` is epoch seconds. `identity` changes when the thing behind the
    name is another one (a new pid, a new container).
    """

    state: RunState
    health: Status
    detail: str = ""
    pid: int | None = None
    started_at: float | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    latency_ms: float | None = None
    restarts: int | None = None
    identity: str = ""


class Provider(Protocol):
    """Knows one kind of service. Every provider lists or inspects; what else it can do is in `capabilities`."""

    kind: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]

    async def inspect(self, targets: Sequence[Target]) -> Mapping[str, Seen]:
        """Look at `targets` now and return what was seen, by name. Never raises: what fails is UNKNOWN."""

    def off(self) -> str:
        """Say why this source is off, in one line; empty when it works or was not asked yet."""

    async def aclose(self) -> None:
        """Let go of connections."""
