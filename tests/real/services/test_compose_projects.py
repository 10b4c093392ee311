"""Projects that a real docker-compose made."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.support.servers.docker_watch import Watched, watching
from tests.support.servers.dockerd import DockerDaemon

from switchover.errors import RefusedError
from switchover.services.compose.compose_provider import ComposeProvider
from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.provider_api import Capability, LogSource, LogSpan, ProcessState, ServiceTarget
from switchover_checks.api import Status

FILE = """
version: "2.4"
services:
  db:
    image: local/busybox
    command: sleep 1000
    network_mode: none
    stop_signal: SIGKILL
    healthcheck: {test: "test ! -e /tmp/bad", interval: 50ms, retries: 1}
  web:
    image: local/busybox
    command: sleep 1000
    network_mode: none
    stop_signal: SIGKILL
    depends_on: {db: {condition: service_healthy}}
"""


@pytest.fixture
def shop(dockerd: DockerDaemon, tmp_path: Path) -> Path:
    """A project of two services, up; its folder."""
    if not shutil.which("docker-compose"):
        missing("docker-compose (Debian package docker-compose)")
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "docker-compose.yml").write_text(FILE)
    command = ["docker-compose", "--project-name", "shop", "up", "--detach"]
    subprocess.run(command, cwd=folder, env=dockerd.environment, check=True, capture_output=True)
    return folder


@pytest.fixture
async def compose(shop: Path) -> AsyncIterator[Watched]:
    docker = DockerProvider()
    async with watching(ComposeProvider(docker)) as one:
        yield one
    await docker.aclose()


def target(service: str = "") -> ServiceTarget:
    ref = f"shop/{service}" if service else "shop"
    return ServiceTarget(ref, "compose", ref, project="shop", service=service)


async def test_a_project_is_found_with_its_containers_in_its_group_none_of_them_twice(compose: Watched) -> None:
    (project,) = await compose.provider.discover()
    assert (project.target.name, project.title, project.group) == ("compose:shop", "shop", "shop")
    assert (project.observation.ready, project.observation.wanted, project.observation.state) == (
        2,
        2,
        ProcessState.RUNNING,
    )
    docker = DockerProvider()
    containers = await docker.discover()
    assert sorted((one.title, one.group) for one in containers) == [("db_1", "shop"), ("web_1", "shop")]
    await docker.aclose()


async def test_a_service_is_what_its_containers_are_and_is_told_when_they_change(
    dockerd: DockerDaemon, compose: Watched
) -> None:
    web, db, project = target("web"), target("db"), target()
    seen = await compose.until_seen(web, lambda seen: seen.health is Status.OK and bool(seen.memory_bytes))
    assert (seen.ready, seen.wanted, seen.restarts) == (1, 1, 0)
    compose.told.clear()
    one = dockerd.client.containers.get("shop_db_1")
    await asyncio.to_thread(one.exec_run, ["touch", "/tmp/bad"])
    await compose.until_told("note", ref="shop/db")
    await compose.until_told("note", ref="shop")
    seen = await compose.until_seen(db, lambda seen: seen.health is Status.CRIT)
    assert (seen.ready, seen.wanted) == (0, 1)
    assert seen.detail.startswith("0 of 1 ready; db_1 unhealthy after")
    assert (await compose.until_seen(project, lambda seen: seen.health is Status.CRIT)).ready == 1
    seen = (await compose.provider.inspect([target("nothing")]))["shop/nothing"]
    assert (seen.state, seen.detail) == (ProcessState.STOPPED, "no container of shop nothing")


async def test_a_service_is_scaled_up_and_down_by_the_compose_command(compose: Watched, shop: Path) -> None:
    web = target("web")
    before = await compose.until_seen(web, lambda seen: seen.wanted == 1)
    assert Capability.SCALE in before.can
    assert await compose.provider.act(web, Capability.SCALE, "3") == "scaled to 3"
    seen = await compose.until_seen(web, lambda seen: seen.ready == 3)
    assert (seen.wanted, seen.identity) == (3, before.identity)
    command = compose.provider.command_line(web, Capability.SCALE, "1")
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    await compose.until_seen(web, lambda seen: seen.ready == seen.wanted == 1)
    for wrong in ("-1", "many", "1000"):
        with pytest.raises(RefusedError, match="is no number of containers"):
            await compose.provider.act(web, Capability.SCALE, wrong)
    (shop / "docker-compose.yml").unlink()
    with pytest.raises(RefusedError, match="the files of the project are not on this host"):
        await compose.provider.act(web, Capability.SCALE, "2")


async def test_a_project_is_stopped_started_restarted_and_taken_down_as_a_whole(
    dockerd: DockerDaemon, compose: Watched
) -> None:
    project = target()
    assert await compose.provider.act(project, Capability.STOP) == "stopped 2 containers"
    seen = await compose.until_seen(project, lambda seen: seen.state is ProcessState.STOPPED)
    assert seen.ready == 0
    assert Capability.START in seen.can
    assert Capability.STOP not in seen.can
    assert await compose.provider.act(project, Capability.START) == "started 2 containers"
    seen = await compose.until_seen(project, lambda seen: seen.health is Status.OK)
    assert await compose.provider.act(target("db"), Capability.RESTART) == "restarted 1 container"
    with pytest.raises(RefusedError, match="made anew"):
        await compose.provider.act(replace(project, identity="0123"), Capability.STOP)
    assert await compose.provider.act(replace(project, identity=seen.identity), Capability.REMOVE) == (
        "removed 2 containers"
    )
    assert await compose.provider.discover() == []
    with pytest.raises(RefusedError, match="there is no container of shop any more"):
        await compose.provider.act(project, Capability.START)


async def test_the_log_and_the_shell_of_a_service_are_those_of_its_containers(compose: Watched) -> None:
    provider = compose.provider
    assert isinstance(provider, ComposeProvider)
    await compose.until_seen(target("web"), lambda seen: seen.ready == 1)
    sources = await provider.log_sources(target(), LogSpan())
    assert sources == [
        LogSource("db_1", "docker", ref="shop_db_1"),
        LogSource("web_1", "docker", ref="shop_web_1"),
    ]
    assert await provider.log_source(target("web"), LogSpan()) == LogSource("web_1", "docker", ref="shop_web_1")
    shell = provider.shell(target("web"))
    assert shell[:6] == ("docker", "--host", os.environ["DOCKER_HOST"], "exec", "-it", "shop_web_1")
    assert provider.shell(target("nothing")) == "no container of shop/nothing runs"


async def test_what_is_shown_as_the_command_does_what_was_shown(compose: Watched, dockerd: DockerDaemon) -> None:
    await compose.until_seen(target("web"), lambda seen: seen.ready == 1)
    for action, ready in ((Capability.STOP, 0), (Capability.START, 1), (Capability.RESTART, 1)):
        command = compose.provider.command_line(target("web"), action)
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, env=dockerd.environment)
        await compose.until_seen(target("web"), lambda seen, ready=ready: seen.ready == ready)  # type: ignore[misc]
