"""Containers, of the daemon that the docker command would use and of those that the plan names.

The SDK is imported on first use and speaks in threads. The daemon's events are followed. As long as nothing happens, an
inspection costs one short call.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from switchover.errors import RefusedError
from switchover.services.docker.compose_labels import members_of, needs_of, project_of, title_of
from switchover.services.docker.docker_actions import act_on, docker_command
from switchover.services.docker.docker_daemon import Connect, Daemon, connect_to
from switchover.services.docker.docker_departures import Departures
from switchover.services.docker.docker_event_details import TELLS_STATE
from switchover.services.docker.docker_events import DockerEvent, sent_before, service_event_of
from switchover.services.docker.docker_fleet import Fleet
from switchover.services.docker.docker_kind import DockerKind
from switchover.services.docker.docker_observation import (
    at_rest,
    name_of,
    observation_from_attributes,
    observation_from_summary,
)
from switchover.services.docker.docker_stats import CgroupStats, ContainerUsage, InTurn
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
from switchover_checks.runtime.threads import Threads

__all__ = ["DockerProvider"]

_BATCH = 10
_REMEMBERED = 2000


class DockerProvider:
    """Finds containers, inspects them, receives their events, and acts on them.

    Without a daemon every container is unknown, and `off` says why. `fleet` is shared with the provider of Compose.
    """

    kind: ClassVar[str] = DockerKind.kind
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
            *(Capability.START, Capability.STOP, Capability.RESTART, Capability.PAUSE, Capability.KILL),
            Capability.REMOVE,
        }
    )

    def __init__(self, connect: Connect = connect_to, now: Callable[[], float] = time.time) -> None:
        self.fleet = Fleet(connect)
        self._now = now
        self._threads = Threads()
        self._digest_key = os.urandom(16)
        self._cgroups = CgroupStats()
        self._turns: dict[str, InTurn] = {}
        self._made: dict[str, tuple[Mapping[str, Any], int | None, Observation]] = {}
        self._tells: list[Callable[[ServiceEvent], None]] = []
        self._filling: set[asyncio.Task[None]] = set()

    def off(self) -> str:
        """Say why no container can be seen; empty while they can."""
        return self.fleet.off()

    async def aclose(self) -> None:
        """Close the connections."""
        for task in [*self._filling, *(turn.task for turn in self._turns.values() if turn.task is not None)]:
            task.cancel()
        await self.fleet.aclose()

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        """Look at the containers behind `targets`; the daemons are asked side by side."""
        by_host: dict[str, list[ServiceTarget]] = {}
        for target in targets:
            by_host.setdefault(target.docker_host, []).append(target)
        looks = await asyncio.gather(*(self._probe(self.fleet.daemon(host), some) for host, some in by_host.items()))
        return {name: seen for probe in looks for name, seen in probe.items()}

    async def discover(self) -> Sequence[Found]:
        """Return all containers of all daemons, each asked with one call, and with none while nothing happens.

        What the list does not say (restarts, start, memory) is read afterwards, and published as a new listing.
        """
        lists = await asyncio.gather(*(self._list(daemon) for daemon in self.fleet.daemons))
        return [found for some in lists for found in some]

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Tell what the daemons say."""
        self._tells.append(tell)
        lost: set[str] = set()
        departures = Departures()

        def listener(daemon: Daemon, event: DockerEvent | None, why: str) -> None:
            if event is not None:
                seen = self._observation_by(daemon, event)
                sent = sent_before(event, daemon.signals.get(event.container))
                failed = departures.follow(event, sent, daemon.overtaken.get(event.container))
                if event.action == "destroy":
                    self._made.pop(event.container, None)
                for told in service_event_of(self.kind, event, daemon.ref, sent):
                    tell(
                        replace(told, observation=seen, unplanned=at_rest(seen), partial=True)
                        if seen is not None
                        else told
                    )
                if failed is not None:
                    ref = daemon.ref(event.name)
                    tell(ServiceEvent(self.kind, ref, "failed", "", Status.CRIT, failed.since, failed, listing=True))
            elif why:
                lost.add(daemon.host)
                tell(ServiceEvent(self.kind, "", "gone", why, Status.CRIT, self._now(), listing=True))
            else:
                text = "the Docker daemon answers again" if daemon.host in lost else ""
                lost.discard(daemon.host)
                tell(ServiceEvent(self.kind, "", "note", text, at=self._now(), listing=True))

        try:
            await self.fleet.listen(listener)
        finally:
            self._tells.remove(tell)

    async def act(self, target: ServiceTarget, action: Capability, argument: str = "") -> str:
        """Do it, and return what came of it. A stop takes as long as the container lets it."""
        daemon = self.fleet.daemon(target.docker_host)
        try:
            what = partial(
                act_on, container=target.container, action=action, argument=argument, identity=target.identity
            )
            return await daemon.act(what)
        except RefusedError:
            raise
        except Exception as error:
            daemon.note(error)
            raise RefusedError(daemon.off) from error

    def command_line(self, target: ServiceTarget, action: Capability, argument: str = "") -> tuple[str, ...]:
        """Return the `docker` command for an action."""
        if action is Capability.START and not argument and self._is_paused(target):
            argument = "unpause"
        return docker_command(target.docker_host, target.container, action, argument)

    def shell(self, target: ServiceTarget) -> tuple[str, ...] | str:
        """Return the command that opens bash, else sh, in a container."""
        if shutil.which("docker") is None:
            return "the docker command is not installed on this host"
        return docker_command(target.docker_host, target.container, Capability.EXEC)

    async def log_source(self, target: ServiceTarget, span: LogSpan) -> LogSource | str:
        """Return where the log of a container is read; `options["tty"]` says that its lines come without frames."""
        daemon = self.fleet.daemon(target.docker_host)
        try:
            data = (await daemon.details([target.container]))[target.container]
        except Exception as error:
            return daemon.off or str(error)
        if data is None:
            return f"there is no container {target.container}"
        if ((data.get("HostConfig") or {}).get("LogConfig") or {}).get("Type") == "none":
            return f"{target.container} keeps no log (its log driver is none)"
        tty = {"tty": "true"} if (data.get("Config") or {}).get("Tty") else {}
        return LogSource(target.name, "docker", ref=target.container, docker_host=target.docker_host, options=tty)

    async def observation_of(
        self, daemon: Daemon, entries: Sequence[Mapping[str, Any]], *, ask: bool
    ) -> dict[str, Observation]:
        """Return how the containers of a list are, by name; with the details that are known, or with all: `ask`."""
        names = [name_of(entry) for entry in entries]
        details = await daemon.details(names) if ask else {name: daemon.known(name) for name in names}
        known = {name: self._seen(daemon, data) for name, data in details.items() if data is not None}
        known = await self._with_usage(daemon, known)
        return {name_of(entry): known.get(name_of(entry)) or observation_from_summary(entry) for entry in entries}

    def _is_paused(self, target: ServiceTarget) -> bool:
        data = self.fleet.daemon(target.docker_host).known(target.container)
        return data is not None and bool((data.get("State") or {}).get("Paused"))

    async def _probe(self, daemon: Daemon, targets: list[ServiceTarget]) -> dict[str, Observation]:
        try:
            details = await daemon.details(list(dict.fromkeys(target.container for target in targets)))
        except Exception as error:  # the daemon does not answer, or says no
            missing = Observation(ProcessState.UNKNOWN, Status.UNKNOWN, daemon.off or f"Docker: {error}")
            return {target.name: missing for target in targets}
        seen = {word: self._seen(daemon, data) for word, data in details.items() if data is not None}
        seen = await self._with_usage(daemon, seen)
        found = {}
        for target in targets:
            nothing = Observation(ProcessState.STOPPED, Status.CRIT, f"no container {target.container}")
            by_itself = target.name == f"{self.kind}:{target.ref}"
            one = seen.get(target.container, nothing)
            found[target.name] = at_rest(one) if by_itself else one
        return found

    async def _list(self, daemon: Daemon) -> list[Found]:
        try:
            entries = await daemon.entries()
        except Exception:  # `off` says why
            return []
        details = {name_of(entry): daemon.known(name_of(entry)) for entry in entries}
        seen = {name: self._seen(daemon, data) for name, data in details.items() if data is not None}
        seen = await self._with_usage(daemon, seen, all_of_it=True)
        members = members_of(entries)
        found = []
        for entry in entries:
            name = name_of(entry)
            ref = daemon.ref(name)
            target = ServiceTarget(f"{self.kind}:{ref}", self.kind, ref, container=name, docker_host=daemon.host)
            one = at_rest(seen.get(name) or observation_from_summary(entry))
            needs = tuple(daemon.ref(need) for need in needs_of(entry, members))
            found.append(Found(target, one, title_of(entry), project_of(entry), needs))
        if daemon.live and self._tells and (due := [name for name in details if daemon.is_due(name)]):
            self._fill(daemon, due)
        return found

    def _fill(self, daemon: Daemon, names: list[str]) -> None:
        """Read the details of what was listed, a few at a time.

        Trigger an inspection, or another listing if there are many.
        """

        async def fill() -> None:
            for start in range(0, len(names), _BATCH):
                await daemon.details(names[start : start + _BATCH])
            few = names if len(names) <= _BATCH else []
            for tell in list(self._tells):
                for name in few:
                    tell(ServiceEvent(self.kind, daemon.ref(name)))
                if not few:
                    tell(ServiceEvent(self.kind, "", listing=True))

        if not self._filling:
            task = asyncio.ensure_future(fill())
            self._filling.add(task)
            task.add_done_callback(self._filled)

    def _filled(self, task: asyncio.Task[None]) -> None:
        self._filling.discard(task)
        if not task.cancelled():
            task.exception()  # a daemon that went away says so itself

    def _seen(self, daemon: Daemon, data: Mapping[str, Any]) -> Observation:
        container = str(data.get("Id", ""))
        last_exit = daemon.last_exits.get(container)
        made = self._made.get(container)
        if made is not None and made[0] is data and made[1] == last_exit:
            return made[2]
        try:
            seen = observation_from_attributes(data, now=self._now(), last_exit=last_exit, digest_key=self._digest_key)
        except (AttributeError, KeyError, TypeError, ValueError):  # another program than Docker, behind its API
            return Observation(ProcessState.UNKNOWN, Status.UNKNOWN, "what Docker says of it cannot be read")
        self._made.pop(container, None)
        if seen.health is not Status.WARN:  # that one has just been restarted, which passes with time alone
            self._made[container] = (data, last_exit, seen)
            while len(self._made) > _REMEMBERED:  # of those that went while nobody listened
                del self._made[next(iter(self._made))]
        return seen

    def _observation_by(self, daemon: Daemon, event: DockerEvent) -> Observation | None:
        """Return a container's state from an event and what was known before. None where an inspection is needed."""
        data = daemon.overtaken.get(event.container)
        if data is None or event.action not in TELLS_STATE:
            return None
        seen = self._seen(daemon, data)
        usage = None
        if seen.pid is not None:
            turn = self._turns.get(daemon.host)
            usage = self._cgroups.last(seen.identity, seen.pid) or (turn.usage(seen.identity) if turn else None)
        usage = usage or ContainerUsage()
        return replace(seen, cpu_percent=usage.cpu_percent, memory_bytes=usage.memory_bytes)

    async def _with_usage(
        self, daemon: Daemon, seen: dict[str, Observation], *, all_of_it: bool = False
    ) -> dict[str, Observation]:
        """Add CPU and memory to what runs. Of containers elsewhere those of the plan are asked about, in turn."""
        running = {word: one for word, one in seen.items() if one.pid is not None}
        if not running:
            return seen
        usages: dict[str, ContainerUsage | None] = {}
        if daemon.is_local:
            cgroups = self._cgroups
            usages = await self._threads.run(
                lambda: {word: cgroups.usage(one.identity, one.pid or 0) for word, one in running.items()}
            )
            if all_of_it:
                cgroups.keep({one.identity for one in seen.values()})
        elsewhere = [one.identity for word, one in running.items() if usages.get(word) is None]
        if elsewhere:
            turn = self._turns.setdefault(daemon.host, InTurn(daemon.call))
            if not all_of_it:
                turn.want(elsewhere)
            usages |= {w: turn.usage(one.identity) for w, one in running.items() if usages.get(w) is None}
        return seen | {
            word: replace(one, cpu_percent=usage.cpu_percent, memory_bytes=usage.memory_bytes)
            for word, one in running.items()
            if (usage := usages.get(word)) is not None
        }
