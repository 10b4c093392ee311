"""A real dockerd that goes away, hangs, is far away, or has many containers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.servers.docker_watch import Watched, target, watching
from tests.support.servers.dockerd import DockerDaemon, run_dockerd

from switchover.services.docker.docker_daemon import connect_to
from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.docker.docker_stats import CgroupStats
from switchover.services.provider_api import ProcessState
from switchover_checks.api import Status


@pytest.fixture(scope="module")
def other_daemon() -> Iterator[DockerDaemon]:
    """A second daemon, which tests may stop and halt."""
    with run_dockerd() as daemon:
        yield daemon


async def test_a_daemon_that_is_restarted_is_found_again_by_itself(other_daemon: DockerDaemon) -> None:
    kept = target("kept", other_daemon.url)
    await asyncio.to_thread(other_daemon.run, name="kept", restart_policy={"Name": "always"})
    provider = DockerProvider()
    provider.fleet.daemon(other_daemon.url)
    async with watching(provider) as watched:
        await watched.until_seen(kept, lambda seen: seen.state is ProcessState.RUNNING)
        await asyncio.to_thread(other_daemon.stop)
        await watched.until_told("gone")
        seen = await watched.until_seen(kept, lambda seen: seen.state is ProcessState.UNKNOWN)
        assert "Docker daemon" in seen.detail
        assert other_daemon.url in provider.off()
        await asyncio.to_thread(other_daemon.start)
        back = await watched.until_told("gone", "note")
        assert (back[1].text, back[1].listing) == ("the Docker daemon answers again", True)
        await watched.until_seen(kept, lambda seen: seen.state is ProcessState.RUNNING)
        assert provider.off() == ""
        one = other_daemon.client.containers.get("kept")
        await asyncio.to_thread(one.kill)
        assert (await watched.until_told("died", ref=kept.ref))[-1].ref == f"{other_daemon.url}/kept"
        await asyncio.to_thread(one.remove, force=True)


async def test_a_daemon_that_hangs_is_said_to_and_holds_up_no_other(
    dockerd: DockerDaemon, other_daemon: DockerDaemon
) -> None:
    await asyncio.to_thread(other_daemon.run, name="far")
    await asyncio.to_thread(dockerd.run, name="near")
    far, near = target("far", other_daemon.url), target("near")
    provider = DockerProvider()
    provider.fleet.alive_s = 0.2
    provider.fleet.daemon(other_daemon.url)
    async with watching(provider) as watched:
        await watched.until_links(2)
        await watched.until_seen(far, lambda seen: seen.state is ProcessState.RUNNING)
        other_daemon.freeze()
        try:
            (gone,) = await watched.until_told("gone")
            assert gone.text == f"Docker at {other_daemon.url}: it takes connections and does not answer"
            seen = await watched.until_seen(far, lambda seen: seen.state is ProcessState.UNKNOWN)
            assert seen.detail == f"Docker at {other_daemon.url}: it takes connections and does not answer"
            async with asyncio.timeout(3):  # without that, ten looks would take as many times five seconds
                for _ in range(10):
                    both = await provider.inspect([far, near])
                    assert both["near"].state is ProcessState.RUNNING
                    assert both["far"].state is ProcessState.UNKNOWN
        finally:
            other_daemon.thaw()
        await watched.until_told("gone", "note")
        await watched.until_seen(far, lambda seen: seen.state is ProcessState.RUNNING)
        assert provider.off() == ""
    await asyncio.to_thread(other_daemon.remove_all)


class Counting:
    """A `connect` whose clients count what is asked of the daemon."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, host: str, quiet: float | None) -> Any:
        client = connect_to(host, quiet)
        get = client.get

        def counted(url: str, **known: Any) -> Any:
            with self._lock:
                self.asked.append(url.partition("/v1.41")[2])
            return get(url, **known)

        client.get = counted
        return client


