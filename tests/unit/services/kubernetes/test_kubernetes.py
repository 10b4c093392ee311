"""Deployments through a stand-in for kubectl that answers as the real one does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.support.stand_ins.fake_kubectl import (
    FORBIDDEN,
    NO_CONTEXT,
    REFUSED,
    UNKNOWN_NAME,
    StandInKubectl,
    deployment,
    pod,
)

from switchover.errors import RefusedError
from switchover.services.kubernetes.kubectl import Kubectl, KubectlOutput
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
def kubectl(tmp_path: Path) -> StandInKubectl:
    return StandInKubectl(tmp_path)


@pytest.fixture
def provider(kubectl: StandInKubectl) -> KubernetesProvider:
    return KubernetesProvider(Kubectl(kubectl.environment))


async def probe(provider: KubernetesProvider, target: ServiceTarget = API) -> Observation:
    return (await provider.inspect([target]))[target.name]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.01)


async def test_a_deployment_is_as_ready_as_it_says(provider: KubernetesProvider, kubectl: StandInKubectl) -> None:
    kubectl.listing(deployment(), pod(number="x1"), pod(number="x2", restartCount=3))
    seen = await probe(provider)
    assert (seen.state, seen.health, seen.detail) == (ProcessState.RUNNING, Status.OK, "2 of 2 ready")
    assert (seen.ready, seen.wanted, seen.restarts, seen.image) == (2, 2, 3, "shop/api:1")
    assert seen.started_at == 1769868150.0
    assert seen.identity == "uid-api/1"
    assert seen.can >= {Capability.RESTART, Capability.SCALE, Capability.LOGS, Capability.EXEC}
    assert kubectl.calls()[-1][1:] == ["get", "deployments.apps,pods", "--namespace=shop", "-o", "json"]


async def test_a_crash_loop_says_how_it_ends_and_how_often(
    provider: KubernetesProvider, kubectl: StandInKubectl
) -> None:
    looping = pod(
        ready=False,
        restartCount=5,
        state={"waiting": {"reason": "CrashLoopBackOff"}},
        lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-31T14:03:00Z"}},
    )
    gone = {"type": "Available", "status": "False", "lastTransitionTime": "2026-01-31T14:03:01Z"}
    kubectl.listing(deployment(ready=0, conditions=[gone]), looping)
    seen = await probe(provider)
    assert seen.since == 1769868181.0
    assert (seen.state, seen.health) == (ProcessState.STOPPED, Status.CRIT)
    assert seen.detail == "0 of 2 ready; api-5d-x1: CrashLoopBackOff, api exit 137, out of memory, 5 restarts"
    assert Capability.EXEC not in seen.can


@pytest.mark.parametrize(
    ("deployed", "pods", "health", "words"),
    [
        (deployment(wanted=0, ready=0), [], Status.CRIT, "scaled to 0"),
        (
            deployment(ready=1),
            [pod(ready=False, state={"waiting": {"reason": "ImagePullBackOff"}})],
            Status.WARN,
            "api-5d-x1: ImagePullBackOff (api)",
        ),
        (
            deployment(
                ready=1, conditions=[{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
            ),
            [],
            Status.CRIT,
            "the rollout does not get on (ProgressDeadlineExceeded)",
        ),
        (deployment(ready=1, updatedReplicas=1), [], Status.PENDING, "1 of 2 ready; rolling out"),
        (
            deployment(ready=0, conditions=[{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]),
            [],
            Status.CRIT,
            "pods cannot be made: exceeded quota",
        ),
    ],
)
async def test_what_is_wrong_is_said_in_words(
    provider: KubernetesProvider,
    kubectl: StandInKubectl,
    deployed: dict[str, object],
    pods: list[dict[str, object]],
    health: Status,
    words: str,
) -> None:
    kubectl.listing(deployed, *pods)
    seen = await probe(provider)
    assert seen.health is health
    assert words in seen.detail


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (REFUSED, "the cluster at localhost:8080 does not answer (connection refused)"),
        (UNKNOWN_NAME, "the cluster's name nowhere.invalid does not resolve"),
        (NO_CONTEXT, "kubectl has no context nope"),
        ("error: You must be logged in to the server (Unauthorized)\n", "log in again"),
        ("\x1b[31mgarbage\x1b[0m", "garbage"),
        ("", "kubectl ended with exit code 1"),
    ],
)
async def test_a_cluster_that_cannot_be_asked_is_unknown_and_says_why(
    provider: KubernetesProvider, kubectl: StandInKubectl, said: str, words: str
) -> None:
    kubectl.answer("get deployments.apps,pods", stderr=said, code=1)
    seen = await probe(provider)
    assert (seen.state, seen.health) == (ProcessState.UNKNOWN, Status.UNKNOWN)
    assert words in seen.detail
    assert words in provider.off()
    assert "\x1b" not in seen.detail


async def test_a_deployment_that_is_not_there_is_not_an_unknown(
    provider: KubernetesProvider, kubectl: StandInKubectl
) -> None:
    kubectl.listing()
    seen = await probe(provider)
    assert (seen.state, seen.detail) == (ProcessState.STOPPED, "no deployment api in namespace shop")


async def test_pods_that_may_not_be_listed_do_not_hide_the_deployment(
    provider: KubernetesProvider, kubectl: StandInKubectl
) -> None:
    denied = FORBIDDEN.format(kind="pods", verb="list", resource="pods", where='in the namespace "shop"')
    kubectl.listing(deployment(), stderr=denied, code=1)
    seen = await probe(provider)
    assert (seen.state, seen.ready) == (ProcessState.RUNNING, 2)
    assert seen.detail == "2 of 2 ready; user operator may not list pods in namespace shop"
    assert provider.off() == ""


async def test_what_may_not_be_listed_everywhere_is_listed_in_the_own_namespace(
    provider: KubernetesProvider, kubectl: StandInKubectl
) -> None:
    denied = FORBIDDEN.format(
        kind="deployments.apps", verb="list", resource="deployments", where="at the cluster scope"
    )
    kubectl.listing(everywhere=True, stderr=denied, code=1)
    kubectl.listing(deployment())
    found = await provider.discover()
    assert [(one.title, one.group, one.target.ref, one.target.name) for one in found] == [
        ("api", "shop", "shop/api", "kubernetes:shop/api")
    ]
    assert provider.off() == ""


async def test_what_the_plan_names_is_found_by_the_same_ref(
    provider: KubernetesProvider, kubectl: StandInKubectl
) -> None:
    kubectl.listing(deployment())
    await probe(provider)
    kubectl.listing(deployment(), deployment("web", namespace="other"), everywhere=True)
    assert [one.target.ref for one in await provider.discover()] == ["other/web", "api"]


async def test_a_kubectl_that_hangs_is_ended_with_all_it_started(kubectl: StandInKubectl) -> None:
    kubectl.answer("get deployments.apps,pods", hang=True)
    provider = KubernetesProvider(Kubectl(kubectl.environment, timeout_s=0.5))
    assert (await probe(provider)).detail == "kubectl did not answer within 0.5 s"
    await until(lambda: not _left(kubectl))


def _left(kubectl: StandInKubectl) -> list[str]:
    mark = str(kubectl.folder / "kubectl").encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_what_is_not_installed_or_configured_is_off_and_asks_nobody(tmp_path: Path) -> None:
    nowhere = KubernetesProvider(Kubectl({"PATH": str(tmp_path)}))
    assert nowhere.off() == "Kubernetes: kubectl is not installed"
    kubectl = StandInKubectl(tmp_path)
    bare = KubernetesProvider(Kubectl({"PATH": kubectl.environment["PATH"], "HOME": str(tmp_path / "none")}))
    assert bare.off() == "Kubernetes: no ~/.kube/config, and KUBECONFIG is not set"
    assert asyncio.run(bare.discover()) == []
    assert asyncio.run(bare.inspect([API]))["api"].state is ProcessState.UNKNOWN
    assert kubectl.calls() == []


async def test_actions_are_the_commands_a_person_would_type(
    provider: KubernetesProvider, kubectl: StandInKubectl
) -> None:
    there = ServiceTarget("api", "kubernetes", "x/api", deployment="api", namespace="x", context="old")
    kubectl.answer("rollout restart", "deployment.apps/api restarted\n")
    kubectl.answer("scale deployment/api", "deployment.apps/api scaled\n")
    argv = provider.command_line(there, Capability.RESTART)
    assert argv == ("kubectl", "--context=old", "--namespace=x", "rollout", "restart", "deployment/api")
    assert await provider.act(there, Capability.RESTART) == "its pods are replaced one after the other"
    assert kubectl.calls()[-1][1:] == list(argv[1:])
    assert await provider.act(there, Capability.SCALE, " 3 ") == "scaled to 3"
    assert kubectl.calls()[-1][-1] == "--replicas=3"
    for wrong in ("", "-1", "many", "3; rm"):
        with pytest.raises(RefusedError, match="no number of pods"):
            await provider.act(there, Capability.SCALE, wrong)


async def test_a_refused_action_says_who_may_not_do_what(provider: KubernetesProvider, kubectl: StandInKubectl) -> None:
    said = FORBIDDEN.format(
        kind="deployments.apps", verb="patch", resource="deployments", where='in the namespace "shop"'
    )
    kubectl.answer("rollout restart", stderr=said, code=1)
    with pytest.raises(RefusedError, match="user operator may not patch deployments in namespace shop"):
        await provider.act(API, Capability.RESTART)


async def test_an_action_that_was_not_answered_does_not_claim_to_have_failed(kubectl: StandInKubectl) -> None:
    kubectl.answer("rollout restart", hang=True)
    provider = KubernetesProvider(Kubectl(kubectl.environment, timeout_s=0.5))
    with pytest.raises(RefusedError) as caught:
        await provider.act(API, Capability.RESTART)
    assert "whether it was done is not known" in caught.value.hint


async def test_logs_are_those_of_all_its_pods(provider: KubernetesProvider, kubectl: StandInKubectl) -> None:
    kubectl.listing(deployment())
    source = await provider.log_source(API, LogSpan(tail=50, since=1769868150.0))
    assert not isinstance(source, str)
    assert (source.kind, source.parse) == ("command", "kubernetes")
    assert source.argv[:3] == ("kubectl", "logs", "--selector=app=api")
    assert {"--follow", "--timestamps", "--prefix", "--tail=50", "--since-time=2026-01-31T14:02:30Z"} <= set(
        source.argv
    )
    kubectl.listing()
    gone = KubernetesProvider(Kubectl(kubectl.environment))
    assert await gone.log_source(API, LogSpan()) == "no deployment api in namespace shop"


def test_a_shell_is_opened_in_one_of_its_pods(provider: KubernetesProvider) -> None:
    assert provider.shell(API)[:4] == ("kubectl", "exec", "-it", "deployment/api")


def _events(word: str, *items: dict[str, object]) -> str:
    return "".join(json.dumps({"type": word, "object": item}) + "\n" for item in items)


async def test_while_a_watch_runs_a_look_costs_no_call(provider: KubernetesProvider, kubectl: StandInKubectl) -> None:
    kubectl.listing(deployment(), pod())
    kubectl.answer("watch deployments.apps", _events("ADDED", deployment()), hang=True)
    kubectl.answer("watch pods", _events("ADDED", pod()), hang=True)
    told: list[ServiceEvent] = []
    watching = asyncio.create_task(provider.watch(told.append))
    await probe(provider)
    await until(lambda: sum(one.listing for one in told) == 2)
    await probe(provider)
    asked = len(kubectl.calls())
    for _ in range(5):
        assert (await probe(provider)).ready == 2
    assert len(kubectl.calls()) == asked
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await until(lambda: not _left(kubectl))


async def test_a_container_out_of_memory_is_told_with_the_time_of_the_node(
    provider: KubernetesProvider, kubectl: StandInKubectl
) -> None:
    killed = pod(
        ready=False,
        restartCount=1,
        lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-31T14:03:00Z"}},
    )
    kubectl.listing(deployment(), pod())
    kubectl.answer("watch deployments.apps", _events("ADDED", deployment()), hang=True)
    kubectl.answer("watch pods", _events("ADDED", pod()) + _events("MODIFIED", killed), hang=True)
    told: list[ServiceEvent] = []
    watching = asyncio.create_task(provider.watch(told.append))
    await probe(provider)
    await until(lambda: any(one.what == "oom" for one in told))
    one = next(one for one in told if one.what == "oom")
    assert (one.ref, one.at, one.status) == ("api", 1769868180.0, Status.CRIT)
    assert one.text == "api-5d-x1: api ended, exit 137, out of memory"
    assert one.observation is not None
    assert one.observation.restarts == 1
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_new_image_is_told_as_a_deploy_and_a_lost_watch_begins_anew(
    provider: KubernetesProvider, kubectl: StandInKubectl
) -> None:
    kubectl.listing(deployment())
    kubectl.answer("watch deployments.apps", _events("ADDED", deployment()))  # it ends at once
    kubectl.answer("watch pods", hang=True)
    told: list[ServiceEvent] = []
    watching = asyncio.create_task(provider.watch(told.append))
    await probe(provider)
    await until(lambda: any(one.listing for one in told))
    kubectl.answer("watch deployments.apps", _events("MODIFIED", deployment(image="shop/api:2")), hang=True)
    await until(lambda: any(one.what == "deploy" for one in told))
    assert [one.text for one in told if one.what == "deploy"] == ["image shop/api:1 → shop/api:2"]
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


class Slow(Kubectl):
    """Answers a listing only when it is let, and tells what a test gives it meanwhile."""

    def __init__(self, environment: dict[str, str]) -> None:
        super().__init__(environment)
        self.let = asyncio.Event()
        self.asked = asyncio.Event()
        self.lines: dict[str, asyncio.Queue[bytes]] = {"deployments.apps": asyncio.Queue(), "pods": asyncio.Queue()}

    async def run(self, words: Sequence[str]) -> KubectlOutput:
        if words[0] == "config":
            return KubectlOutput(b"here\nshop")
        self.asked.set()
        await self.let.wait()
        return KubectlOutput(json.dumps({"items": [deployment(ready=2)]}).encode())

    async def follow(self, words: Sequence[str], on_line: Callable[[bytes], None]) -> str:
        while True:
            on_line(await self.lines[words[1]].get())


async def test_what_is_told_while_a_listing_is_on_its_way_is_newer_than_it(kubectl: StandInKubectl) -> None:
    slow = Slow(kubectl.environment)
    provider = KubernetesProvider(slow)
    told: list[ServiceEvent] = []
    watching = asyncio.create_task(provider.watch(told.append))
    looking = asyncio.create_task(probe(provider))
    await slow.asked.wait()
    provider._watched_scopes.wanted.set()
    slow.lines["deployments.apps"].put_nowait(_events("MODIFIED", deployment(ready=1)).encode())
    await until(lambda: any(one.observation is not None for one in told))
    slow.let.set()
    assert (await looking).ready == 1
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_watch_that_ends_over_what_nobody_foresaw_is_not_silent_for_ever(
    provider: KubernetesProvider, kubectl: StandInKubectl
) -> None:
    kubectl.listing(deployment())
    kubectl.answer("watch deployments.apps", _events("ADDED", deployment()), hang=True)
    kubectl.answer("watch pods", hang=True)

    def tell(told: ServiceEvent) -> None:
        if told.listing and kubectl.calls() and any("--watch" in call for call in kubectl.calls()):
            raise LookupError("a defect")

    watching = asyncio.create_task(provider.watch(tell))
    await probe(provider)
    async with asyncio.timeout(20):
        await asyncio.wait({watching})
    assert watching.exception() is not None  # whoever watches hears of it, and begins anew
    await until(lambda: not _left(kubectl))
