"""Services in clusters and clouds through a real agent: a real kubectl, moto, and a stand-in for Google's APIs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import missing
from tests.support.stand_ins.fake_kubectl import deployment, pod
from tests.support.stand_ins.google import GoogleApis, google_apis, log_entry, run_service
from tests.support.stand_ins.kubernetes_api import KubernetesApi, kubernetes_api
from tests.support.stand_ins.moto import AWS_ENVIRONMENT, moto_server

from switchover.agent.process.agent_record import find_socket
from switchover.agent.process.lifecycle import ensure_agent, stop
from switchover.agent.wire.client import AgentClient
from switchover.errors import RefusedError
from switchover.locations import workspace_for
from switchover.snapshot import ServiceRow, Snapshot

PLAN = """
schema: 1
id: clouds
title: Clouds
sides:
  old: {title: Old, region: eu-west-1}
  new: {title: New, region: europe-west1}
services:
  api: {kind: kubernetes, side: old, deployment: api, every: 1h}
  db: {kind: aws, side: old, resource: rds, id: shop, every: 1h, logs: ["cloudwatch:/shop/db"]}
  front: {kind: gcp, side: new, resource: run, id: front, every: 1h}
phases:
  - {id: one, steps: [{id: wait, checklist: [look]}]}
"""


@dataclass
class Sky:
    """What the agent looks at."""

    cluster: KubernetesApi
    google: GoogleApis
    aws: Any


@pytest.fixture
def sky(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sky]:
    if shutil.which("kubectl") is None:
        missing("kubectl")
    import boto3

    with ExitStack() as stack:
        cluster, google = stack.enter_context(kubernetes_api()), stack.enter_context(google_apis())
        cluster.put("deployments", deployment())
        cluster.put("pods", pod())
        google.things["/v2/projects/shop/locations/europe-west1/services"] = [run_service("front")]
        google.entries = [log_entry(1, "served one")]
        environment = {
            **google.environment(tmp_path),
            **AWS_ENVIRONMENT,
            "AWS_ENDPOINT_URL": stack.enter_context(moto_server()),
            "HOME": str(tmp_path),
            "KUBECONFIG": str(cluster.kubeconfig(tmp_path)),
        }
        for name in ("AWS_REGION", "AWS_PROFILE", "AWS_CA_BUNDLE", "GOOGLE_CLOUD_REGION"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        session: Any = boto3.session.Session()
        session.client("rds").create_db_instance(
            DBInstanceIdentifier="shop", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20
        )
        logs = session.client("logs")
        logs.create_log_group(logGroupName="/shop/db")
        yield Sky(cluster, google, session)


@pytest.fixture
async def client(sky: Sky, tmp_path: Path) -> AsyncIterator[AgentClient]:
    plan = tmp_path / "clouds.yaml"
    plan.write_text(PLAN)
    workspace = workspace_for(tmp_path / "state", plan)
    await asyncio.to_thread(lambda: ensure_agent(workspace, plan))
    made = AgentClient()
    await made.connect(find_socket(workspace))
    await made.hello({"who": "ann", "host": "h", "tty": "pts/1"})
    yield made
    await made.aclose()
    await asyncio.to_thread(stop, workspace)


async def see(client: AgentClient, holds: Callable[[Snapshot], bool]) -> Snapshot:
    async with asyncio.timeout(60):
        async for snapshot in client.snapshots():
            if holds(snapshot):
                return snapshot
    raise AssertionError("the line ended")


def row(snapshot: Snapshot, name: str) -> ServiceRow:
    return next(one for one in snapshot.services if one.id == name)


async def test_each_is_seen_with_what_may_be_done_and_what_changes_is_told(client: AgentClient, sky: Sky) -> None:
    seen = await see(client, lambda s: all(one.state == "running" for one in s.services))
    assert row(seen, "api").detail == "2 of 2 ready"
    assert set(row(seen, "api").actions) >= {"restart", "scale", "logs", "exec"}
    assert set(row(seen, "db").actions) >= {"stop", "restart", "logs"}
    assert row(seen, "front").detail == "api-1 serves all"
    sky.cluster.put("deployments", deployment(ready=0, image="shop/api:2"))
    told = await see(client, lambda s: row(s, "api").detail.startswith("0 of 2 ready"))
    assert row(told, "api").image == "shop/api:2"
    await see(client, lambda s: any("shop/api:1 → shop/api:2" in one.text for one in s.timeline))


async def test_a_deployment_is_scaled_and_scaling_to_nothing_takes_its_name(client: AgentClient, sky: Sky) -> None:
    seen = await see(client, lambda s: row(s, "api").state == "running")
    api = row(seen, "api")
    item = {"id": "api", "identity": api.identity, "seen_at": api.observed_at}
    asked: dict[str, Any] = {"items": [item], "action": "scale", "confirmation": ""}
    (answer,) = await client.request("service.act", **asked, argument="3")
    assert answer["ok"], answer
    assert sky.cluster.objects["deployments"][("shop", "api")]["spec"]["replicas"] == 3
    with pytest.raises(RefusedError, match="scale needs a confirmation"):
        await client.request("service.act", **asked, argument="0")
    assert sky.cluster.objects["deployments"][("shop", "api")]["spec"]["replicas"] == 3
    (answer,) = await client.request("service.act", **{**asked, "confirmation": "api"}, argument="0")
    assert answer["ok"], answer
    assert sky.cluster.objects["deployments"][("shop", "api")]["spec"]["replicas"] == 0
    await see(client, lambda s: row(s, "api").detail == "scaled to 0")
    command = await client.request("service.command", id="api", what="restart")
    assert command["text"] == "kubectl rollout restart deployment/api"


async def test_logs_of_both_clouds_stand_in_one_window(client: AgentClient, sky: Sky) -> None:
    import time

    await see(client, lambda s: all(one.state == "running" for one in s.services))
    logs = sky.aws.client("logs")
    logs.create_log_stream(logGroupName="/shop/db", logStreamName="one")
    event = {"timestamp": int(time.time() * 1000), "message": "ERROR: too many connections"}
    logs.put_log_events(logGroupName="/shop/db", logStreamName="one", logEvents=[event])
    opened = await client.request("logs.open", items=["db", "front"], tail=100)
    async with asyncio.timeout(60):
        texts: set[str] = set()
        while len(texts) < 2:
            window = await client.request("logs.window", stream=opened["stream"], before=50, after=50, wait=1.0)
            texts = {line["text"] for line in window["lines"]}
    assert texts == {"ERROR: too many connections", "served one"}
    await client.request("logs.close", stream=opened["stream"])
