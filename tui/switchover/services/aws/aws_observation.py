"""What EC2, RDS and ElastiCache say about a thing, read into plain words. Keys as in their API references."""

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

__all__ = ["cache_item", "database_item", "instance_item", "news_of", "spot_news"]

_ALWAYS = frozenset({Capability.INSPECT})
_RUNS = _ALWAYS | {Capability.STOP, Capability.RESTART}
_RESTS = _ALWAYS | {Capability.START}

_INSTANCE_STATES = {
    "pending": (ProcessState.STOPPED, Status.PENDING),
    "running": (ProcessState.RUNNING, Status.OK),
    "shutting-down": (ProcessState.RUNNING, Status.CRIT),
    "stopping": (ProcessState.RUNNING, Status.WARN),
    "stopped": (ProcessState.STOPPED, Status.CRIT),
    "terminated": (ProcessState.STOPPED, Status.CRIT),
}
_DATABASE_RESTS = ("stopped", "stopping", "creating", "starting", "deleting")
_DATABASE_FAILS = (
    "failed",
    "storage-full",
    "inaccessible-encryption-credentials",
    "inaccessible-encryption-credentials-recoverable",
    "insufficient-capacity",
    "restore-error",
    "restore-failed",
    "create-failed",
    "deleting",
    "stopped",
    "stopping",
)
_DATABASE_FINE = ("available", "backing-up", "storage-optimization", "snapshotting", "configuring-enhanced-monitoring")
_STEADY = (
    "available",
    "stopped",
    "failed",
    "storage-full",
    "running",
    "terminated",
    "storage-optimization",
    "create-failed",
    "restore-failed",
    "restore-error",
)


def instance_item(instance: Mapping[str, Any], checks: Mapping[str, Any], taken_back: str = "") -> CloudItem:
    """Read an EC2 instance. `checks` is its entry of `describe_instance_status`, empty where it has none.

    `taken_back` says that AWS takes a Spot instance back.
    """
    name = str(instance["InstanceId"])
    word = str(instance.get("State", {}).get("Name", "unknown"))
    state, health = _INSTANCE_STATES.get(word, (ProcessState.UNKNOWN, Status.UNKNOWN))
    said = [word]
    if state is ProcessState.RUNNING and health is Status.OK:
        health, more = _of_checks(checks)
        said += more
        if taken_back:
            health, said = Status.CRIT, [*said, taken_back]
    elif why := str(instance.get("StateReason", {}).get("Message") or instance.get("StateTransitionReason") or ""):
        said.append(why)
    if (cycle := instance.get("InstanceLifecycle")) is not None:
        said.append(f"{cycle} instance")
    launched = _epoch(instance.get("LaunchTime"))
    tags = {str(tag.get("Key")): str(tag.get("Value")) for tag in instance.get("Tags") or ()}
    seen = Observation(
        state,
        health,
        sanitize("; ".join(said)),
        started_at=launched if state is ProcessState.RUNNING else None,
        identity=f"{name}@{launched:.0f}" if launched is not None else name,
        image=str(instance.get("ImageId", "")),
        config=_digest(
            instance, "InstanceType", "SecurityGroups", "IamInstanceProfile", "SubnetId", "PrivateIpAddress"
        ),
        can={"running": _RUNS, "stopped": _RESTS}.get(word, _ALWAYS),
    )
    return CloudItem(name, sanitize(tags.get("Name") or name), seen, moving=word not in _STEADY)


def _of_checks(checks: Mapping[str, Any]) -> tuple[Status, list[str]]:
    health, said = Status.OK, []
    for key, what in (("SystemStatus", "system check"), ("InstanceStatus", "instance check")):
        word = str(checks.get(key, {}).get("Status", "ok"))
        if word == "initializing" and health is Status.OK:
            health = Status.PENDING
        if word == "impaired":
            health = Status.CRIT
        if word in ("impaired", "initializing", "insufficient-data"):
            said.append(f"{what} {word}")
    for event in checks.get("Events") or ():
        description = str(event.get("Description", ""))
        if not description.startswith(("[Completed]", "[Canceled]")):
            health = Status.WARN if health is Status.OK else health
            said.append(f"AWS plans {event.get('Code')} for {_utc(event.get('NotBefore'))}")
    return health, said


