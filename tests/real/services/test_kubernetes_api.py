"""Deployments through a real kubectl, against a stand-in for the API server."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.support.log_sources import reading
from tests.support.stand_ins.fake_kubectl import deployment, pod
from tests.support.stand_ins.kubernetes_api import KubernetesApi, kubernetes_api

from switchover.errors import RefusedError
from switchover.logs.sources.make_source import make_source
from switchover.logs.sources.source_api import LogTimeSpan, SourceSpec
from switchover.services.kubernetes.kubectl import Kubectl
from switchover.services.kubernetes.kubernetes_provider import KubernetesProvider
from switchover.services.provider_api import (
    Capability,
    LogSpan,
    Observation,
    ProcessState,
    ServiceEvent,
    ServiceTarget,
)
from switchover_checks.api import Status

API = ServiceTarget("api", "kubernetes", "api", deployment="api")


@pytest.fixture
def cluster() -> Iterator[KubernetesApi]:
    if shutil.which("kubectl") is None:
        missing("kubectl")
    with kubernetes_api() as state:
        state.put("deployments", deployment())
        state.put("pods", pod())
        yield state


@pytest.fixture
def provider(cluster: KubernetesApi, tmp_path: Path) -> KubernetesProvider:
    path = cluster.kubeconfig(tmp_path)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(path)}
    return KubernetesProvider(Kubectl(environment, timeout_s=20.0))


async def probe(provider: KubernetesProvider, target: ServiceTarget = API) -> Observation:
    return (await provider.inspect([target]))[target.name]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.01)


async def test_a_deployment_is_seen_restarted_and_scaled(provider: KubernetesProvider, cluster: KubernetesApi) -> None:
    seen = await probe(provider)
    assert (seen.state, seen.health, seen.ready, seen.wanted) == (ProcessState.RUNNING, Status.OK, 2, 2)
    await provider.act(API, Capability.SCALE, "3")
    assert cluster.objects["deployments"][("shop", "api")]["spec"]["replicas"] == 3
    assert (await probe(provider)).wanted == 3
    await provider.act(API, Capability.RESTART)
    template = cluster.objects["deployments"][("shop", "api")]["spec"]["template"]
    assert "kubectl.kubernetes.io/restartedAt" in template["metadata"]["annotations"]


async def test_all_namespaces_are_found_and_where_that_is_denied_the_own(
    provider: KubernetesProvider, cluster: KubernetesApi
) -> None:
    cluster.put("deployments", deployment("web", namespace="other"))
    assert [one.target.ref for one in await provider.discover()] == ["other/web", "shop/api"]
    cluster.denied = {"list deployments *", "list pods *"}
    denied = KubernetesProvider(provider._kubectl)
    assert [one.target.ref for one in await denied.discover()] == ["shop/api"]


async def test_what_changes_is_told_and_a_watch_that_the_server_ends_begins_anew(
    provider: KubernetesProvider, cluster: KubernetesApi
) -> None:
    told: list[ServiceEvent] = []
    watching = asyncio.create_task(provider.watch(told.append))
    await probe(provider)
    await until(lambda: len(cluster.watching) == 2)
    await probe(provider)
    cluster.put("deployments", deployment(image="shop/api:2"))
    await until(lambda: any(one.what == "deploy" and one.ref == "api" for one in told))
    cluster.end_watches()
    await until(lambda: not cluster.watching)
    await until(lambda: len(cluster.watching) == 2)
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-31T14:03:00Z"}
    cluster.put("pods", pod(restartCount=1, lastState={"terminated": ended}))
    await until(lambda: any(one.what == "oom" for one in told))
    cluster.remove("deployments", "shop", "api")
    await until(lambda: any(one.what == "removed" for one in told))
    assert (await probe(provider)).state is ProcessState.STOPPED
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_what_a_plan_names_and_what_is_found_are_watched_and_told_once(
    provider: KubernetesProvider, cluster: KubernetesApi
) -> None:
    told: list[ServiceEvent] = []
    watching = asyncio.create_task(provider.watch(told.append))
    await probe(provider)
    await until(lambda: len(cluster.watching) == 2)
    await provider.discover()
    await until(lambda: len(cluster.watching) == 4)

    async def settle() -> None:
        while [where for _, where, _ in cluster.watching] != ["", ""]:
            await provider.discover()
            await probe(provider)
            cluster.put("pods", pod("web"))  # by which the server notices who has gone
            cluster.put("deployments", deployment("web"))
            await asyncio.sleep(0.05)

    async with asyncio.timeout(30):
        await settle()
    cluster.put("deployments", deployment(image="shop/api:2"))
    await until(lambda: any(one.what == "deploy" for one in told))
    assert (await probe(provider)).image == "shop/api:2"
    assert [one.ref for one in told if one.what == "deploy"] == ["api"]
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_each_error_of_the_real_one_is_put_in_words(provider: KubernetesProvider, cluster: KubernetesApi) -> None:
    cluster.denied = {"list pods"}
    assert (await probe(provider)).detail == "2 of 2 ready; user operator may not list pods in namespace shop"
    cluster.denied = {"patch deployments"}
    with pytest.raises(RefusedError, match="user operator may not patch deployments in namespace shop"):
        await provider.act(API, Capability.RESTART)
    elsewhere = ServiceTarget("b", "kubernetes", "b", deployment="b", context="nope")
    assert "kubectl has no context nope" in (await probe(provider, elsewhere)).detail


async def test_a_cluster_that_is_gone_says_so(provider: KubernetesProvider, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(path.read_text().replace("http://127.0.0.1:", "http://127.0.0.1:1/"))
    assert "does not answer (connection refused)" in (await probe(provider)).detail


async def test_the_log_is_that_of_all_its_pods_with_their_times(
    provider: KubernetesProvider, cluster: KubernetesApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster.put("pods", pod(number="x2"))
    cluster.put("pods", pod("web"))
    cluster.logs = {
        "api-5d-x1": ["2026-01-31T14:02:31.5Z from the first"],
        "api-5d-x2": ["2026-01-31T14:02:32Z from the second"],
        "web-5d-x1": ["2026-01-31T14:02:33Z of another deployment"],
    }
    found = await provider.log_source(API, LogSpan(follow=False))
    assert not isinstance(found, str)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    spec = SourceSpec(found.name, found.kind, argv=found.argv, parse=found.parse)
    async with reading(make_source(spec), LogTimeSpan(follow=False)) as feed:
        await feed.until(lambda: feed.ended)
    texts = {line.at: line.text.decode() for line in feed.lines}
    assert set(texts) == {1769868151.5, 1769868152.0}
    assert "from the first" in texts[1769868151.5]
    assert "from the second" in texts[1769868152.0]
