"""Cloud Run, Cloud SQL, Memorystore and Pub/Sub: state, deploys and operations, where a login is configured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from switchover.clouds.cloud_errors import CloudError
from switchover.clouds.google_login import Google
from switchover.errors import RefusedError
from switchover.services.gcp.gcp_kind import GcpKind
from switchover.services.gcp.gcp_observation import (
    database_item,
    epoch,
    memory_item,
    operations_news,
    run_item,
    short,
    subscription_item,
    traffic,
)
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

__all__ = ["GcpProvider"]

_RESOURCES = ("run", "sql", "memorystore", "pubsub")
_MOST_REVISIONS = 10
_NO_PROJECT = "Google Cloud: no project (GOOGLE_CLOUD_PROJECT, or `project` in the plan)"


class GcpProvider:
    """Asks once for all of a kind in a project and region."""

    kind: ClassVar[str] = GcpKind.kind
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.LIST, Capability.INSPECT, Capability.WATCH, Capability.RESTART, Capability.LOGS}
    )

    def __init__(self, google: Google | None = None, *, every: float = 30.0) -> None:
        self._google = google or Google()
        self._polling_cache = PollingCache(self.kind, "Google Cloud", _Reader(self._google), every=every)

    def off(self) -> str:
        """Say why nothing of Google Cloud can be seen."""
        if why := self._google.missing():
            return why
        if not self._google.project() and not self._polling_cache.used:
            return _NO_PROJECT
        return self._polling_cache.off()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._google.aclose()

    def _group(self, target: ServiceTarget) -> Group | str:
        """Return what it is asked for with, or why it cannot be."""
        project = target.project or self._google.project()
        if target.resource not in _RESOURCES:
            return f"Google Cloud: nothing here can look at {target.resource}"
        if not project:
            return _NO_PROJECT
        region = target.region or self._google.region()
        if target.resource == "run" and not region:
            return "Cloud Run: no region (`region` in the plan, or GOOGLE_CLOUD_REGION)"
        return Group(target.resource, _place(target.resource, project, region))

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        """Look at these; one call for all of a kind in a place."""
        why = self._google.missing()
        seen: dict[str, Observation] = {}
        wanted = []
        for target in targets:
            group = why or self._group(target)
            if isinstance(group, str):
                seen[target.name] = Observation(ProcessState.UNKNOWN, Status.UNKNOWN, group)
            else:
                wanted.append((target, group))
        return {**seen, **await self._polling_cache.inspect(wanted)}

    async def discover(self) -> Sequence[Found]:
        """Find all there is in the configured project; of Cloud Run what is in the configured region."""
        project, region = self._google.project(), self._google.region()
        if self._google.missing() or not project:
            return []
        groups = [
            Group(resource, _place(resource, project, region)) for resource in _RESOURCES if region or resource != "run"
        ]

        def make(group: Group, name: str, ref: str) -> ServiceTarget:
            of, _, where = group.place.partition("/")
            where = "" if where == "-" else where
            return ServiceTarget(
                f"{self.kind}:{ref}", self.kind, ref, resource=group.resource, id=name, project=of, region=where
            )

        return await self._polling_cache.discover(groups, make)

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Go round slowly."""
        await self._polling_cache.watch(tell)

    async def act(self, target: ServiceTarget, action: Capability, argument: str = "") -> str:
        """Restart a Cloud SQL instance. Google accepts the order; that it is done shows later."""
        group = self._google.missing() or self._group(target)
        if isinstance(group, str):
            raise RefusedError(group)
        if (target.resource, action) != ("sql", Capability.RESTART):
            raise RefusedError(f"Google Cloud {target.resource} has no {action.value}")
        project = group.place.partition("/")[0]
        try:
            await self._google.ask("sql", "POST", f"/v1/projects/{quote(project)}/instances/{quote(target.id)}/restart")
        finally:
            self._polling_cache.forget(group)
        return "Google took the order: it restarts"

    def command_line(self, target: ServiceTarget, action: Capability, argument: str = "") -> tuple[str, ...]:
        """Return the same for the `gcloud` program."""
        if (target.resource, action) != ("sql", Capability.RESTART):
            return ()
        project = target.project or self._google.project()
        where = (f"--project={project}",) if project else ()
        return ("gcloud", "sql", "instances", "restart", target.id, *where)

    async def log_source(self, target: ServiceTarget, span: LogSpan) -> LogSource | str:
        """Return the filter of what it writes by itself."""
        project = target.project or self._google.project()
        if why := self._google.missing():
            return why
        if not project:
            return _NO_PROJECT
        terms = _log_terms(target, project, target.region or self._google.region())
        if not terms:
            return 'only the plan knows where its log is; write `logs: ["gcp:FILTER"]` there'
        wanted = " AND ".join(f"{key}={_quoted(value)}" for key, value in terms.items() if value)
        return LogSource(target.name, "gcp", options={"filter": wanted, "project": project})


