"""Compose projects and services, read from the labels of their containers: no file of the project is needed.

Discovery yields one row for each project. Its containers are rows of their own in its group, of the kind docker.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from switchover.errors import RefusedError
from switchover.services.compose.compose_actions import act_on_members
from switchover.services.compose.compose_cli import compose_command
from switchover.services.compose.compose_kind import ComposeKind
from switchover.services.compose.compose_observation import Member, combined_observation
from switchover.services.docker.compose_labels import project_of, service_of, title_of
from switchover.services.docker.docker_actions import docker_command
from switchover.services.docker.docker_daemon import Daemon
from switchover.services.docker.docker_events import DockerEvent
from switchover.services.docker.docker_observation import at_rest, name_of
from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.provider_api import (
    Capability,
    Found,
    LogSource,
    LogSpan,
    Observation,
    ProcessState,
    ServiceEvent,
    ServiceTarget,
)
from switchover_checks.api import Status

__all__ = ["ComposeProvider"]

_REMEMBERED = 2000


class ComposeProvider:
    """Sees containers through `docker`, whose daemons and events it shares; without one it has its own."""

    kind: ClassVar[str] = ComposeKind.kind
    probe_is_cheap: ClassVar[bool] = True
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            *(
                Capability.LIST,
                Capability.INSPECT,
                Capability.WATCH,
                Capability.LOGS,
                Capability.EXEC,
                Capability.STATS,
            ),
            *(Capability.START, Capability.STOP, Capability.RESTART, Capability.SCALE, Capability.REMOVE),
        }
    )

    def __init__(self, docker: DockerProvider | None = None) -> None:
        self._docker = docker or DockerProvider()
        self._own = docker is None
        self._places: dict[tuple[str, str], tuple[str, str]] = {}

    def off(self) -> str:
        """Say why no project can be seen; empty while they can."""
        return self._docker.off()

    async def aclose(self) -> None:
        """Let the connections go, where they are not another's."""
        if self._own:
            await self._docker.aclose()

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        """Look at projects and services."""
        by_host: dict[str, list[ServiceTarget]] = {}
        for target in targets:
            by_host.setdefault(target.docker_host, []).append(target)
        looks = await asyncio.gather(*(self._probe(host, some) for host, some in by_host.items()))
        return {name: seen for probe in looks for name, seen in probe.items()}

    async def discover(self) -> Sequence[Found]:
        """Return the projects of all daemons."""
        return [found for daemon in self._docker.fleet.daemons for found in await self._projects(daemon)]

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Tell which service and project something happened to."""

        def listener(daemon: Daemon, event: DockerEvent | None, why: str) -> None:
            if event is None:
                tell(ServiceEvent(self.kind, "", "gone" if why else "note", listing=True))
                return
            project, service = self._place(daemon, event)
            if not project:
                return
            listing = event.action in ("create", "destroy")
            for ref in (f"{project}/{service}", project) if service else (project,):
                tell(ServiceEvent(self.kind, daemon.ref(ref), at=event.at, listing=listing and ref == project))

        await self._docker.fleet.listen(listener)

    async def act(self, target: ServiceTarget, action: Capability, argument: str = "") -> str:
        """Act on each container in the order of their dependencies. A failure does not stop the others."""
        daemon = self._docker.fleet.daemon(target.docker_host)
        try:
            members = await self._members(daemon, target)
        except Exception as error:
            raise RefusedError(daemon.off or f"Docker: {error}") from error
        if not members:
            raise RefusedError(f"there is no container of {target.ref} any more")
        if target.identity and combined_observation(members, scalable=False).identity != target.identity:
            raise RefusedError(f"{target.ref} was made anew by now; look at it again")
        return await act_on_members(daemon, target, members, action, argument)

    def command_line(self, target: ServiceTarget, action: Capability, argument: str = "") -> tuple[str, ...]:
        """Return the Compose command for an action."""
        entries = self._docker.fleet.daemon(target.docker_host).last_list
        entry = next((one for one in entries if project_of(one) == target.project), None)
        return compose_command(target.docker_host, target.project, target.service, action, entry, argument)

    def shell(self, target: ServiceTarget) -> tuple[str, ...] | str:
        """Return the command that opens a shell in the first container of a service that runs."""
        if shutil.which("docker") is None:
            return "the docker command is not installed on this host"
        entries = self._docker.fleet.daemon(target.docker_host).last_list
        running = [one for one in _those_of(entries, target) if one.get("State") == "running"]
        if not running:
            return f"no container of {target.ref} runs"
        return docker_command(target.docker_host, name_of(running[0]), Capability.EXEC)

    async def log_source(self, target: ServiceTarget, span: LogSpan) -> LogSource | str:
        """Return where the log of the first container is read; `log_sources` has those of all."""
        sources = await self.log_sources(target, span)
        return sources if isinstance(sources, str) else sources[0]

    async def log_sources(self, target: ServiceTarget, span: LogSpan) -> list[LogSource] | str:
        """Return where the logs of all containers are read, or in words why there are none."""
        daemon = self._docker.fleet.daemon(target.docker_host)
        try:
            entries = _those_of(await daemon.entries(), target)
        except Exception as error:
            return daemon.off or f"Docker: {error}"
        if not entries:
            return f"there is no container of {target.ref}"
        targets = [
            ServiceTarget(title_of(one), "docker", name_of(one), container=name_of(one), docker_host=target.docker_host)
            for one in entries
        ]
        sources = [await self._docker.log_source(one, span) for one in targets]
        readable = [one for one in sources if isinstance(one, LogSource)]
        return readable or str(sources[0])

    async def _probe(self, host: str, targets: list[ServiceTarget]) -> dict[str, Observation]:
        daemon = self._docker.fleet.daemon(host)
        try:
            members = await self._all_members(daemon, {target.project for target in targets})
        except Exception as error:  # the daemon does not answer, or says no
            missing = Observation(ProcessState.UNKNOWN, Status.UNKNOWN, daemon.off or f"Docker: {error}")
            return {target.name: missing for target in targets}
        found = {}
        for target in targets:
            some = [one for one in members if _is_of(one.entry, target)]
            nothing = Observation(
                ProcessState.STOPPED, Status.CRIT, f"no container of {target.project} {target.service}".rstrip()
            )
            found[target.name] = combined_observation(some, scalable=bool(target.service)) if some else nothing
        return found

    async def _projects(self, daemon: Daemon) -> list[Found]:
        try:
            members = await self._all_members(daemon, None)
        except Exception:  # `off` says why
            return []
        by_project: dict[str, list[Member]] = {}
        for one in members:
            by_project.setdefault(project_of(one.entry), []).append(one)
        found = []
        for project, some in sorted(by_project.items()):
            ref = daemon.ref(project)
            target = ServiceTarget(f"{self.kind}:{ref}", self.kind, ref, project=project, docker_host=daemon.host)
            # What is wrong with a container is told once, and the project is what suffers from it.
            needs = tuple(f"docker:{daemon.ref(name_of(one.entry))}" for one in some)
            together = combined_observation(some, scalable=False)
            if together.state is ProcessState.STOPPED:  # what nobody planned may have been stopped on purpose
                health = max((at_rest(one.observation).health for one in some), key=lambda status: status.severity)
                together = replace(together, health=health)
            found.append(Found(target, together, project, project, needs))
        return found

    async def _members(self, daemon: Daemon, target: ServiceTarget) -> list[Member]:
        members = await self._all_members(daemon, {target.project})
        return [one for one in members if _is_of(one.entry, target)]

    async def _all_members(self, daemon: Daemon, projects: set[str] | None) -> list[Member]:
        """Return the containers of these projects; of all without a choice, then as far as the list says."""
        entries = [one for one in await daemon.entries() if project_of(one) and service_of(one)]
        self._remember(daemon, entries)
        if projects is not None:
            entries = [one for one in entries if project_of(one) in projects]
        seen = await self._docker.observation_of(daemon, entries, ask=projects is not None)
        return [Member(one, seen[name_of(one)]) for one in entries]

    def _remember(self, daemon: Daemon, entries: Sequence[Mapping[str, object]]) -> None:
        """Remember which container is of which service: events of one that was removed still name it."""
        for one in entries:
            self._places[daemon.host, str(one.get("Id", ""))] = (project_of(one), service_of(one))
        while len(self._places) > _REMEMBERED:
            del self._places[next(iter(self._places))]

    def _place(self, daemon: Daemon, event: DockerEvent) -> tuple[str, str]:
        labels = {"Labels": event.attributes}  # events carry a container's labels among their attributes
        known = self._places.get((daemon.host, event.container), ("", ""))
        return (project_of(labels), service_of(labels)) if project_of(labels) else known


def _is_of(entry: Mapping[str, object], target: ServiceTarget) -> bool:
    return project_of(entry) == target.project and target.service in ("", service_of(entry))


def _those_of(entries: Sequence[Mapping[str, object]], target: ServiceTarget) -> list[Mapping[str, object]]:
    return sorted((one for one in entries if service_of(one) and _is_of(one, target)), key=name_of)
