from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import pytest
from tests.unit.services.docker.docker_answers import StandInApi, attributes, connecting

from switchover.services.compose.compose_cli import compose_program
from switchover.services.docker.docker_actions import act_on
from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.provider_api import Capability, ProcessState, ServiceTarget
from switchover_checks.api import Status


def target(container: str, host: str = "") -> ServiceTarget:
    return ServiceTarget(container, "docker", container, container=container, docker_host=host)


async def test_containers_are_found_by_name_and_missing_ones_are_stopped() -> None:
    client = StandInApi(attributes(name="postgres"))
    provider = DockerProvider(connecting(client))
    seen = await provider.inspect([target("postgres"), target("es")])
    assert seen["postgres"].state is ProcessState.RUNNING
    assert (seen["es"].state, seen["es"].detail) == (ProcessState.STOPPED, "no container es")
    assert provider.off() == ""
    await provider.aclose()
    assert client.closed


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (FileNotFoundError(2, "No such file or directory"), "no Docker daemon here (its socket is not there)"),
        (
            PermissionError(13, "Permission denied"),
            "the Docker socket here may not be opened by this user; join the docker group",
        ),
        (
            ConnectionRefusedError(111, "Connection refused"),
            "the Docker daemon here does not answer (connection refused)",
        ),
        (TimeoutError(), "Docker here: it takes connections and does not answer"),
    ],
)
async def test_without_a_daemon_containers_are_unknown_and_the_source_says_why_it_is_off(
    error: Exception, why: str
) -> None:
    provider = DockerProvider(connecting(error))
    seen = (await provider.inspect([target("postgres")]))["postgres"]
    assert (seen.state, seen.health, seen.detail) == (ProcessState.UNKNOWN, Status.UNKNOWN, why)
    assert provider.off() == why
    assert await provider.discover() == []


async def test_a_daemon_that_comes_back_is_used_again() -> None:
    provider = DockerProvider(
        connecting(ConnectionRefusedError(111, "Connection refused"), StandInApi(attributes(name="postgres")))
    )
    assert (await provider.inspect([target("postgres")]))["postgres"].state is ProcessState.UNKNOWN
    assert "does not answer" in provider.off()
    assert (await provider.inspect([target("postgres")]))["postgres"].state is ProcessState.RUNNING
    assert provider.off() == ""


async def test_a_daemon_that_hangs_holds_up_nobody_once_it_is_known_to() -> None:
    release = threading.Event()
    client = StandInApi(attributes(name="near"))
    attempts: list[str] = []

    def connect(host: str, quiet: float | None) -> Any:
        if host:
            attempts.append(host)
            release.wait(30)
            raise ConnectionRefusedError(111, "x")
        return client

    provider = DockerProvider(connect)
    away = provider.fleet.daemon("ssh://far")
    away.off = "Docker at ssh://far: it takes connections and does not answer"
    away.asked = True
    for _ in range(3):
        seen = await provider.inspect([target("far", "ssh://far"), target("near")])
        assert (seen["far"].state, seen["near"].state) == (ProcessState.UNKNOWN, ProcessState.RUNNING)
    assert provider.off() == away.off
    assert attempts == ["ssh://far"]
    assert len(asyncio.all_tasks()) == 2  # this one and the attempt: nobody queues up behind it
    release.set()


async def test_details_are_read_again_when_the_list_says_otherwise_though_no_event_came() -> None:
    client = StandInApi(attributes(name="pg"))
    provider = DockerProvider(connecting(client))
    daemon = provider.fleet.daemon("")
    daemon.live = True
    await provider.inspect([target("pg")])
    client.known["pg"] = attributes("exited", name="pg", ExitCode=1)
    assert (await provider.inspect([target("pg")]))["pg"].state is ProcessState.RUNNING  # nothing was told
    await daemon.listed()
    assert (await provider.inspect([target("pg")]))["pg"].state is ProcessState.STOPPED


