"""The `docker` kind against a real daemon, and against a stand-in for one that answers what a real one seldom does.

The stand-in listens on a unix socket and answers `/version` and `/containers/NAME/json`; the answers have the form of
Docker Engine 20.10 (API 1.41).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.servers.dockerd import DockerDaemon, until

from switchover_checks.api import Result, Status

Run = Callable[..., Awaitable[Result]]


def container(status: str = "running", restarts: int = 0, **state: Any) -> dict[str, Any]:
    return {
        "Id": "4f66",
        "Name": "/postgres",
        "RestartCount": restarts,
        "State": {
            "Status": status,
            "ExitCode": 0,
            "OOMKilled": False,
            "StartedAt": "2024-01-31T10:00:00.123456789Z",
            **state,
        },
        "Config": {"Image": "postgres:15", "Labels": {"app": "shop"}},
    }


CONTAINERS = {
    "fine": container(),
    "healthy": container(Health={"Status": "healthy", "Log": []}),
    "starting": container(Health={"Status": "starting", "Log": []}),
    "sick": container(Health={"Status": "unhealthy", "Log": [{"ExitCode": 1, "Output": "no answer on 5432\n"}]}),
    "restarting": container("restarting", restarts=7, ExitCode=1),
    "ended": container("exited", ExitCode=137, OOMKilled=True),
    "nonsense": {"hello": "world"},
}


class StandInDaemon:
    """Answers as dockerd does, over a unix socket, one request a connection."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
        except asyncio.IncompleteReadError:
            writer.close()
            return
        status, data = self.answer(path)
        body = json.dumps(data).encode()
        lines = [
            f"HTTP/1.1 {status}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        writer.close()

    def answer(self, path: str) -> tuple[str, Any]:
        parts = path.strip("/").split("/")
        if parts == ["version"]:
            return "200 OK", {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}
        if parts[:2] == ["v1.41", "containers"] and parts[-1] == "json":
            name = parts[2]
            if name == "forbidden":
                return "403 Forbidden", {"message": "authorization denied by plugin"}
            if name in CONTAINERS:
                return "200 OK", CONTAINERS[name]
            return "404 Not Found", {"message": f"No such container: {name}"}
        return "404 Not Found", {"message": "page not found"}


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[str]:
    path = tmp_path / "docker.sock"
    server = await asyncio.start_unix_server(StandInDaemon().serve, str(path))
    yield f"unix://{path}"
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("fine", Status.OK),
        ("healthy", Status.OK),
        ("starting", Status.WARN),
        ("sick", Status.CRIT),
        ("restarting", Status.CRIT),
        ("ended", Status.CRIT),
        ("gone", Status.CRIT),
        ("nonsense", Status.UNKNOWN),
        ("forbidden", Status.UNKNOWN),
    ],
)
async def test_a_container_is_judged_by_its_state_and_health(run: Run, host: str, name: str, status: Status) -> None:
    result = await run("docker", container=name, host=host)
    assert result.status is status, result
    assert all(f.expected and f.observed for f in result.findings)


async def test_an_unhealthy_container_shows_what_its_health_check_said(run: Run, host: str) -> None:
    assert "no answer on 5432" in (await run("docker", container="sick", host=host)).summary


async def test_expectations_see_state_restarts_and_labels(run: Run, host: str) -> None:
    expect = ["state == 'running'", "restarts == 0", "labels.app == 'shop'", "uptime > 1h", "image contains 'postgres'"]
    assert (await run("docker", container="fine", host=host, expect=expect)).status is Status.OK
    assert (await run("docker", container="restarting", host=host, expect="restarts < 3")).status is Status.CRIT
    assert (
        await run("docker", container="ended", host=host, expect=["state == 'exited'", "oom_killed"])
    ).status is Status.OK


async def test_a_health_check_that_is_not_there_is_not_healthy(run: Run, host: str) -> None:
    result = await run("docker", container="fine", host=host, expect="health == 'healthy'")
    assert result.status is Status.UNKNOWN


async def test_an_unhealthy_container_is_not_overlooked_by_other_expectations(run: Run, host: str) -> None:
    assert (await run("docker", container="sick", host=host, expect="restarts == 0")).status is Status.CRIT


async def test_without_a_daemon_the_state_is_unknown_and_the_reason_told(run: Run, tmp_path: Path) -> None:
    result = await run("docker", container="x", host=f"unix://{tmp_path}/none.sock")
    assert (result.status, result.phase) == (Status.UNKNOWN, "connect")
    assert "no Docker daemon answers" in result.summary
    (tmp_path / "stale.sock").touch()
    assert (await run("docker", container="x", host=f"unix://{tmp_path}/stale.sock")).status is Status.UNKNOWN


async def test_a_real_daemon_says_state_health_restarts_and_memory(run: Run, containers: DockerDaemon) -> None:
    bad = {"test": ["CMD-SHELL", "echo no answer on 5432; exit 1"], "interval": 50_000_000, "retries": 1}

    def start() -> None:
        containers.run(name="fine")
        containers.run(name="sick", healthcheck=bad)
        containers.run("sh", "-c", "exit 3", name="loop", restart_policy={"Name": "on-failure", "MaximumRetryCount": 2})
        containers.run("sh", "-c", "exit 0", name="done")
        until(lambda: containers.client.containers.get("sick").health == "unhealthy", "sick is unhealthy")
        for name in ("loop", "done"):
            until(lambda name=name: containers.client.containers.get(name).status == "exited", f"{name} ended")  # type: ignore[misc]

    await asyncio.to_thread(start)

    async def status(name: str, *expect: str) -> Status:
        return (await run("docker", container=name, host=containers.url, expect=expect)).status

    assert await status("fine") is Status.OK
    assert await status("fine", "restarts == 0", "uptime < 5m", "image contains 'busybox'") is Status.OK
    assert "no answer on 5432" in (await run("docker", container="sick", host=containers.url)).summary
    assert await status("loop", "state == 'exited'", "restarts == 2", "exit == 3") is Status.OK
    assert await status("loop") is Status.CRIT
    assert await status("done", "state == 'exited'", "exit == 0", "oom_killed == false") is Status.OK
    assert await status("nobody") is Status.CRIT


async def test_a_daemon_that_hangs_is_unknown_in_time(run: Run, containers: DockerDaemon) -> None:
    containers.freeze()
    try:
        result = await run("docker", timeout_s=1.0, container="fine", host=containers.url)
    finally:
        containers.thaw()
    assert result.status is Status.UNKNOWN


async def test_without_an_address_the_environment_names_the_daemon(
    run: Run, containers: DockerDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(containers.run, name="fine")
    monkeypatch.setenv("DOCKER_HOST", containers.url)
    assert (await run("docker", container="fine")).status is Status.OK
    monkeypatch.setenv("DOCKER_HOST", "ssh://")
    result = await run("docker", container="fine")
    assert result.status is Status.UNKNOWN
    assert "names no host" in result.summary
