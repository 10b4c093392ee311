"""What a real dockerd tells, and how its containers are seen then."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.support.servers.docker_watch import Watched, target
from tests.support.servers.dockerd import HOST, DockerDaemon

from switchover.errors import RefusedError
from switchover.services.provider_api import Capability, ProcessState
from switchover_checks.api import Status

CHECK = {"test": ["CMD-SHELL", "test ! -e /tmp/bad || { echo port 5432 does not answer; exit 1; }"]}
FAST = {"interval": 50_000_000, "retries": 1, "timeout": 5_000_000_000}


async def test_a_container_is_told_when_it_comes_runs_ends_and_goes(dockerd: DockerDaemon, watched: Watched) -> None:
    one = await asyncio.to_thread(dockerd.run, "sh", "-c", "read x; exit 3", name="job", stdin_open=True)
    told = await watched.until_told("created", "started", ref="job")
    assert [one.listing for one in told] == [True, False]
    seen = await watched.until_seen(target("job"), lambda seen: seen.state is ProcessState.RUNNING)
    assert seen.pid
    assert seen.identity == one.id
    assert seen.memory_bytes
    await asyncio.to_thread(one.kill, "KILL")
    died = (await watched.until_told("died", ref="job"))[0]
    assert (died.text, died.status) == ("exit 137, after SIGKILL was sent to it", Status.CRIT)
    assert died.at is not None
    seen = await watched.until_seen(target("job"), lambda seen: seen.state is ProcessState.STOPPED)
    assert seen.detail == "exited, exit 137 (SIGKILL)"
    await asyncio.to_thread(one.rename, "old-job")
    for name in ("job", "old-job"):
        assert (await watched.until_told("note", ref=name))[0].text == "job is called old-job now"
    await watched.until_seen(target("job"), lambda seen: seen.detail == "no container job")
    await asyncio.to_thread(one.remove)
    assert (await watched.until_told("removed", ref="old-job"))[0].listing


async def test_a_health_check_that_flips_is_told_with_what_it_said(dockerd: DockerDaemon, watched: Watched) -> None:
    one = await asyncio.to_thread(dockerd.run, name="db", healthcheck={**CHECK, **FAST})
    await watched.until_seen(target("db"), lambda seen: seen.health is Status.OK)
    await asyncio.to_thread(one.exec_run, ["touch", "/tmp/bad"])
    seen = await watched.until_seen(target("db"), lambda seen: seen.health is Status.CRIT)
    assert seen.detail.startswith("unhealthy after ")
    assert seen.detail.endswith(": port 5432 does not answer")
    await asyncio.to_thread(one.exec_run, ["rm", "/tmp/bad"])
    await watched.until_seen(target("db"), lambda seen: seen.health is Status.OK)
    assert [told.text for told in watched.told if told.what == "health"] == ["healthy", "unhealthy", "healthy"]
    assert not [told for told in watched.told if "exec" in told.what]


async def test_running_out_of_memory_is_said(dockerd: DockerDaemon, watched: Watched) -> None:
    hungry = "x = bytearray(200_000_000); print(len(x))"
    await asyncio.to_thread(dockerd.run, "python3", "-c", hungry, name="hungry", image=HOST, mem_limit="30m")
    await watched.until_told("oom", ref="hungry")
    seen = await watched.until_seen(target("hungry"), lambda seen: seen.state is ProcessState.STOPPED)
    assert seen.detail == "exited, exit 137, out of memory"


async def test_a_crash_loop_is_said_with_its_exit_code_and_how_often(dockerd: DockerDaemon, watched: Watched) -> None:
    loop = await asyncio.to_thread(dockerd.run, "sh", "-c", "exit 3", name="loop", restart_policy={"Name": "always"})
    wanted = target("loop")
    seen = await watched.until_seen(wanted, lambda seen: seen.detail.startswith("restarting, exit 3, 3 times"))
    assert (seen.state, seen.health, seen.restarts) == (ProcessState.STOPPED, Status.CRIT, 3)
    assert (await watched.provider.act(wanted, Capability.STOP)).startswith("stopped")
    seen = await watched.until_seen(wanted, lambda seen: "exited" in seen.detail)
    assert seen.identity == loop.id


async def test_a_container_that_has_just_been_restarted_is_not_taken_for_well(
    dockerd: DockerDaemon, watched: Watched
) -> None:
    command = ("sh", "-c", "test -e /once && exec sleep 1000; touch /once; exit 4")
    await asyncio.to_thread(dockerd.run, *command, name="again", restart_policy={"Name": "always"})
    seen = await watched.until_seen(target("again"), lambda seen: seen.restarts == 1 and seen.pid is not None)
    assert (seen.health, seen.detail) == (Status.WARN, "restarted once, last exit 4, up for less than 10 s")


async def test_a_paused_container_is_said_and_goes_on_by_start(dockerd: DockerDaemon, watched: Watched) -> None:
    await asyncio.to_thread(dockerd.run, name="halted")
    wanted = target("halted")
    assert await watched.provider.act(wanted, Capability.PAUSE) == "paused"
    await watched.until_told("paused", ref="halted")
    seen = await watched.until_seen(wanted, lambda seen: seen.detail == "paused")
    assert seen.health is Status.CRIT
    assert watched.provider.command_line(wanted, Capability.START)[-2:] == ("unpause", "halted")
    assert await watched.provider.act(wanted, Capability.START) == "goes on"
    await watched.until_seen(wanted, lambda seen: seen.health is Status.OK)


async def test_a_stop_that_pid_1_ignores_takes_its_time_and_says_so(dockerd: DockerDaemon, watched: Watched) -> None:
    api = dockerd.client.api
    await asyncio.to_thread(api.create_container, "local/busybox", ["sleep", "1000"], name="deaf", stop_timeout=1)
    await asyncio.to_thread(api.start, "deaf")
    other = await asyncio.to_thread(dockerd.run, name="other")
    stopping = asyncio.ensure_future(watched.provider.act(target("deaf"), Capability.STOP))
    await asyncio.to_thread(other.kill)
    await watched.until_told("died", ref="other")
    assert not stopping.done()
    assert await stopping == "stopped, exit 137: it did not heed SIGTERM and was killed after 1 s"
    died = (await watched.until_told("died", ref="deaf"))[0]
    assert died.text == "exit 137, after SIGKILL was sent to it"


async def test_what_is_done_to_a_container_is_done_and_what_cannot_be_done_is_said_in_words(
    dockerd: DockerDaemon, watched: Watched
) -> None:
    one = await asyncio.to_thread(dockerd.run, name="web")
    wanted, provider = target("web"), watched.provider
    assert await provider.act(wanted, Capability.STOP) == "stopped by SIGKILL, exit 137"
    assert await provider.act(wanted, Capability.START) == "started"
    before = await watched.until_seen(wanted, lambda seen: seen.pid is not None)
    assert await provider.act(wanted, Capability.RESTART) == "restarted"
    await watched.until_seen(wanted, lambda seen: seen.pid not in (None, before.pid))
    assert await provider.act(wanted, Capability.KILL, "usr1") == "sent SIGUSR1"
    with pytest.raises(RefusedError, match="is no signal"):
        await provider.act(wanted, Capability.KILL, "NOPE")
    assert await provider.act(wanted, Capability.KILL) == "sent SIGKILL"
    await watched.until_seen(wanted, lambda seen: seen.state is ProcessState.STOPPED)
    with pytest.raises(RefusedError, match="Docker refuses to kill web"):
        await provider.act(wanted, Capability.KILL)
    assert await provider.act(wanted, Capability.REMOVE) == "removed"
    with pytest.raises(RefusedError, match="there is no container web any more"):
        await provider.act(wanted, Capability.START)
    assert one.id


async def test_another_container_that_took_the_name_is_left_alone(dockerd: DockerDaemon, watched: Watched) -> None:
    await asyncio.to_thread(dockerd.run, name="web")
    stale = replace(target("web"), identity="0123")
    with pytest.raises(RefusedError, match="another container by now"):
        await watched.provider.act(stale, Capability.KILL)
    assert (await watched.provider.inspect([stale]))["web"].state is ProcessState.RUNNING


async def test_another_image_and_another_configuration_under_the_same_name_are_told_apart(
    dockerd: DockerDaemon, watched: Watched
) -> None:
    wanted = target("app")
    seen = []
    for image, secret in (("local/busybox", "one"), ("local/busybox", "two"), (HOST, "two")):
        one = await asyncio.to_thread(dockerd.run, "sleep", "100", name="app", image=image, environment={"KEY": secret})
        seen.append(await watched.until_seen(wanted, lambda seen, one=one: seen.identity == one.id))  # type: ignore[misc]
        await asyncio.to_thread(one.remove, force=True)
    first, second, third = seen
    assert first.image == second.image != third.image
    assert first.config != second.config
    assert not any("one" in text or "KEY" in text for text in (first.config, first.detail))
