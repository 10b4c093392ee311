"""Kinds that ask who runs things. `kubectl`, `systemctl` and the Docker daemon's lists are stand-ins here."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import ProbeError, Result, Status
from switchover_checks.kinds.services import compose
from switchover_checks.runtime.probe_ports import ProbePorts

Probe = Callable[..., Awaitable[Result]]


def knows(**told: Any) -> ProbePorts:
    """Return a program whose service `api` is as told."""

    async def service(name: str) -> Mapping[str, Any]:
        if name != "api":
            raise KeyError(name)
        return {"kind": "docker", "health": "ok", **told}

    return ProbePorts(service)


@pytest.mark.parametrize(
    ("told", "keys", "status"),
    [
        ({"state": "running"}, {}, Status.OK),
        ({"state": "stopped", "detail": "exit code 1"}, {}, Status.CRIT),
        ({"state": "stopped"}, {"state": "stopped"}, Status.OK),
        ({"state": "running"}, {"state": "stopped"}, Status.CRIT),
        ({"state": "unknown", "detail": "no daemon"}, {}, Status.UNKNOWN),
        ({"state": "unknown"}, {"state": "stopped"}, Status.UNKNOWN),
        ({"state": "running", "health": "warn"}, {}, Status.WARN),
        ({"state": "running", "health": "unknown"}, {}, Status.UNKNOWN),
        ({"state": "running", "restarts": 3}, {"expect": "restarts == 0"}, Status.CRIT),
        ({"state": "running"}, {"expect": "restarts == 0"}, Status.UNKNOWN),
        ({"state": "running", "started_at": 1.0}, {"expect": "uptime > 1h"}, Status.OK),
    ],
)
async def test_a_service_is_as_its_provider_says(
    probe: Probe, told: dict[str, Any], keys: dict[str, Any], status: Status
) -> None:
    result = await probe("service", ports=knows(**told), about="api", **keys)
    assert result.status is status, result


async def test_a_service_that_is_not_named_or_not_there_is_unknown(probe: Probe) -> None:
    assert (await probe("service", ports=knows(state="running"))).status is Status.UNKNOWN
    with pytest.raises(ProbeError, match="has no service db"):
        await probe("service", ports=knows(state="running"), about="db")


def program(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a program on PATH that answers by its first matching word."""
    (folder / "bin").mkdir(exist_ok=True)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")

    def answers(code: int = 0, stderr: str = "", **texts: str) -> None:
        cases = []
        for word, text in texts.items():
            path = folder / f"{word}.out"
            path.write_text(text)
            cases.append(f'case "$*" in *"{word.replace("_", "-")}"*) cat {path}; exit {code};; esac')
        body = "\n".join([*cases, f"cat >&2 <<'END'\n{stderr}\nEND", f"exit {code or 1}"])
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / "bin" / name).chmod(0o755)

    return answers


UNIT = """LoadState={load}
ActiveState={active}
SubState=x
Result={result}
NRestarts=2
UnitFileState=enabled
Unit={unit}
"""


def unit(load: str = "loaded", active: str = "active", result: str = "success", of: str = "") -> str:
    return UNIT.format(load=load, active=active, result=result, unit=of)


@pytest.mark.parametrize(
    ("told", "keys", "status"),
    [
        (unit(), {}, Status.OK),
        (unit(), {"enabled": True, "expect": "restarts == 2"}, Status.OK),
        (unit(), {"enabled": False}, Status.CRIT),
        (unit(active="failed", result="exit-code"), {}, Status.CRIT),
        (unit(active="failed"), {"state": "failed"}, Status.OK),
        (unit(active="inactive"), {"state": "inactive"}, Status.OK),
        (unit("not-found", "inactive"), {}, Status.CRIT),
        (unit("not-found", "inactive"), {"state": "inactive"}, Status.CRIT),
        (unit("not-found", "inactive"), {"state": "absent"}, Status.OK),
        (unit(), {"state": "absent"}, Status.CRIT),
        (unit("not-found", "active"), {"state": "absent"}, Status.CRIT),
        (unit("bad-setting"), {}, Status.CRIT),
        (unit(), {"expect": "memory < 1GiB"}, Status.UNKNOWN),
    ],
)
async def test_a_unit_is_as_systemd_says(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, keys: dict[str, Any], status: Status
) -> None:
    program(tmp_path, "systemctl", monkeypatch)(show=told)
    result = await probe("systemd", unit="api", **keys)
    assert result.status is status, result