async def test_many_containers_are_listed_with_one_call_and_read_in_full_once(dockerd: DockerDaemon) -> None:
    def make(number: int) -> None:
        container = dockerd.client.api.create_container("local/busybox", ["true"], name=f"many-{number}")
        if number % 10 == 0:
            dockerd.client.api.start(container["Id"])
            dockerd.client.api.wait(container["Id"])

    for number in range(60):
        await asyncio.to_thread(make, number)
    connect = Counting()
    alone = DockerProvider(connect)
    found = await alone.discover()
    await alone.aclose()
    assert len(found) == 60
    assert connect.asked == ["/containers/json"]
    first = next(one for one in found if one.title == "many-0")
    assert (first.observation.detail, first.observation.health) == ("exited, exit 0", Status.SKIPPED)

    connect = Counting()
    async with watching(DockerProvider(connect)) as watched:
        await watched.provider.discover()
        await watched.until_links(2)  # what the list does not say has been read
        found = await watched.provider.discover()
        assert all(one.observation.config for one in found)
        connect.asked.clear()
        for _ in range(5):
            await watched.provider.inspect([one.target for one in found])
        assert set(connect.asked) <= {"/_ping"}


async def test_the_context_in_use_and_that_of_the_environment_name_the_daemon(
    dockerd: DockerDaemon, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    def add(name: str, host: str) -> None:
        folder = tmp_path / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        folder.mkdir(parents=True)
        meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
        (folder / "meta.json").write_text(json.dumps(meta))

    add("near", dockerd.url)
    add("away", "unix:///nonexistent/d.sock")
    (tmp_path / "config.json").write_text('{"currentContext": "near"}')
    await asyncio.to_thread(dockerd.run, name="here")
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name, found, why in (
        ("", 1, ""),
        ("near", 1, ""),
        ("away", 0, "its socket is not there"),
        ("lost", 0, "there is no docker context lost; docker context ls shows those there are"),
    ):
        monkeypatch.setenv("DOCKER_CONTEXT", name)
        provider = DockerProvider()
        assert len(await provider.discover()) == found
        assert why in provider.off()
        assert bool(provider.off()) == bool(why)
        await provider.aclose()


async def test_a_daemon_that_never_answered_is_no_news(monkeypatch: pytest.MonkeyPatch, dockerd: DockerDaemon) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/d.sock")
    provider = DockerProvider()
    provider.fleet.daemon(dockerd.url)
    async with watching(provider) as watched:
        await asyncio.to_thread(dockerd.run, name="one")
        await watched.until_told("started", ref=f"{dockerd.url}/one")
        assert not [told for told in watched.told if told.what == "gone"]
        assert provider.off() == ""  # nobody has asked the usual daemon anything


async def test_memory_and_cpu_of_what_runs_are_known_where_its_files_are_and_where_not(
    dockerd: DockerDaemon, tmp_path: Path
) -> None:
    await asyncio.to_thread(dockerd.run, "sh", "-c", "while :; do :; done", name="busy")
    wanted = target("busy")

    for away in (False, True):
        provider = DockerProvider()
        if away:
            provider._cgroups = CgroupStats(proc=tmp_path)
        async with watching(provider) as watched:
            await watched.until_seen(wanted, lambda seen: (seen.cpu_percent or 0) > 1 and bool(seen.memory_bytes))


async def test_a_container_without_a_log_says_so_and_a_terminal_is_marked(
    dockerd: DockerDaemon, watched: Watched
) -> None:
    from switchover.services.provider_api import LogSource, LogSpan

    def run() -> None:
        dockerd.run(name="plain")
        dockerd.run(name="terminal", tty=True)
        dockerd.run(name="silent", log_config={"Type": "none"})

    await asyncio.to_thread(run)
    provider, span = watched.provider, LogSpan()
    assert await provider.log_source(target("plain"), span) == LogSource("plain", "docker", ref="plain")
    terminal = await provider.log_source(target("terminal"), span)
    assert isinstance(terminal, LogSource)
    assert terminal.options == {"tty": "true"}
    assert await provider.log_source(target("silent"), span) == "silent keeps no log (its log driver is none)"
    assert await provider.log_source(target("nobody"), span) == "there is no container nobody"
