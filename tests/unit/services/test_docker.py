from __future__ import annotations

from typing import Any

import pytest

from switchover.services.api import RunState, Target
from switchover.services.docker import DockerProvider, seen_from_attributes
from switchover_checks.api import Status


class FakeContainer:
    def __init__(self, attrs: dict[str, Any]) -> None:
        self.attrs = attrs


class FakeDocker:
    """The part of the SDK's client that is used."""

    def __init__(self, **containers: dict[str, Any]) -> None:
        self.known = containers
        self.containers = self
        self.closed = False

    def get(self, name: str) -> FakeContainer:
        from docker.errors import NotFound

        if name not in self.known:
            raise NotFound(f"no such container {name}")
        return FakeContainer(self.known[name])

    def close(self) -> None:
        self.closed = True


def container(status: str, **state: Any) -> dict[str, Any]:
    return {"Id": "abc", "RestartCount": 2, "State": {"Status": status, **state}}


@pytest.mark.parametrize(
    ("health", "status"),
    [(None, Status.OK), ("healthy", Status.OK), ("starting", Status.PENDING), ("unhealthy", Status.CRIT)],
)
def test_a_running_container_is_as_healthy_as_it_says(health: str | None, status: Status) -> None:
    state = {"Pid": 42, "StartedAt": "2026-01-31T14:02:31.042123456Z"}
    seen = seen_from_attributes(container("running", **state, **({"Health": {"Status": health}} if health else {})))
    assert (seen.state, seen.health, seen.pid, seen.restarts) == (RunState.RUNNING, status, 42, 2)
    assert seen.started_at == 1769868151.0


def test_a_container_that_ended_says_how() -> None:
    seen = seen_from_attributes(container("exited", ExitCode=137, OOMKilled=True))
    assert (seen.state, seen.health) == (RunState.STOPPED, Status.CRIT)
    assert seen.detail == "exited, exit 137, out of memory"


@pytest.mark.parametrize("status", ["paused", "restarting", "something new"])
def test_what_neither_runs_nor_has_ended_is_unknown(status: str) -> None:
    assert seen_from_attributes(container(status)).state is RunState.UNKNOWN


async def test_containers_are_found_by_name_and_missing_ones_are_stopped() -> None:
    client = FakeDocker(postgres=container("running"))
    provider = DockerProvider(lambda: client)
    seen = await provider.inspect(
        [Target("pg", "docker", container="postgres"), Target("es", "docker", container="es")]
    )
    assert seen["pg"].state is RunState.RUNNING
    assert (seen["es"].state, seen["es"].detail) == (RunState.STOPPED, "no container es")
    assert provider.off() == ""
    await provider.aclose()
    assert client.closed


async def test_without_a_daemon_containers_are_unknown_and_the_source_says_why_it_is_off() -> None:
    def connect() -> Any:
        raise FileNotFoundError(2, "No such file or directory")

    provider = DockerProvider(connect)
    seen = await provider.inspect([Target("pg", "docker", container="postgres")])
    assert (seen["pg"].state, seen["pg"].health) == (RunState.UNKNOWN, Status.UNKNOWN)
    assert provider.off() == "no Docker daemon here (its socket is not there)"


async def test_a_daemon_that_comes_back_is_used_again() -> None:
    clients: list[FakeDocker | None] = [None, FakeDocker(postgres=container("running"))]

    def connect() -> Any:
        client = clients.pop(0)
        if client is None:
            raise ConnectionRefusedError(111, "Connection refused")
        return client

    provider = DockerProvider(connect)
    target = Target("pg", "docker", container="postgres")
    assert (await provider.inspect([target]))["pg"].state is RunState.UNKNOWN
    assert "does not answer" in provider.off()
    assert (await provider.inspect([target]))["pg"].state is RunState.RUNNING
    assert provider.off() == ""
