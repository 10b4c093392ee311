"""What Cloud Run, Cloud SQL, Memorystore and Pub/Sub say about a thing, in plain words. Keys as in their references."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from switchover.redaction import sanitize
from switchover.services.polling_cache import CloudItem, CloudNews
from switchover.services.provider_api import Capability, Observation, ProcessState
from switchover_checks.api import Status

__all__ = [
    "database_item",
    "epoch",
    "memory_item",
    "operations_news",
    "run_item",
    "short",
    "subscription_item",
    "traffic",
]

_ALWAYS = frozenset({Capability.INSPECT})
_LOGGED = _ALWAYS | {Capability.LOGS}


def short(name: Any) -> str:
    """Return the last part of a resource's name."""
    return str(name or "").rsplit("/", 1)[-1]


def epoch(text: Any) -> float | None:
    """Return an RFC 3339 time as epoch seconds."""
    try:
        return datetime.fromisoformat(str(text)).timestamp() if text else None
    except ValueError:
        return None


def traffic(service: Mapping[str, Any]) -> str:
    """Say which revisions of a Cloud Run service serve how much."""
    ready = short(service.get("latestReadyRevision"))
    shares: dict[str, int] = {}
    for one in service.get("trafficStatuses") or service.get("traffic") or ():
        revision = short(one.get("revision")) or ready
        shares[revision] = shares.get(revision, 0) + int(one.get("percent") or 0)
    served = sorted(((share, name) for name, share in shares.items() if share), reverse=True)
    if len(served) == 1:
        return f"{served[0][1]} serves all"
    return ", ".join(f"{share} % {name}" for share, name in served)


def run_item(service: Mapping[str, Any], revision: Mapping[str, Any] | None = None) -> CloudItem:
    """Read a Cloud Run service (v2). `revision` is the one made last, where that is not ready."""
    name = short(service["name"])
    ready, made = short(service.get("latestReadyRevision")), short(service.get("latestCreatedRevision"))
    final = service.get("terminalCondition") or {}
    word = str(final.get("state", ""))
    moving = word in ("CONDITION_RECONCILING", "CONDITION_PENDING") or bool(service.get("reconciling"))
    said = [served] if (served := traffic(service)) else []
    if made and made != ready:
        why = _why_not_ready(revision, final)
        said.append(f"revision {made} is not ready" + (f": {why}" if why else ""))
    elif word == "CONDITION_FAILED":
        said.append(str(final.get("message") or final.get("reason") or "it failed"))
    if moving:
        health = Status.PENDING
    elif word == "CONDITION_FAILED" or made != ready:
        health = Status.WARN if ready else Status.CRIT
    else:
        health = Status.OK if word == "CONDITION_SUCCEEDED" else Status.UNKNOWN
    containers = list((service.get("template") or {}).get("containers") or ())
    template = {
        key: value for key, value in (service.get("template") or {}).items() if key not in ("revision", "containers")
    }
    bare = [{key: value for key, value in one.items() if key != "image"} for one in containers]
    seen = Observation(
        ProcessState.RUNNING if ready else ProcessState.STOPPED,
        health,
        _plain("; ".join(said)),
        identity=str(service.get("uid") or name),
        image=_plain(", ".join(str(one.get("image", "")) for one in containers)),
        config=_digest([template, bare]),
        can=_LOGGED,
    )
    return CloudItem(name, name, seen, moving)


def _why_not_ready(revision: Mapping[str, Any] | None, final: Mapping[str, Any]) -> str:
    for one in (revision or {}).get("conditions") or ():
        if one.get("type") == "Ready" and one.get("state") == "CONDITION_FAILED":
            return str(one.get("message") or one.get("revisionReason") or "")
    return str(final.get("message") or "") if final.get("state") == "CONDITION_FAILED" else ""


_DATABASE_STATES = {
    "RUNNABLE": (ProcessState.RUNNING, Status.OK, "runs"),
    "ONLINE_MAINTENANCE": (ProcessState.RUNNING, Status.WARN, "is maintained, and runs"),
    "MAINTENANCE": (ProcessState.STOPPED, Status.WARN, "is down for maintenance"),
    "PENDING_CREATE": (ProcessState.STOPPED, Status.PENDING, "is being made"),
    "PENDING_DELETE": (ProcessState.STOPPED, Status.CRIT, "is being deleted"),
    "SUSPENDED": (ProcessState.STOPPED, Status.CRIT, "is suspended"),
    "FAILED": (ProcessState.STOPPED, Status.CRIT, "failed"),
    "REPAIRING": (ProcessState.STOPPED, Status.WARN, "is being repaired"),
}


