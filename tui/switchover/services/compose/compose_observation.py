"""What the containers of a Compose service or project add up to, and their order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from switchover.services.docker.compose_labels import conditions, depends_on, label, service_of, title_of
from switchover.services.provider_api import Capability, Observation, ProcessState
from switchover_checks.api import Status

_Number = TypeVar("_Number", int, float)

__all__ = ["Member", "combined_observation", "done_jobs", "levels"]


@dataclass(frozen=True, slots=True)
class Member:
    """A container of a project: its entry in the list, and how it is."""

    entry: Mapping[str, Any]
    observation: Observation

    @property
    def service(self) -> str:
        """The service that it is one of."""
        return service_of(self.entry)

    @property
    def ready(self) -> bool:
        """Whether it runs and is not known to be unwell."""
        return self.observation.state is ProcessState.RUNNING and self.observation.health in (Status.OK, Status.WARN)


def done_jobs(members: Iterable[Member]) -> frozenset[str]:
    """Return the services that have done what others waited for: those are to end, and did so well."""
    some = list(members)
    jobs = {
        service
        for one in some
        for service, condition in conditions(one.entry).items()
        if condition == "service_completed_successfully"
    }
    ended = {one.service for one in some if one.observation.detail == "exited, exit 0"}
    others = {one.service for one in some if one.observation.detail != "exited, exit 0"}
    return frozenset(jobs & ended - others)


def combined_observation(members: Sequence[Member], *, scalable: bool) -> Observation:
    """Return the state of several containers as one.

    It is that of the worst service. A service of which nothing runs is down.
    `scalable` says that these are the replicas of one service.
    """
    jobs = done_jobs(members)
    wanted = [one for one in members if one.service not in jobs] or list(members)
    ready = [one for one in wanted if one.ready]
    running = [one for one in wanted if one.observation.state is ProcessState.RUNNING]
    by_service: dict[str, list[Member]] = {}
    for one in wanted:
        by_service.setdefault(one.service, []).append(one)
    worst = max((_health(some) for some in by_service.values()), key=lambda status: status.severity)
    unknown = any(one.observation.state is ProcessState.UNKNOWN for one in wanted)
    state = ProcessState.RUNNING if running else ProcessState.UNKNOWN if unknown else ProcessState.STOPPED
    return Observation(
        state,
        worst,
        _detail(wanted, ready),
        started_at=min(
            (one.observation.started_at for one in running if one.observation.started_at is not None), default=None
        ),
        cpu_percent=_sum([one.observation.cpu_percent for one in running]),
        memory_bytes=_sum([one.observation.memory_bytes for one in running]),
        restarts=_sum([one.observation.restarts for one in wanted]),
        identity=min((int(one.entry.get("Created") or 0), one.observation.identity) for one in members)[1],
        image=wanted[0].observation.image if len({one.observation.image for one in wanted}) == 1 else "",
        config=_digest(members),
        ports=tuple(sorted({port for one in running for port in one.observation.ports})),
        ready=len(ready),
        wanted=len(wanted),
        can=_can(wanted, scalable=scalable),
        **_since(wanted),
    )


def levels(members: Sequence[Member]) -> list[list[Member]]:
    """Return the containers in the order of their start: each level needs only those before it.

    Without labels, a container is taken to need the containers made before it. That is the order in which Compose makes
    them. A circle is cut.
    """
    told = any(depends_on(one.entry) for one in members)
    if not told:
        ordered: dict[str, list[Member]] = {}
        for one in sorted(members, key=lambda one: int(one.entry.get("Created") or 0)):
            ordered.setdefault(one.service, []).append(one)
        return list(ordered.values())
    rest, found = list(members), []
    placed: set[str] = set()
    while rest:
        names = {one.service for one in rest}
        level = [one for one in rest if not set(depends_on(one.entry)) & (names - placed - {one.service})] or rest
        found.append(level)
        placed |= {one.service for one in level}
        rest = [one for one in rest if one not in level]
    return found


def _health(members: Sequence[Member]) -> Status:
    if all(one.ready for one in members):
        return max((one.observation.health for one in members), key=lambda status: status.severity)
    missing = [one.observation.health for one in members if not one.ready]
    if all(status is Status.PENDING for status in missing):
        return Status.PENDING
    return Status.WARN if any(one.ready for one in members) else Status.CRIT


def _since(wanted: Sequence[Member]) -> dict[str, Any]:
    """Return since when the first of those that are not ready is so."""
    known = [one.observation for one in wanted if not one.ready and one.observation.since is not None]
    if not known:
        return {}
    first = min(known, key=lambda seen: seen.since or 0.0)
    return {"since": first.since, "since_or_before": first.since_or_before}


def _detail(wanted: Sequence[Member], ready: Sequence[Member]) -> str:
    missing = [one for one in wanted if not one.ready]
    if not missing:
        return ""
    first = max(missing, key=lambda one: one.observation.health.severity)
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"{len(ready)} of {len(wanted)} ready; {title_of(first.entry)} {first.observation.detail}{more}"


def _can(members: Sequence[Member], *, scalable: bool) -> frozenset[Capability]:
    can = {Capability.INSPECT, Capability.LOGS, Capability.REMOVE}
    running = [one for one in members if one.observation.can & {Capability.STOP}]
    if running:
        can |= {Capability.STOP, Capability.RESTART, Capability.STATS}
        if scalable:
            can |= {Capability.SCALE, Capability.EXEC}
    if len(running) < len(members):
        can.add(Capability.START)
    return frozenset(can)


def _digest(members: Sequence[Member]) -> str:
    hashes = sorted({f"{one.service}={label(one.entry, 'config-hash')}" for one in members})
    return hashlib.blake2b("\n".join(hashes).encode(), digest_size=8).hexdigest()


def _sum(numbers: Sequence[_Number | None]) -> _Number | None:
    known = [number for number in numbers if number is not None]
    return sum(known[1:], known[0]) if known else None