DAY_US = 86_400_000_000


@pytest.mark.parametrize(
    ("last", "following", "started", "keys", "status"),
    [
        (-DAY_US, DAY_US, unit(active="inactive"), {"max_age": "25h"}, Status.OK),
        (-DAY_US, DAY_US, unit(active="inactive"), {"max_age": "23h"}, Status.CRIT),
        (-DAY_US, DAY_US, unit(active="failed", result="exit-code"), {}, Status.CRIT),
        (-DAY_US, DAY_US, unit(active="inactive", result="timeout"), {}, Status.CRIT),
        (-DAY_US, DAY_US, unit(active="activating"), {"max_age": "25h"}, Status.OK),
        (None, DAY_US, unit(active="inactive"), {}, Status.OK),
        (None, DAY_US, unit(active="inactive"), {"max_age": "25h"}, Status.CRIT),
        (-DAY_US, None, unit(active="inactive"), {}, Status.CRIT),
        (-DAY_US, DAY_US, unit(active="inactive"), {"expect": "next_run < 25h"}, Status.OK),
        (None, DAY_US, unit(active="inactive"), {"expect": "last_run < 25h"}, Status.UNKNOWN),
    ],
)
async def test_a_timer_tells_its_last_run_and_its_next(
    probe: Probe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    last: int | None,
    following: int | None,
    started: str,
    keys: dict[str, Any],
    status: Status,
) -> None:
    import time

    now = int(time.time() * 1e6)
    row = {"next": following and now + following, "last": last and now + last, "unit": "dump.timer"}
    answers = program(tmp_path, "systemctl", monkeypatch)
    answers(list_timers=json.dumps([row]), dump_timer="", dump_service=started)
    script = (tmp_path / "bin" / "systemctl").read_text().replace('"dump-timer"', '"dump.timer"')
    (tmp_path / "dump_timer.out").write_text(unit(of="dump.service"))
    (tmp_path / "bin" / "systemctl").write_text(script.replace('"dump-service"', '"dump.service"'))
    result = await probe("systemd", unit="dump.timer", **keys)
    assert result.status is status, result


async def test_a_systemd_that_does_not_answer_is_unknown(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "systemctl", monkeypatch)(code=1, stderr="Failed to connect to bus: No such file or directory")
    with pytest.raises(ProbeError, match="does not answer: Failed to connect to bus") as refused:
        await probe("systemd", unit="api")
    assert (refused.value.phase, refused.value.status) == ("connect", Status.UNKNOWN)


def deployment(wanted: int = 2, ready: int = 2, updated: int = 2, seen: int = 3, **more: Any) -> str:
    return json.dumps(
        {
            "metadata": {"generation": 3, **more},
            "spec": {"replicas": wanted, "template": {"spec": {"containers": [{"image": "shop/api:2"}]}}},
            "status": {
                "observedGeneration": seen,
                "readyReplicas": ready,
                "updatedReplicas": updated,
                "availableReplicas": ready,
                "conditions": [{"type": "Available", "status": "True"}],
            },
        }
    )


def thing(**status: Any) -> str:
    return json.dumps({"metadata": {}, "spec": {}, "status": status})


def condition(name: str, state: str) -> dict[str, Any]:
    return {"conditions": [{"type": name, "status": state}]}


@pytest.mark.parametrize(
    ("told", "keys", "status"),
    [
        (deployment(), {}, Status.OK),
        (deployment(), {"expect": ["ready >= 2", "images contains 'shop/api:2'"]}, Status.OK),
        (deployment(), {"expect": ["conditions.Available == 'True'", "object.spec.replicas == 2"]}, Status.OK),
        (deployment(ready=1), {}, Status.CRIT),
        (deployment(0, 0, 0), {}, Status.WARN),
        (deployment(updated=1), {}, Status.CRIT),
        (deployment(seen=2), {}, Status.CRIT),
        (deployment(deletionTimestamp="2026-01-01T00:00:00Z"), {}, Status.CRIT),
        (deployment(), {"exists": False}, Status.CRIT),
        (thing(**condition("Ready", "True")), {"resource": "pod/x"}, Status.OK),
        (thing(**condition("Ready", "False")), {"resource": "po/x"}, Status.CRIT),
        (thing(phase="Succeeded"), {"resource": "pod/x"}, Status.OK),
        (thing(**condition("Complete", "True")), {"resource": "job/x"}, Status.OK),
        (thing(**condition("Failed", "True")), {"resource": "jobs/x"}, Status.CRIT),
        (thing(), {"resource": "job/x"}, Status.CRIT),
        (thing(phase="Bound"), {"resource": "pvc/x"}, Status.OK),
        (thing(phase="Pending"), {"resource": "pvc/x"}, Status.CRIT),
        (thing(), {"resource": "configmap/x"}, Status.OK),
        (thing(), {"resource": "configmap/x", "expect": "ready == 1"}, Status.UNKNOWN),
    ],
)
async def test_a_thing_in_a_cluster_is_as_kubectl_says(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, keys: dict[str, Any], status: Status
) -> None:
    program(tmp_path, "kubectl", monkeypatch)(get=told)
    result = await probe("kubernetes", **{"resource": "deployment/api", **keys})
    assert result.status is status, result