def _place(resource: str, project: str, region: str) -> str:
    if resource in ("sql", "pubsub"):
        return project
    return f"{project}/{region or '-'}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _log_terms(target: ServiceTarget, project: str, region: str) -> dict[str, str]:
    match target.resource:
        case "run":
            return {
                "resource.type": "cloud_run_revision",
                "resource.labels.service_name": target.id,
                "resource.labels.location": region,
            }
        case "sql":
            return {"resource.type": "cloudsql_database", "resource.labels.database_id": f"{project}:{target.id}"}
        case "memorystore" if region:
            full = f"projects/{project}/locations/{region}/instances/{target.id}"
            return {"resource.type": "redis_instance", "resource.labels.instance_id": full}
    return {}


class _Reader:
    """Asks for whole groups, and remembers of Cloud Run which revision and traffic there was."""

    def __init__(self, google: Google) -> None:
        self._google = google
        self._services: dict[Group, list[dict[str, Any]]] = {}
        self._known: dict[tuple[Group, str], tuple[str, str]] = {}

    async def fetch(self, group: Group) -> Mapping[str, CloudItem]:
        """Return all of a kind in a place."""
        project, _, region = group.place.partition("/")
        base = f"/v1/projects/{quote(project)}"
        match group.resource:
            case "run":
                found = await self._run(group, f"/v2/projects/{quote(project)}/locations/{quote(region)}/services")
            case "sql":
                found = [database_item(one) for one in await self._google.pages("sql", f"{base}/instances", "items")]
            case "memorystore":
                path = f"{base}/locations/{quote(region)}/instances"
                found = [memory_item(one) for one in await self._google.pages("redis", path, "instances")]
            case _:
                path = f"{base}/subscriptions"
                found = [subscription_item(one) for one in await self._google.pages("pubsub", path, "subscriptions")]
        return {item.id: item for item in found}

    async def _run(self, group: Group, path: str) -> list[CloudItem]:
        services = self._services[group] = await self._google.pages("run", path, "services")
        late = [one for one in services if one.get("latestCreatedRevision") != one.get("latestReadyRevision")]
        revisions = await asyncio.gather(*(self._revision(one) for one in late[:_MOST_REVISIONS]))
        why = {str(one["name"]): revision for one, revision in zip(late, revisions, strict=False)}
        return [run_item(one, why.get(str(one["name"]))) for one in services]

    async def _revision(self, service: Mapping[str, Any]) -> dict[str, Any] | None:
        name = str(service.get("latestCreatedRevision", ""))
        name = name if "/" in name else f"{service['name']}/revisions/{name}"
        try:
            return await self._google.ask("run", "GET", f"/v2/{quote(name)}")
        except CloudError:
            return None

    async def news(self, group: Group, since: float) -> Sequence[CloudNews]:
        """Return what happened since then."""
        if group.resource == "sql":
            path = f"/v1/projects/{quote(group.place)}/operations"
            page = await self._google.ask("sql", "GET", path, parameters={"maxResults": "50"})
            news = operations_news(page.get("items") or ())
            return [one for one in news if one.at is None or one.at >= since]
        found: list[CloudNews] = []
        for service in self._services.get(group, ()):
            found += self._deploys(group, service, since)
        return found

    def _deploys(self, group: Group, service: Mapping[str, Any], since: float) -> list[CloudNews]:
        name, at = short(service["name"]), epoch(service.get("updateTime"))
        now = (short(service.get("latestCreatedRevision")), traffic(service))
        before, self._known[group, name] = self._known.get((group, name)), now
        if before == now or (before is None and (at is None or at < since)):
            return []
        by = f" by {service['lastModifier']}" if service.get("lastModifier") else ""
        if before is None or before[0] != now[0]:
            return [CloudNews(name, "deploy", f"revision {now[0]} deployed{by}", None, at)]
        return [CloudNews(name, "config", f"traffic: {now[1]}{by}", None, at)]