async def test_what_was_read_while_an_event_came_is_read_again() -> None:
    daemon = DockerProvider(connecting(StandInApi(attributes(name="pg")))).fleet.daemon("")
    daemon.live = True
    reading = asyncio.ensure_future(daemon.details(["pg"]))
    await asyncio.sleep(0)
    daemon.changed("pg-id", "pg")
    await reading
    assert daemon.known("pg") is None
    await daemon.details(["pg"])
    assert daemon.known("pg") is not None


async def test_what_nobody_planned_and_ended_well_is_no_fault_but_what_the_plan_names_is() -> None:
    provider = DockerProvider(connecting(StandInApi(attributes("exited", name="job", ExitCode=0))))
    by_itself = ServiceTarget("docker:job", "docker", "job", container="job")
    seen = await provider.inspect([by_itself, target("job")])
    assert (seen["docker:job"].health, seen["job"].health) == (Status.SKIPPED, Status.CRIT)


@pytest.mark.parametrize(
    ("code", "oom", "health"),
    [
        (143, False, Status.SKIPPED),
        (130, False, Status.SKIPPED),
        (137, False, Status.WARN),
        (137, True, Status.CRIT),
        (3, False, Status.CRIT),
    ],
)
async def test_a_container_that_nobody_planned_may_have_been_told_to_stop(code: int, oom: bool, health: Status) -> None:
    provider = DockerProvider(connecting(StandInApi(attributes("exited", name="job", ExitCode=code, OOMKilled=oom))))
    by_itself = ServiceTarget("docker:job", "docker", "job", container="job")
    seen = await provider.inspect([by_itself, target("job")])
    assert (seen["docker:job"].health, seen["job"].health) == (health, Status.CRIT)


async def test_actions_are_said_as_the_commands_that_a_person_would_type(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    provider = DockerProvider(connecting())
    shop, far = target("shop"), target("shop", "ssh://ops@far")
    assert provider.command_line(shop, Capability.RESTART) == ("docker", "restart", "shop")
    assert provider.command_line(far, Capability.STOP) == ("docker", "--host", "ssh://ops@far", "stop", "shop")
    assert provider.command_line(shop, Capability.KILL, "HUP") == ("docker", "kill", "--signal", "HUP", "shop")
    assert provider.command_line(shop, Capability.REMOVE) == ("docker", "rm", "--force", "shop")
    assert provider.command_line(shop, Capability.SCALE) == ()


async def test_a_command_for_any_terminal_leads_to_the_daemon_that_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = DockerProvider(connecting())
    monkeypatch.setenv("DOCKER_CONTEXT", "far")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert provider.command_line(target("shop"), Capability.STOP) == ("docker", "--context", "far", "stop", "shop")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/other.sock")
    host = ("docker", "--host", "unix:///run/other.sock")
    assert provider.command_line(target("shop"), Capability.STOP) == (*host, "stop", "shop")
    assert provider.command_line(target("shop", "ssh://far"), Capability.STOP)[2] == "ssh://far"
    assert compose_program("", {**os.environ, "HOME": "/nowhere"})[1:3] == host[1:]


class Renamed:
    """An API whose container gives its name to another between the look and the deed."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []

    def inspect_container(self, name: str) -> dict[str, Any]:
        return {"Id": "a1" if not self.done else "b2", "Name": f"/{name}", "State": {"Status": "running"}}

    def __getattr__(self, name: str) -> Any:
        return lambda container, *_, **__: self.done.append((name, container))


@pytest.mark.parametrize("action", [Capability.STOP, Capability.RESTART, Capability.KILL, Capability.REMOVE])
def test_what_is_done_is_done_to_the_container_that_was_looked_at_whoever_has_its_name_then(action: Capability) -> None:
    api = Renamed()
    act_on(api, "shop", action, identity="a1")
    assert {container for _, container in api.done} == {"a1"}
