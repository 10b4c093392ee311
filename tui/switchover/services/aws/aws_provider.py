"""EC2, EBS, RDS and ElastiCache: state, events and what may be done, where a region and a login are configured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from switchover.clouds.aws_login import Aws
from switchover.errors import RefusedError
from switchover.services.aws.aws_kind import AwsKind
from switchover.services.aws.aws_observation import cache_item, database_item, instance_item, news_of, spot_news
from switchover.services.aws.aws_spot import SpotNotice, SpotWatch, metadata_service
from switchover.services.aws.aws_volume import volume_item
from switchover.services.polling_cache import CloudItem, CloudNews, Group, PollingCache
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

__all__ = ["AwsProvider"]

_FOUND = ("ec2", "rds", "elasticache")
_MOST = 2000
_PAGE = 100
_ACT_S = 15.0
_OVER_S = 600.0
_COMMANDS: dict[tuple[str, Capability], tuple[str, str]] = {
    ("ec2", Capability.START): ("start-instances", "starts"),
    ("ec2", Capability.STOP): ("stop-instances", "stops"),
    ("ec2", Capability.RESTART): ("reboot-instances", "reboots"),
    ("rds", Capability.START): ("start-db-instance", "starts"),
    ("rds", Capability.STOP): ("stop-db-instance", "stops; AWS starts it again after seven days"),
    ("rds", Capability.RESTART): ("reboot-db-instance", "reboots"),
}


class AwsProvider:
    """Asks once for all of a kind and region. `metadata` says where the metadata service of this host is."""

    kind: ClassVar[str] = AwsKind.kind
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.LIST,
            Capability.INSPECT,
            Capability.WATCH,
            Capability.START,
            Capability.STOP,
            Capability.RESTART,
            Capability.LOGS,
        }
    )

    def __init__(
        self,
        aws: Aws | None = None,
        *,
        every: float = 30.0,
        spot_every: float = 5.0,
        deadline: float = 5.0,
        metadata: Callable[[], str] = metadata_service,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._aws = aws or Aws()
        self._spot_every = spot_every
        self._metadata = metadata
        self._notices: dict[str, SpotNotice] = {}
        self._noticed: dict[str, float] = {}
        self._monotonic = monotonic
        self._polling_cache = PollingCache(self.kind, "AWS", _Reader(self._aws), every=every, deadline=deadline)

    def off(self) -> str:
        """Say why nothing of AWS can be seen."""
        if why := self._aws.missing():
            return why
        if not self._aws.region() and not self._polling_cache.used:
            return "AWS: no region configured (AWS_REGION)"
        return self._polling_cache.off()

    async def aclose(self) -> None:
        """Nothing is held: connections end with their threads."""

    def _group(self, target: ServiceTarget) -> Group:
        return Group(target.resource, target.region or self._aws.region())

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        """Look at these; one call for all of a kind in a region."""
        why = self._aws.missing()
        seen: dict[str, Observation] = {}
        wanted = []
        for target in targets:
            group = self._group(target)
            reason = why or ("" if group.place else "AWS: no region configured (AWS_REGION, or `region` in the plan)")
            if not reason and group.resource not in AwsKind.resources:
                reason = f"AWS: nothing here can look at {group.resource}"
            if reason:
                seen[target.name] = Observation(ProcessState.UNKNOWN, Status.UNKNOWN, reason)
            else:
                wanted.append((target, group))
        probed = await self._polling_cache.inspect(wanted)
        return {**seen, **{target.name: self._marked(target, probed[target.name]) for target, _ in wanted}}

    def _marked(self, target: ServiceTarget, seen: Observation) -> Observation:
        """Add the notice that this very host was given."""
        notice = self._notices.get(target.id) if target.resource == "ec2" else None
        over = self._monotonic() - self._noticed.get(target.id, 0.0) > _OVER_S  # it was only stopped, and runs again
        if notice is None or over or seen.state is not ProcessState.RUNNING:
            return seen
        return replace(seen, health=Status.CRIT, detail=f"{notice.words()}; {seen.detail}")

    async def discover(self) -> Sequence[Found]:
        """Find all there is in the configured region."""
        region = self._aws.region()
        if self._aws.missing() or not region:
            return []

        def make(group: Group, name: str, ref: str) -> ServiceTarget:
            return ServiceTarget(
                f"{self.kind}:{ref}", self.kind, ref, resource=group.resource, id=name, region=group.place
            )

        return await self._polling_cache.discover([Group(resource, region) for resource in _FOUND], make)

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Go round slowly; on an instance of EC2, listen for the notice that it is taken back."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._polling_cache.watch(tell))
            if base := self._metadata():
                both.create_task(SpotWatch(base, self._spot_every).run(lambda notice: self._spot(notice, tell)))

    def _spot(self, notice: SpotNotice, tell: Callable[[ServiceEvent], None]) -> None:
        self._notices[notice.instance], self._noticed[notice.instance] = notice, self._monotonic()
        for ref in self._polling_cache.refs("ec2", notice.instance):
            tell(ServiceEvent(self.kind, ref, "failed", notice.words(), Status.CRIT))

    async def act(self, target: ServiceTarget, action: Capability, argument: str = "") -> str:
        """Start, stop or reboot. AWS accepts the order; that it is done shows later."""
        if why := self._aws.missing():
            raise RefusedError(why)
        command = _COMMANDS.get((target.resource, action))
        if command is None:
            raise RefusedError(f"AWS {target.resource} has no {action.value}")
        group, method = self._group(target), command[0].replace("-", "_")
        key: dict[str, Any] = (
            {"InstanceIds": [target.id]} if target.resource == "ec2" else {"DBInstanceIdentifier": target.id}
        )
        try:
            async with asyncio.timeout(_ACT_S):
                await self._aws.call(target.resource, group.place, lambda client: getattr(client, method)(**key))
        except TimeoutError:
            raise RefusedError(
                f"AWS did not answer within {_ACT_S:g} s", "whether it was done is not known: look before you try again"
            ) from None
        finally:
            self._polling_cache.forget(group)
        return f"AWS took the order: it {command[1]}"

    def command_line(self, target: ServiceTarget, action: Capability, argument: str = "") -> tuple[str, ...]:
        """Return the same for the `aws` program."""
        command = _COMMANDS.get((target.resource, action))
        if command is None:
            return ()
        option = "--instance-ids" if target.resource == "ec2" else "--db-instance-identifier"
        region = target.region or self._aws.region()
        where = ("--region", region) if region else ()
        return ("aws", target.resource, command[0], option, target.id, *where)

    async def log_source(self, target: ServiceTarget, span: LogSpan) -> LogSource | str:
        """Say that only the plan knows where the log of a thing is."""
        return 'only the plan knows where its log is; write `logs: ["cloudwatch:GROUP"]` there'


class _Reader:
    """Asks for whole groups."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    async def fetch(self, group: Group) -> Mapping[str, CloudItem]:
        """Return all of a kind in a region."""
        work = {"ec2": _instances, "ebs": _volumes, "rds": _databases, "elasticache": _caches}[group.resource]
        api = "ec2" if group.resource == "ebs" else group.resource
        return {item.id: item for item in await self._aws.call(api, group.place, work)}

    async def news(self, group: Group, since: float) -> Sequence[CloudNews]:
        """Return the events since then. AWS tells none of volumes."""
        if group.resource == "ebs":
            return []
        start = datetime.fromtimestamp(since, UTC)

        def events(client: Any) -> list[CloudNews]:
            return news_of(_all(client, "describe_events", "Events", StartTime=start))

        def spot(client: Any) -> list[CloudNews]:
            requests = spot_news(_all(client, "describe_spot_instance_requests", "SpotInstanceRequests"))
            return [one for one in requests if one.at is None or one.at >= since]

        return await self._aws.call(group.resource, group.place, spot if group.resource == "ec2" else events)


