"""Google Cloud through a stand-in for its APIs, with the login of a service account as google-auth makes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.stand_ins.google import GoogleApis, google_apis, run_service

from switchover.clouds.google_login import Google
from switchover.errors import RefusedError
from switchover.services.gcp.gcp_provider import GcpProvider
from switchover.services.provider_api import (
    Capability,
    LogSpan,
    Observation,
    ProcessState,
    ServiceEvent,
    ServiceTarget,
)
from switchover_checks.api import Status

RUN = "/v2/projects/shop/locations/europe-west1/services"
SQL = "/v1/projects/shop/instances"
API = ServiceTarget("api", "gcp", "run/api", resource="run", id="api")
DB = ServiceTarget("db", "gcp", "sql/db", resource="sql", id="db")


@pytest.fixture
def google() -> Iterator[GoogleApis]:
    with google_apis() as state:
        yield state


@pytest.fixture
async def provider(google: GoogleApis, tmp_path: Path) -> AsyncIterator[GcpProvider]:
    made = GcpProvider(Google(google.environment(tmp_path)), every=0.02)
    yield made
    await made.aclose()


async def probe(provider: GcpProvider, target: ServiceTarget = API) -> Observation:
    provider._polling_cache._known.clear()
    return (await provider.inspect([target]))[target.name]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for comes over a socket
            await asyncio.sleep(0.01)


def database(**more: Any) -> dict[str, Any]:
    settings = {"activationPolicy": "ALWAYS", "availabilityType": "REGIONAL", "tier": "db-g1-small"}
    return {"name": "db", "state": "RUNNABLE", "gceZone": "europe-west1-b", "settings": settings, **more}


async def test_a_service_says_which_revision_serves(provider: GcpProvider, google: GoogleApis) -> None:
    google.things[RUN] = [run_service()]
    seen = await probe(provider)
    assert (seen.state, seen.health, seen.detail) == (ProcessState.RUNNING, Status.OK, "api-1 serves all")
    assert (seen.image, seen.identity) == ("shop/api:1", "uid-api")


async def test_a_split_of_traffic_is_said(provider: GcpProvider, google: GoogleApis) -> None:
    split = [{"revision": "api-1", "percent": 90}, {"revision": "api-2", "percent": 10}, {"tag": "x", "percent": 0}]
    google.things[RUN] = [run_service(ready="api-2", trafficStatuses=split)]
    assert (await probe(provider)).detail == "90 % api-1, 10 % api-2"


async def test_a_revision_that_is_not_ready_says_why_while_the_one_before_serves(
    provider: GcpProvider, google: GoogleApis
) -> None:
    google.things[RUN] = [run_service(made="api-2", terminalCondition={"state": "CONDITION_FAILED"})]
    failed = {"type": "Ready", "state": "CONDITION_FAILED", "message": "The container failed to listen on PORT=8080"}
    google.single[f"{RUN}/api/revisions/api-2"] = {"conditions": [failed]}
    seen = await probe(provider)
    assert (seen.state, seen.health) == (ProcessState.RUNNING, Status.WARN)
    assert seen.detail == ("api-1 serves all; revision api-2 is not ready: The container failed to listen on PORT=8080")
    google.things[RUN] = [run_service(ready="", made="api-2", terminalCondition={"state": "CONDITION_FAILED"})]
    seen = await probe(provider)
    assert (seen.state, seen.health) == (ProcessState.STOPPED, Status.CRIT)


async def test_another_environment_is_another_configuration_another_image_is_not(
    provider: GcpProvider, google: GoogleApis
) -> None:
    google.things[RUN] = [run_service()]
    one = await probe(provider)
    google.things[RUN] = [
        run_service(template={"containers": [{"image": "shop/api:2", "env": [{"name": "A", "value": "b"}]}]})
    ]
    two = await probe(provider)
    google.things[RUN] = [run_service(template={"containers": [{"image": "shop/api:2", "env": []}]})]
    three = await probe(provider)
    assert one.config == two.config != three.config
    assert (one.image, two.image) == ("shop/api:1", "shop/api:2")


@pytest.mark.parametrize(
    ("more", "state", "health", "words"),
    [
        ({}, ProcessState.RUNNING, Status.OK, "runs; regional, now in europe-west1-b"),
        ({"state": "MAINTENANCE"}, ProcessState.STOPPED, Status.WARN, "is down for maintenance"),
        (
            {"state": "SUSPENDED", "suspensionReason": ["BILLING_ISSUE"]},
            ProcessState.STOPPED,
            Status.CRIT,
            "billing issue",
        ),
        ({"settings": {"activationPolicy": "NEVER"}}, ProcessState.STOPPED, Status.CRIT, "was stopped"),
        (
            {"scheduledMaintenance": {"startTime": "2026-02-01T03:00:00Z"}},
            ProcessState.RUNNING,
            Status.OK,
            "maintenance planned for 2026-02-01T03:00:00Z",
        ),
    ],
)
async def test_a_database_is_as_its_state_says(
    provider: GcpProvider, google: GoogleApis, more: dict[str, Any], state: ProcessState, health: Status, words: str
) -> None:
    google.things[SQL] = [database(**more)]
    seen = await probe(provider, DB)
    assert (seen.state, seen.health) == (state, health)
    assert words in seen.detail
    assert (Capability.RESTART in seen.can) == (state is ProcessState.RUNNING)


async def test_memory_and_subscriptions_are_seen(provider: GcpProvider, google: GoogleApis) -> None:
    name = "projects/shop/locations/europe-west1/instances/carts"
    google.things["/v1/projects/shop/locations/europe-west1/instances"] = [
        {"name": name, "state": "FAILING_OVER", "port": 6379, "redisVersion": "REDIS_7_2"}
    ]
    google.things["/v1/projects/shop/subscriptions"] = [
        {"name": "projects/shop/subscriptions/orders", "topic": "projects/shop/topics/orders", "state": "ACTIVE"},
        {"name": "projects/shop/subscriptions/mails", "topic": "_deleted-topic_", "ackDeadlineSeconds": 20},
    ]
    carts = ServiceTarget("carts", "gcp", "memorystore/carts", resource="memorystore", id="carts")
    orders = ServiceTarget("orders", "gcp", "pubsub/orders", resource="pubsub", id="orders")
    mails = ServiceTarget("mails", "gcp", "pubsub/mails", resource="pubsub", id="mails")
    seen = await provider.inspect([carts, orders, mails])
    assert (seen["carts"].health, seen["carts"].detail, seen["carts"].ports) == (Status.CRIT, "failing over", ("6379",))
    assert (seen["orders"].health, seen["mails"].health) == (Status.OK, Status.CRIT)
    assert seen["orders"].detail == ("of topic orders; to be acknowledged within 10 s; its backlog is not known here")
    assert "its topic was deleted" in seen["mails"].detail


async def test_all_pages_are_read_and_one_call_does_for_all(provider: GcpProvider, google: GoogleApis) -> None:
    google.things[RUN] = [run_service(f"s{number}") for number in range(5)]
    targets = [ServiceTarget(f"s{n}", "gcp", f"run/s{n}", resource="run", id=f"s{n}") for n in range(5)]
    seen = await provider.inspect(targets)
    assert {one.state for one in seen.values()} == {ProcessState.RUNNING}
    assert google.asked == [f"GET {RUN}"] * 3
    await provider.inspect(targets)
    assert len(google.asked) == 3


async def test_what_a_project_has_is_found(provider: GcpProvider, google: GoogleApis) -> None:
    google.things[RUN] = [run_service()]
    google.things[SQL] = [database()]
    found = {one.target.ref: one for one in await provider.discover()}
    assert set(found) == {"run/api", "sql/db"}
    assert found["run/api"].target == ServiceTarget(
        "gcp:run/api", "gcp", "run/api", resource="run", id="api", project="shop", region="europe-west1"
    )
    assert provider.off() == ""  # Memorystore and Pub/Sub cannot be seen, the rest can


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (
            403,
            {"message": "Permission 'run.services.list' denied on resource 'projects/shop'"},
            "Cloud Run: run.services.list is not allowed",
        ),
        (403, {"details": [{"reason": "SERVICE_DISABLED"}]}, "Cloud Run: its API is not enabled in the project"),
        (404, {}, "Cloud Run: there is no such project, place or thing"),
        (429, {"status": "RESOURCE_EXHAUSTED"}, "Cloud Run: asked too often; it is asked less often for a while"),
        (503, {}, "Cloud Run: it fails on its side (HTTP 503)"),
    ],
)
async def test_each_refusal_is_put_in_words(
    provider: GcpProvider, google: GoogleApis, status: int, error: dict[str, Any], words: str
) -> None:
    google.refuse = (status, error)
    seen = await probe(provider)
    assert (seen.state, seen.detail) == (ProcessState.UNKNOWN, words)
    assert provider.off() == words


async def test_a_login_that_was_taken_back_is_renewed_once(provider: GcpProvider, google: GoogleApis) -> None:
    google.things[RUN] = [run_service()]
    await probe(provider)
    google.revoked = True
    assert (await probe(provider)).state is ProcessState.RUNNING
    assert google.tokens == 2


async def test_a_login_that_is_not_valid_any_more_is_said_without_its_secrets(
    provider: GcpProvider, google: GoogleApis
) -> None:
    google.login_ends = True
    assert (await probe(provider)).detail == "Google Cloud: the login is not valid any more"
    assert "canary" not in provider.off()


async def test_nothing_there_is_told_as_that(google: GoogleApis, tmp_path: Path) -> None:
    away = google.environment(tmp_path) | {"CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN": "http://127.0.0.1:9"}
    provider = GcpProvider(Google(away))
    assert (await probe(provider)).detail == "Cloud Run: it cannot be reached from here"
    await provider.aclose()


async def test_without_login_project_or_region_nothing_is_asked(google: GoogleApis, tmp_path: Path) -> None:
    nobody = GcpProvider(Google({"HOME": str(tmp_path)}))
    assert nobody.off().startswith("Google Cloud: no login (GOOGLE_APPLICATION_CREDENTIALS")
    assert await nobody.discover() == []
    assert (await nobody.inspect([API]))["api"].state is ProcessState.UNKNOWN
    environment = google.environment(tmp_path)
    del environment["GOOGLE_CLOUD_REGION"]
    nowhere = GcpProvider(Google(environment))
    assert "no region" in (await nowhere.inspect([API]))["api"].detail
    assert google.asked == []


async def test_a_deploy_and_an_operation_are_told_once_with_their_own_time(
    provider: GcpProvider, google: GoogleApis
) -> None:
    google.things[RUN] = [run_service()]
    google.things[SQL] = [database()]
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    google.things["/v1/projects/shop/operations"] = [
        {"operationType": "FAILOVER", "targetId": "db", "startTime": now, "user": "eve@shop.example"},
        {"operationType": "BACKUP_VOLUME", "targetId": "db", "startTime": now},
        {"operationType": "RESTART", "targetId": "db", "startTime": "2026-01-01T00:00:00Z"},
    ]
    told: list[ServiceEvent] = []
    watching = asyncio.create_task(provider.watch(told.append))
    await provider.inspect([API, DB])
    await until(lambda: any(one.ref == "sql/db" for one in told))
    (one,) = [one for one in told if one.ref == "sql/db"]
    assert (one.what, one.text, one.status) == ("restarted", "failover by eve@shop.example", Status.WARN)
    assert one.at == datetime.fromisoformat(now).timestamp()
    google.things[RUN] = [run_service(ready="api-2")]
    provider._polling_cache.forget(provider._group(API))  # type: ignore[arg-type]
    await until(lambda: any(one.what == "deploy" for one in told))
    deploys = [one for one in told if one.what == "deploy"]
    assert [one.text for one in deploys] == ["revision api-2 deployed by eve@shop.example"]
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_database_is_restarted_and_nothing_else_is(provider: GcpProvider, google: GoogleApis) -> None:
    assert await provider.act(DB, Capability.RESTART) == "Google took the order: it restarts"
    assert google.asked == ["POST /v1/projects/shop/instances/db/restart"]
    assert provider.command_line(DB, Capability.RESTART) == (
        ("gcloud", "sql", "instances", "restart", "db", "--project=shop")
    )
    with pytest.raises(RefusedError, match="Google Cloud run has no restart"):
        await provider.act(API, Capability.RESTART)
    assert provider.command_line(API, Capability.RESTART) == ()


async def test_a_log_is_what_the_service_writes_by_itself(provider: GcpProvider) -> None:
    source = await provider.log_source(API, LogSpan())
    assert not isinstance(source, str)
    assert (source.kind, source.options["project"]) == ("gcp", "shop")
    assert source.options["filter"] == (
        'resource.type="cloud_run_revision" AND resource.labels.service_name="api"'
        ' AND resource.labels.location="europe-west1"'
    )
    orders = ServiceTarget("o", "gcp", "pubsub/o", resource="pubsub", id="o")
    assert "only the plan knows where its log is" in str(await provider.log_source(orders, LogSpan()))