def database_item(instance: Mapping[str, Any]) -> CloudItem:
    """Read a Cloud SQL instance. One that was stopped is RUNNABLE and its activation policy is NEVER."""
    name, word = str(instance["name"]), str(instance.get("state", ""))
    settings = instance.get("settings") or {}
    state, health, words = _DATABASE_STATES.get(
        word, (ProcessState.UNKNOWN, Status.UNKNOWN, word.lower() or "no state")
    )
    if word == "RUNNABLE" and settings.get("activationPolicy") == "NEVER":
        state, health, words = ProcessState.STOPPED, Status.CRIT, "was stopped (activation policy NEVER)"
    said = [words]
    if reasons := instance.get("suspensionReason"):
        said.append(", ".join(str(one).lower().replace("_", " ") for one in reasons))
    if settings.get("availabilityType") == "REGIONAL":
        said.append(f"regional, now in {instance.get('gceZone', 'a zone not told')}")
    if planned := (instance.get("scheduledMaintenance") or {}).get("startTime"):
        said.append(f"maintenance planned for {planned}")
    seen = Observation(
        state,
        health,
        _plain("; ".join(said)),
        identity=f"{name}@{instance.get('gceZone', '')}",  # another zone: it failed over
        image=str(instance.get("databaseInstalledVersion") or instance.get("databaseVersion") or ""),
        config=_digest({key: value for key, value in settings.items() if key != "settingsVersion"}),
        can=_LOGGED | {Capability.RESTART} if state is ProcessState.RUNNING else _LOGGED,
    )
    return CloudItem(name, name, seen, moving=word in ("PENDING_CREATE", "PENDING_DELETE", "MAINTENANCE", "REPAIRING"))


_MEMORY_STATES = {
    "READY": (ProcessState.RUNNING, Status.OK),
    "CREATING": (ProcessState.STOPPED, Status.PENDING),
    "UPDATING": (ProcessState.RUNNING, Status.WARN),
    "MAINTENANCE": (ProcessState.RUNNING, Status.WARN),
    "IMPORTING": (ProcessState.STOPPED, Status.WARN),
    "FAILING_OVER": (ProcessState.RUNNING, Status.CRIT),
    "REPAIRING": (ProcessState.STOPPED, Status.CRIT),
    "DELETING": (ProcessState.STOPPED, Status.CRIT),
}


def memory_item(instance: Mapping[str, Any]) -> CloudItem:
    """Read a Memorystore instance for Redis."""
    name, word = short(instance["name"]), str(instance.get("state", ""))
    state, health = _MEMORY_STATES.get(word, (ProcessState.UNKNOWN, Status.UNKNOWN))
    said = [word.lower().replace("_", " ") or "no state"]
    if message := instance.get("statusMessage"):
        said.append(str(message))
    if planned := (instance.get("maintenanceSchedule") or {}).get("startTime"):
        said.append(f"maintenance planned for {planned}")
    seen = Observation(
        state,
        health,
        _plain("; ".join(said)),
        identity=f"{instance['name']}@{instance.get('currentLocationId', '')}",
        image=str(instance.get("redisVersion", "")),
        config=_digest({key: instance.get(key) for key in ("memorySizeGb", "tier", "redisConfigs", "replicaCount")}),
        ports=(str(instance["port"]),) if instance.get("port") else (),
        can=_LOGGED,
    )
    return CloudItem(name, name, seen, moving=word not in ("READY", ""))


def subscription_item(subscription: Mapping[str, Any]) -> CloudItem:
    """Read a Pub/Sub subscription. How much waits in it is known to Cloud Monitoring alone."""
    name, word = short(subscription["name"]), str(subscription.get("state", "ACTIVE"))
    topic = short(subscription.get("topic"))
    said = [f"of topic {topic}", f"to be acknowledged within {subscription.get('ackDeadlineSeconds', 10)} s"]
    if push := (subscription.get("pushConfig") or {}).get("pushEndpoint"):
        said.append(f"pushed to {str(push).split('?')[0]}")
    health = Status.OK
    if word == "RESOURCE_ERROR":
        health = Status.CRIT
        said.insert(0, "it cannot reach what it writes to")
    if topic == "_deleted-topic_":
        health = Status.CRIT
        said[said.index("of topic _deleted-topic_")] = "its topic was deleted"
    if subscription.get("detached"):
        health = Status.CRIT
        said.insert(0, "detached from its topic")
    said.append("its backlog is not known here")
    keys = ("topic", "ackDeadlineSeconds", "pushConfig", "filter", "deadLetterPolicy", "retryPolicy")
    seen = Observation(
        ProcessState.STOPPED if subscription.get("detached") else ProcessState.RUNNING,
        health,
        _plain("; ".join(said)),
        identity=str(subscription["name"]),
        config=_digest({key: subscription.get(key) for key in keys}),
        can=_ALWAYS,
    )
    return CloudItem(name, name, seen)


_OPERATIONS = {
    "FAILOVER": ("restarted", "failover", Status.WARN),
    "RESTART": ("restarted", "restart", None),
    "UPDATE": ("config", "its settings were changed", None),
    "MAINTENANCE": ("restarted", "maintenance", Status.WARN),
    "CREATE": ("created", "it was made", None),
    "RESTORE_VOLUME": ("note", "restored from a backup", Status.WARN),
    "PROMOTE_REPLICA": ("note", "replica made the primary", None),
    "IMPORT": ("note", "import", None),
    "EXPORT": ("note", "export", None),
}


def operations_news(operations: Iterable[Mapping[str, Any]]) -> list[CloudNews]:
    """Read what was done to Cloud SQL instances, and by whom."""
    found = []
    for one in operations:
        known = _OPERATIONS.get(str(one.get("operationType", "")))
        if known is None:
            continue
        what, text, status = known
        if (one.get("error") or {}).get("errors"):
            text, status = f"{text} failed", Status.CRIT
        by = f" by {one['user']}" if one.get("user") else ""
        at = epoch(one.get("startTime") or one.get("insertTime"))
        found.append(CloudNews(short(one.get("targetId")), what, _plain(f"{text}{by}"), status, at))
    return found


def _plain(text: str) -> str:
    return sanitize(text).replace("\n", " ")[:300]


def _digest(what: object) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()[:16]
