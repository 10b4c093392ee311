"""The `docker` kind against a stand-in for the daemon, on a unix socket.

It answers `/version` and `/containers/NAME/json`; the answers have the form of Docker Engine 20.10 (API 1.41).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

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
