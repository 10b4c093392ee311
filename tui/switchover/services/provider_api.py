"""What a provider of services can do, and what it reports about one.

A provider is one class for one kind. It has `kind`, `capabilities`, `off` and `aclose`, and of the small protocols
below those that its capabilities name. Nothing here imports an SDK; a provider imports its own on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from switchover_checks.api import Status

__all__ = [
    "Acts",
    "Capability",
    "Found",
    "Lists",
    "LogSource",
    "LogSpan",
    "Logs",
    "LogsOfMany",
    "Observation",
    "ProcessState",
    "Provider",
    "ServiceEvent",
    "ServiceTarget",
    "Shells",
    "Watches",
]


class Capability(StrEnum):
    """Things a provider may be able to do; a client offers only what is there."""

    LIST = "list"
    INSPECT = "inspect"
    WATCH = "watch"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RELOAD = "reload"
    PAUSE = "pause"
    SCALE = "scale"
    KILL = "kill"
    REMOVE = "remove"
    LOGS = "logs"
    EXEC = "exec"
    STATS = "stats"


class ProcessState(StrEnum):
    """Whether a service runs. UNKNOWN when it could not be found out, or the answer is too old."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """A service to look at, its keys filled in.

    `name` is what it is called here: the plan's name, or `kind:ref` for what was found by itself. `ref` is the
    provider's own name: a container, a unit, `namespace/deployment`, `resource/id`. Two targets of a kind with one
    `ref` are the same thing. `identity` is that of the row which somebody acts on, where one is known. A thing with
    another identity is left alone. `options` are keys that its kind has for itself.
    """

    name: str
    kind: str
    ref: str = ""
    url: str = ""
    link: str = ""
    container: str = ""
    pattern: str = ""
    pid_file: str = ""
    listen: int | None = None
    project: str = ""
    service: str = ""
    unit: str = ""
    deployment: str = ""
    namespace: str = ""
    context: str = ""
    resource: str = ""
    id: str = ""
    region: str = ""
    docker_host: str = ""
    logs: tuple[str, ...] = ()
    pid: int | None = None
    identity: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """A service as it was seen. None means not known.

    `cpu_percent` counts one core as 100; `started_at` is epoch seconds. `identity` changes when the thing behind the
    name is another one (a new pid, a new container). `config` is a digest of how the thing is set up (command,
    environment, unit file). It never holds the content. `can` is what may be asked of it in this state. `since` is when
    it came to be in this state, as the source says (epoch seconds). With `since_or_before` it is the latest possible
    time.
    """

    state: ProcessState
    health: Status
    detail: str = ""
    pid: int | None = None
    started_at: float | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    latency_ms: float | None = None
    restarts: int | None = None
    identity: str = ""
    image: str = ""
    config: str = ""
    ports: tuple[str, ...] = ()
    user: str = ""
    parent: int | None = None
    ready: int | None = None
    wanted: int | None = None
    can: frozenset[Capability] = frozenset()
    since: float | None = None
    since_or_before: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Something that runs here and was found by itself. `group` is what it belongs to: a project, a slice, a namespace.

    `title` is the short name that is shown. `needs` are refs that it depends on, `KIND:REF` where of another kind.
    """

    target: ServiceTarget
    observation: Observation
    title: str
    group: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """What a source said by itself about the thing `ref`.

    `what` is one word. Of running: started, stopped, died, oom, restarted, paused, unpaused, health, failed, gone. Of
    the set-up: created, removed, image, config, deploy, reload, note. `text` is for the timeline, empty where the
    change of state says it all. `at` is when the source says that it happened (epoch seconds). `observation` is the
    state now, where the source reported all of it. Without it, the thing is inspected again at once. `unplanned` is the
    same for a thing that no plan names, where that is judged otherwise. `partial` says that there is more to see, so it
    is inspected all the same. `listing`: something came or went, so list anew.
    """

    kind: str
    ref: str
    what: str = "note"
    text: str = ""
    status: Status | None = None
    at: float | None = None
    observation: Observation | None = None
    unplanned: Observation | None = None
    partial: bool = False
    listing: bool = False


@dataclass(frozen=True, slots=True)
class LogSpan:
    """Which part of a log is read: the last `tail` lines, `since` and `until` (epoch seconds); then what comes."""

    tail: int = 1000
    since: float | None = None
    until: float | None = None
    follow: bool = True


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where the lines of a log come from, as plain data for the process that reads them.

    `kind` says which other fields count. file: `path`. command: `argv`, read from its output; `parse` names the format
    of a line (text, journal-json, kubernetes). docker: `ref` and `docker_host`. cloudwatch and gcp: `options`.
    """

    name: str
    kind: str
    path: str = ""
    argv: tuple[str, ...] = ()
    parse: str = "text"
    ref: str = ""
    docker_host: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """Knows one kind of service. Every provider inspects; what else it can do is in `capabilities`.

    With `look_is_cheap = True` a provider is also polled in the plan's rhythm, though it emits events. Some things
    change without an event: CPU, memory, a daemon that hangs.
    """

    kind: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        """Look at `targets` now and return what was seen, by name. Never raises: what fails is UNKNOWN."""

    def off(self) -> str:
        """Say why this source is off, in one line; empty when it works or was not asked yet."""

    async def aclose(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Lists(Protocol):
    """Finds by itself what there is."""

    async def discover(self) -> Sequence[Found]:
        """Return all there is of this kind. Never raises: where it cannot look, nothing is found and `off` says why."""


@runtime_checkable
class Watches(Protocol):
    """Emits events instead of being polled."""

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Tell what happens until cancelled, in the loop's own thread. A lost source is found again without end.

        After each (re)connection one `ServiceEvent` with `listing` is sent, since anything may have happened meanwhile.
        """


@runtime_checkable
class Acts(Protocol):
    """Can start, stop, restart, … what it knows."""

    async def act(self, target: ServiceTarget, action: Capability, argument: str = "") -> str:
        """Do it and return in words what came of it. Raise `RefusedError` or `SwitchoverError` where it failed."""

    def command_line(self, target: ServiceTarget, action: Capability, argument: str = "") -> tuple[str, ...]:
        """Return the same as the argv that a person would type; empty where there is no such command."""


@runtime_checkable
class Logs(Protocol):
    """Has logs."""

    async def log_source(self, target: ServiceTarget, span: LogSpan) -> LogSource | str:
        """Return where the log of `target` is read, or in words why there is none."""


@runtime_checkable
class LogsOfMany(Protocol):
    """Has services of several parts, each with a log of its own, which the source distinguishes by `name`."""

    async def log_sources(self, target: ServiceTarget, span: LogSpan) -> Sequence[LogSource] | str:
        """Return where the logs of all parts of `target` are read, or in words why there are none."""


@runtime_checkable
class Shells(Protocol):
    """Can open something to type in, on the operator's own terminal."""

    def shell(self, target: ServiceTarget) -> tuple[str, ...] | str:
        """Return the argv of a shell in `target`, or in words why there is none."""
