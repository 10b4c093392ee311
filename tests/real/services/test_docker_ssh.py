"""A daemon behind a real sshd, through the operator's own ssh and its configuration."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.conftest import missing
from tests.support.servers.docker_watch import Watched, target, watching
from tests.support.servers.dockerd import DockerDaemon
from tests.support.servers.sshd import run_sshd

from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.provider_api import Capability, ProcessState


@dataclass
class Far:
    """A host named `far` in the operator's ssh configuration, where the docker command finds the daemon."""

    folder: Path
    url: str = "ssh://far"


@pytest.fixture
def far(dockerd: DockerDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    for program, package in (("ssh", "openssh-client"), ("docker", "docker.io")):
        if not shutil.which(program):
            missing(f"{program} (Debian package {package})")
    with run_sshd(tmp_path, environment={"DOCKER_HOST": dockerd.url}) as server:
        # ssh reads its configuration from the home of the account; this one is put before it.
        programs = tmp_path / "bin"
        programs.mkdir()
        ssh = shutil.which("ssh")
        (programs / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -F {tmp_path}/client "$@"\n')
        (programs / "ssh").chmod(0o755)
        (tmp_path / "client").write_text(server.client_configuration("far"))
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.delenv("DOCKER_HOST")
        yield Far(tmp_path)


def ssh_processes() -> list[psutil.Process]:
    me = psutil.Process()
    return [one for one in me.children() if one.name() == "ssh" and one.status() != psutil.STATUS_ZOMBIE]


async def test_containers_behind_ssh_are_listed_followed_and_acted_on(far: Far, dockerd: DockerDaemon) -> None:
    provider = DockerProvider()
    wanted = target("web", far.url)
    provider.fleet.daemon(far.url)
    async with watching(provider) as watched:
        await asyncio.to_thread(dockerd.run, name="web")
        assert (await watched.until_told("started", ref="ssh://far/web"))[0].at is not None
        seen = await watched.until_seen(wanted, lambda seen: seen.state is ProcessState.RUNNING)
        assert seen.pid
        assert {one.target.ref for one in await provider.discover()} == {"ssh://far/web"}
        assert await provider.act(wanted, Capability.STOP) == "stopped by SIGKILL, exit 137"
        await watched.until_told("died", ref="ssh://far/web")
        await watched.until_seen(wanted, lambda seen: seen.state is ProcessState.STOPPED)
    async with asyncio.timeout(10):
        while ssh_processes():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_docker_host_may_name_a_host_behind_ssh(
    far: Far, dockerd: DockerDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(dockerd.run, name="web")
    monkeypatch.setenv("DOCKER_HOST", far.url)
    provider = DockerProvider()
    assert [one.title for one in await provider.discover()] == ["web"]
    await provider.aclose()


async def test_why_ssh_cannot_get_through_is_said_in_its_own_words(far: Far) -> None:
    configuration = far.folder / "client"
    whole = configuration.read_text()
    provider = DockerProvider()
    nowhere = target("web", "ssh://nowhere.invalid")
    assert "ssh says: ssh: Could not resolve hostname" in (await provider.inspect([nowhere]))["web"].detail
    configuration.write_text(whole.replace("IdentityFile", "IdentityFile /nonexistent #"))
    wanted = target("web", far.url)
    detail = (await provider.inspect([wanted]))["web"].detail
    assert detail.startswith("Docker at ssh://far: ssh says: ")
    assert "Permission denied (publickey" in detail
    configuration.write_text(whole.replace("UserKnownHostsFile", "UserKnownHostsFile /nonexistent #"))
    said = "Host key verification failed; log in there once by hand, so that its key is known"
    await Watched(provider).until_seen(wanted, lambda seen: said in seen.detail)
    configuration.write_text(whole)
    await Watched(provider).until_seen(wanted, lambda seen: seen.detail == "no container web")
    assert "nowhere.invalid" in provider.off()
    await provider.aclose()


async def test_a_link_that_is_cut_is_made_again(far: Far, dockerd: DockerDaemon) -> None:
    provider = DockerProvider()
    wanted = target("web", far.url)
    await asyncio.to_thread(dockerd.run, name="web")
    provider.fleet.daemon(far.url)
    async with watching(provider) as watched:
        await watched.until_seen(wanted, lambda seen: seen.state is ProcessState.RUNNING)
        for one in ssh_processes():
            one.kill()
        await watched.until_told("gone", "note")
        await asyncio.to_thread(dockerd.client.containers.get("web").kill)
        await watched.until_told("died", ref="ssh://far/web")
        await watched.until_seen(wanted, lambda seen: seen.state is ProcessState.STOPPED)


def test_an_address_that_names_no_host_is_refused_and_none_becomes_an_option() -> None:
    from switchover_checks.runtime.docker.docker_ssh import SshDestination

    argv = SshDestination.parse("ssh://ops@db.example:2222").argv()
    assert argv[argv.index("-l") :] == ["-l", "ops", "-p", "2222", "--", "db.example", "docker", "system", "dial-stdio"]
    for wrong in ("ssh://", "ssh://-oProxyCommand=true"):
        with pytest.raises(ValueError, match="names no host"):
            SshDestination.parse(wrong)
    code = "import switchover_checks.runtime.docker.docker_hosts, sys; print('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout == b"False\n"