def _all(client: Any, method: str, key: str, **arguments: Any) -> list[Any]:
    """Return all pages of what a call answers, up to a bound."""
    bound = {"MaxItems": _MOST, "PageSize": _PAGE}
    pages = client.get_paginator(method).paginate(PaginationConfig=bound, **arguments)
    return [one for page in pages for one in page.get(key) or ()]


def _instances(client: Any) -> list[CloudItem]:
    reservations = _all(client, "describe_instances", "Reservations")
    checks = {one["InstanceId"]: one for one in _all(client, "describe_instance_status", "InstanceStatuses")}
    instances = [one for reservation in reservations for one in reservation.get("Instances") or ()]
    taken = _taken_back(client) if any(one.get("InstanceLifecycle") == "spot" for one in instances) else {}
    return [
        instance_item(one, checks.get(one["InstanceId"], {}), taken.get(one["InstanceId"], "")) for one in instances
    ]


def _taken_back(client: Any) -> dict[str, str]:
    """Return which Spot instances AWS takes back; without the right to ask, none."""
    try:
        requests = _all(client, "describe_spot_instance_requests", "SpotInstanceRequests")
    except Exception:  # the instances themselves are seen all the same
        return {}
    return {one.id: one.text for one in spot_news(requests)}


def _volumes(client: Any) -> list[CloudItem]:
    return [volume_item(one) for one in _all(client, "describe_volumes", "Volumes")]


def _databases(client: Any) -> list[CloudItem]:
    return [database_item(one) for one in _all(client, "describe_db_instances", "DBInstances")]


def _caches(client: Any) -> list[CloudItem]:
    groups = [cache_item(one) for one in _all(client, "describe_replication_groups", "ReplicationGroups")]
    clusters = _all(client, "describe_cache_clusters", "CacheClusters")
    return groups + [cache_item(one) for one in clusters]
