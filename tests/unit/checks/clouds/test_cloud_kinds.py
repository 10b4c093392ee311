"""Kinds that ask clouds, over a stand-in for the program's logins that answers as the APIs do."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from switchover_checks.api import ProbeError, Result, Status
from switchover_checks.runtime.probe_ports import ProbePorts

Probe = Callable[..., Awaitable[Result]]
EC2 = {"resource": "ec2", "id": "i-1"}
GONE = ProbeError("there is none of that name", phase="assert")
DENIED = ProbeError("not allowed", phase="auth", status=Status.UNKNOWN)


def cloud(**answers: Any) -> ProbePorts:
    """Return a program whose clouds answer by the operation; of Google by the last word of its path."""

    async def ask(_provider: str, _api: str, operation: str, _params: Mapping[str, Any], _region: str) -> Any:
        said = answers[operation.rpartition("/")[2].replace("-", "_")]
        if isinstance(said, ProbeError):
            raise said
        return said

    return ProbePorts(cloud=ask)


def instance(state: str) -> dict[str, Any]:
    return {"Reservations": [{"Instances": [{"State": {"Name": state}, "InstanceType": "t3.small"}]}]}


@pytest.mark.parametrize(
    ("answers", "keys", "status"),
    [
        ({"describe_instances": instance("running")}, {**EC2}, Status.OK),
        ({"describe_instances": instance("stopped")}, {**EC2}, Status.CRIT),
        (
            {"describe_instances": instance("stopped")},
            {**EC2, "in_state": "stopped"},
            Status.OK,
        ),
        ({"describe_instances": instance("terminated")}, {**EC2, "exists": False}, Status.OK),
        ({"describe_instances": instance("running")}, {**EC2, "exists": False}, Status.CRIT),
        ({"describe_instances": {"Reservations": []}}, {**EC2}, Status.CRIT),
        ({"describe_instances": GONE}, {**EC2, "expect": "state == 'absent'"}, Status.OK),
        (
            {"describe_instances": instance("running")},
            {**EC2, "expect": "state == 'absent'"},
            Status.CRIT,
        ),
        ({"describe_instances": GONE}, {**EC2, "exists": False}, Status.OK),
        (
            {"describe_db_instances": {"DBInstances": [{"DBInstanceStatus": "available", "MultiAZ": False}]}},
            {"resource": "rds", "id": "shop", "expect": "thing.MultiAZ == true"},
            Status.CRIT,
        ),
        (
            {"describe_zones": {"Zones": [1, 2]}},
            {"api": "ec2", "operation": "describe_zones", "expect": "len(answer.Zones) == 2"},
            Status.OK,
        ),
    ],
)
async def test_a_thing_of_aws_is_in_its_state(probe: Probe, answers: Any, keys: dict[str, Any], status: Status) -> None:
    result = await probe("aws", ports=cloud(**answers), **keys)
    assert result.status is status, result


async def test_what_may_not_be_asked_is_never_taken_for_gone(probe: Probe) -> None:
    for kind, keys, operation in (
        ("aws", {**EC2}, "describe_instances"),
        ("s3", {"bucket": "b"}, "list_objects_v2"),
        ("cloud_run", {"name": "api"}, "api"),
        ("cloud_sql", {"instance": "shop"}, "shop"),
        ("pubsub", {"subscription": "w"}, "w"),
    ):
        with pytest.raises(ProbeError, match="not allowed"):
            await probe(kind, ports=cloud(**{operation: DENIED}), exists=False, **keys)


def objects(*sizes: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"Contents": [{"Key": f"k{n}", "Size": size, "LastModified": now} for n, size in enumerate(sizes)]}


@pytest.mark.parametrize(
    ("answers", "keys", "status"),
    [
        ({"list_objects_v2": objects(1, 2)}, {"expect": ["objects == 2", "size == 3B"]}, Status.OK),
        ({"list_objects_v2": objects()}, {}, Status.OK),
        ({"list_objects_v2": objects()}, {"max_age": "1h"}, Status.CRIT),
        ({"list_objects_v2": objects(1)}, {"max_age": "1h"}, Status.OK),
        ({"list_objects_v2": {**objects(1), "Truncated": True}}, {"expect": "objects == 1"}, Status.UNKNOWN),
        ({"list_objects_v2": GONE}, {}, Status.CRIT),
        ({"list_objects_v2": GONE}, {"exists": False}, Status.OK),
        (
            {"list_objects_v2": objects(1), "get_bucket_versioning": {"Status": "Enabled"}},
            {"expect": "versioning == 'Enabled'"},
            Status.OK,
        ),
    ],
)
async def test_a_bucket_holds_what_it_must(probe: Probe, answers: Any, keys: dict[str, Any], status: Status) -> None:
    result = await probe("s3", ports=cloud(**answers), bucket="shop", **keys)
    assert result.status is status, result


def points(*values: float) -> dict[str, Any]:
    at = [datetime.fromtimestamp(time.time() - 600 + n, UTC) for n in range(len(values))]
    return {"Datapoints": [{"Average": v, "Timestamp": t} for v, t in zip(values, at, strict=True)][::-1]}


@pytest.mark.parametrize(
    ("told", "keys", "status"),
    [
        (points(95, 50), {"crit": 90}, Status.OK),
        (points(50, 95), {"crit": 90}, Status.CRIT),
        (points(), {"crit": 90}, Status.UNKNOWN),
        (points(), {"crit": 90, "missing": "zero"}, Status.OK),
        (points(), {"warn": "1:", "missing": "zero"}, Status.WARN),
    ],
)
async def test_the_newest_value_of_cloudwatch_counts(
    probe: Probe, told: Any, keys: dict[str, Any], status: Status
) -> None:
    ports = cloud(get_metric_statistics=told)
    result = await probe("cloudwatch", ports=ports, namespace="AWS/RDS", metric="CPUUtilization", **keys)
    assert result.status is status, result


def run_service(ready: str = "api-1", made: str = "api-1", state: str = "CONDITION_SUCCEEDED") -> dict[str, Any]:
    return {
        "latestReadyRevision": f"x/revisions/{ready}",
        "latestCreatedRevision": f"x/revisions/{made}",
        "terminalCondition": {"type": "Ready", "state": state},
        "trafficStatuses": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 80}],
        "template": {"containers": [{"image": "shop/api:1"}]},
    }


@pytest.mark.parametrize(
    ("told", "keys", "status"),
    [
        (run_service(), {"expect": "image == 'shop/api:1'"}, Status.OK),
        (run_service(), {"expect": "latest_percent == 100%"}, Status.CRIT),
        (run_service(made="api-2"), {}, Status.CRIT),
        (run_service(state="CONDITION_FAILED"), {}, Status.CRIT),
        (run_service(), {"revision": "api-2"}, Status.CRIT),
        (GONE, {}, Status.CRIT),
        (GONE, {"exists": False}, Status.OK),
    ],
)
async def test_a_service_of_cloud_run_is_ready(probe: Probe, told: Any, keys: dict[str, Any], status: Status) -> None:
    result = await probe("cloud_run", ports=cloud(api=told), name="api", **keys)
    assert result.status is status, result


def sql_instance(state: str = "RUNNABLE", policy: str = "ALWAYS") -> dict[str, Any]:
    return {"state": state, "databaseVersion": "POSTGRES_15", "settings": {"activationPolicy": policy}}


def runs(*statuses: str) -> dict[str, Any]:
    return {"items": [{"status": s, "endTime": datetime.now(UTC).isoformat()} for s in statuses]}


@pytest.mark.parametrize(
    ("told", "backups", "keys", "status"),
    [
        (sql_instance(), {}, {"expect": "version == 'POSTGRES_15'"}, Status.OK),
        (sql_instance("MAINTENANCE"), {}, {}, Status.CRIT),
        (sql_instance(policy="NEVER"), {}, {}, Status.CRIT),
        (sql_instance(policy="NEVER"), {}, {"running": False}, Status.OK),
        (sql_instance(), runs("FAILED", "SUCCESSFUL"), {"max_backup_age": "1h"}, Status.OK),
        (sql_instance(), runs("FAILED"), {"max_backup_age": "1h"}, Status.CRIT),
        (sql_instance(), {}, {"max_backup_age": "1h"}, Status.CRIT),
        (GONE, {}, {}, Status.CRIT),
    ],
)
async def test_an_instance_of_cloud_sql_runs_and_was_backed_up(
    probe: Probe, told: Any, backups: Any, keys: dict[str, Any], status: Status
) -> None:
    result = await probe("cloud_sql", ports=cloud(shop=told, backupRuns=backups), instance="shop", **keys)
    assert result.status is status, result


SUBSCRIPTION = {
    "topic": "projects/shop/topics/orders",
    "state": "ACTIVE",
    "pushConfig": {"pushEndpoint": "https://api/process"},
    "deadLetterPolicy": {"deadLetterTopic": "projects/shop/topics/orders-dead"},
}


@pytest.mark.parametrize(
    ("keys", "waiting", "status"),
    [
        ({"push_to": "https://api/process", "topic": "orders", "dead_letter": "orders-dead"}, [], Status.OK),
        ({"push_to": ""}, [], Status.CRIT),
        ({"topic": "other"}, [], Status.CRIT),
        ({"most_waiting": 10}, [[0, 4.0], [1, 900.0]], Status.OK),
        ({"most_waiting": 10}, [[0, 40.0]], Status.CRIT),
        ({"most_waiting": 10}, [], Status.UNKNOWN),
    ],
)
async def test_a_subscription_leads_where_it_must(
    probe: Probe, keys: dict[str, Any], waiting: Any, status: Status
) -> None:
    ports = cloud(worker=SUBSCRIPTION, **{"GET time_series": {}, "time_series": {"series": [{"points": waiting}]}})
    result = await probe("pubsub", ports=ports, subscription="worker", **keys)
    assert result.status is status, result


@pytest.mark.parametrize(
    ("series", "keys", "status"),
    [
        ([{"labels": {"job": "a"}, "points": [[0, 4.0], [-60, 99.0]]}], {"crit": 10}, Status.OK),
        ([{"labels": {"job": "a"}, "points": [[0, 4.0]]}, {"labels": {"job": "b"}, "points": [[0, 44.0]]}],
         {"crit": 10}, Status.CRIT),
        ([], {"crit": 10}, Status.UNKNOWN),
        ([], {"crit": 10, "missing": "zero"}, Status.OK),
        ([{"labels": {}, "points": [[0, None]]}], {"crit": 10, "missing": "zero"}, Status.UNKNOWN),
    ],
)  # fmt: skip
async def test_series_of_cloud_monitoring_are_judged(
    probe: Probe, series: Any, keys: dict[str, Any], status: Status
) -> None:
    ports = cloud(time_series={"series": series})
    result = await probe("gcp_monitoring", ports=ports, filter='metric.type="x"', **keys)
    assert result.status is status, result


async def test_any_thing_of_google_is_compared(probe: Probe) -> None:
    keys = {"api": "redis", "path": "/v1/projects/{project}/instances/cache"}
    fine = await probe("gcp", ports=cloud(cache={"state": "READY"}), **keys, expect="thing.state == 'READY'")
    gone = await probe("gcp", ports=cloud(cache=GONE), **keys, exists=False)
    assert (fine.status, gone.status) == (Status.OK, Status.OK)