def database_item(database: Mapping[str, Any]) -> CloudItem:
    """Read an RDS instance."""
    name, word = str(database["DBInstanceIdentifier"]), str(database.get("DBInstanceStatus", "unknown"))
    said = [word.replace("-", " "), f"{database.get('Engine', '')} {database.get('EngineVersion', '')}".strip()]
    if database.get("MultiAZ"):
        said.append("Multi-AZ")
    health = _health_of(word)
    if pending := database.get("PendingModifiedValues"):
        said.append(f"to be changed: {', '.join(sorted(pending))}")
    seen = Observation(
        ProcessState.STOPPED if word in _DATABASE_RESTS else ProcessState.RUNNING,
        health,
        sanitize("; ".join(said)),
        identity=str(database.get("DbiResourceId") or name),
        image=f"{database.get('Engine', '')} {database.get('EngineVersion', '')}".strip(),
        config=_digest(database, "DBInstanceClass", "AllocatedStorage", "MultiAZ", "StorageType", "VpcSecurityGroups")
        + _digest(database, "DBParameterGroups", "Iops", "PubliclyAccessible"),
        ports=(str(database["Endpoint"]["Port"]),) if database.get("Endpoint", {}).get("Port") else (),
        can={"available": _RUNS, "stopped": _RESTS}.get(word, _ALWAYS),
    )
    return CloudItem(name, name, seen, moving=word not in _STEADY)


def cache_item(cache: Mapping[str, Any]) -> CloudItem:
    """Read an ElastiCache replication group or cluster."""
    group = "ReplicationGroupId" in cache and "CacheClusterId" not in cache
    name = str(cache["ReplicationGroupId" if group else "CacheClusterId"])
    word = str(cache.get("Status" if group else "CacheClusterStatus", "unknown"))
    engine = f"{cache.get('Engine', '')} {cache.get('EngineVersion', '')}".strip()
    said = [word.replace("-", " "), *([engine] if engine else [])]
    if group and cache.get("AutomaticFailover") in ("enabled", "enabling"):
        said.append("fails over by itself")
    seen = Observation(
        ProcessState.STOPPED if word in ("creating", "deleting", "deleted", "create-failed") else ProcessState.RUNNING,
        _health_of(word),
        sanitize("; ".join(said)),
        identity=str(cache.get("ARN") or name),
        image=engine,
        config=_digest(cache, "CacheNodeType", "NumCacheNodes", "SnapshotRetentionLimit", "MultiAZ", "MemberClusters"),
        can=_ALWAYS,
    )
    return CloudItem(name, name, seen, moving=word not in _STEADY)


def _health_of(word: str) -> Status:
    if word in _DATABASE_FINE:
        return Status.OK
    if word in _DATABASE_FAILS or word.startswith("incompatible-"):
        return Status.CRIT
    return Status.PENDING if word in ("creating", "starting") else Status.WARN


_WORDS = (
    ("failover", "restarted"),
    ("restart", "restarted"),
    ("reboot", "restarted"),
    ("shutdown", "stopped"),
    ("stopped", "stopped"),
    ("started", "started"),
    ("patch", "deploy"),
    ("upgrad", "deploy"),
    ("parameter", "config"),
    ("modif", "config"),
    ("chang", "config"),
)
_BAD_CATEGORIES = {"failure": Status.CRIT, "failover": Status.WARN, "low storage": Status.WARN}


def news_of(events: Iterable[Mapping[str, Any]]) -> list[CloudNews]:
    """Read the events of RDS or ElastiCache."""
    found = []
    for event in events:
        message = sanitize(str(event.get("Message", ""))).replace("\n", " ")
        categories = [str(one) for one in event.get("EventCategories") or ()]
        text = message.lower()
        what = next((what for word, what in _WORDS if word in text), "note")
        bad = next((_BAD_CATEGORIES[one] for one in categories if one in _BAD_CATEGORIES), None)
        if bad is Status.CRIT:
            what = "failed"
        found.append(CloudNews(str(event.get("SourceIdentifier", "")), what, message, bad, _epoch(event.get("Date"))))
    return found


_SPOT_ENDS = ("marked-for-termination", "marked-for-stop", "instance-stopped-by-price", "instance-terminated-by-price")


def spot_news(requests: Iterable[Mapping[str, Any]]) -> list[CloudNews]:
    """Read Spot requests: which of their instances AWS takes back, or has taken back."""
    found = []
    for request in requests:
        code = str(request.get("Status", {}).get("Code", ""))
        if code.startswith((*_SPOT_ENDS, "instance-terminated-no-capacity", "instance-stopped-no-capacity")):
            text = f"Spot interruption: {code.replace('-', ' ')}"
            at = _epoch(request.get("Status", {}).get("UpdateTime"))
            found.append(CloudNews(str(request.get("InstanceId", "")), "failed", text, Status.CRIT, at))
    return found


def _digest(thing: Mapping[str, Any], *keys: str) -> str:
    text = json.dumps([thing.get(key) for key in keys], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _epoch(at: Any) -> float | None:
    return at.timestamp() if isinstance(at, datetime) else None


def _utc(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if isinstance(at, datetime) else "a time not told"