@pytest.mark.parametrize(
    ("stderr", "phase"),
    [
        (
            "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
            "connect",
        ),
        ('Error from server (Forbidden): deployments.apps is forbidden: User "x" cannot get resource', "auth"),
        ("error: You must be logged in to the server (Unauthorized)", "auth"),
        ("Error from server (NotFound): the server could not find the requested resource", "connect"),
        ('Error from server (NotFound): namespaces "typo" not found', "connect"),
    ],
)
async def test_a_cluster_that_cannot_be_asked_is_never_taken_for_gone(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stderr: str, phase: str
) -> None:
    program(tmp_path, "kubectl", monkeypatch)(code=1, stderr=stderr)
    with pytest.raises(ProbeError) as refused:
        await probe("kubernetes", resource="deployment/api", exists=False)
    assert (refused.value.phase, refused.value.status) == (phase, Status.UNKNOWN)


async def test_what_is_gone_is_fine_only_where_it_must_be(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = 'Error from server (NotFound): deployments.apps "api" not found'
    program(tmp_path, "kubectl", monkeypatch)(code=1, stderr=said)
    assert (await probe("kubernetes", resource="deployment/api", exists=False)).status is Status.OK
    assert (await probe("kubernetes", resource="deployment/api")).status is Status.CRIT


def container(service: str, state: str = "running", status: str = "Up 2 hours", **labels: str) -> dict[str, Any]:
    return {"State": state, "Status": status, "Labels": {"com.docker.compose.service": service, **labels}}


HEALTHY = container("db", status="Up 2 hours (healthy)")
DONE = container("migrate", "exited", "Exited (0) 3 hours ago")


@pytest.mark.parametrize(
    ("containers", "keys", "status"),
    [
        ([container("api"), HEALTHY], {"services": ["api", "db"]}, Status.OK),
        ([container("api"), HEALTHY], {"file": "compose.yaml"}, Status.OK),
        ([container("api")], {"file": "compose.yaml"}, Status.CRIT),
        ([container("api")], {}, Status.OK),
        ([], {}, Status.CRIT),
        ([], {"gone": True}, Status.OK),
        ([container("api")], {"gone": True}, Status.CRIT),
        ([container("x", **{"com.docker.compose.oneoff": "True"})], {"gone": True}, Status.CRIT),
        ([container("api", "exited", "Exited (1) 2 hours ago")], {}, Status.CRIT),
        ([container("api", status="Up 1 second (health: starting)")], {}, Status.WARN),
        ([container("api", status="Up 1 hour (unhealthy)")], {}, Status.CRIT),
        ([container("api"), container("api", "restarting", "Restarting (1)")], {}, Status.CRIT),
        ([container("api"), DONE], {"services": "api", "done": "migrate"}, Status.OK),
        ([container("api")], {"services": "api", "done": "migrate"}, Status.CRIT),
        ([container("api"), HEALTHY], {"expect": ["len(running) == 2", "unhealthy == []"]}, Status.OK),
        ([container("x", **{"com.docker.compose.oneoff": "True"})], {}, Status.CRIT),
    ],
)
async def test_a_compose_project_is_whole_or_not(
    probe: Probe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    containers: list[dict[str, Any]],
    keys: dict[str, Any],
    status: Status,
) -> None:
    (tmp_path / "compose.yaml").write_text(
        "name: shop\nservices:\n  api: {image: a}\n  db:\n  tools: {profiles: [x]}\n"
    )
    monkeypatch.setattr(compose, "ask_docker", lambda host, seconds, question: containers)
    result = await probe("compose", **{"project": "shop", **keys})
    assert result.status is status, result
