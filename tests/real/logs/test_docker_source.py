"""Logs of containers of a real daemon."""

from __future__ import annotations

import asyncio

from tests.support.log_sources import Gathered, reading
from tests.support.servers.dockerd import DockerDaemon

from switchover.logs.sources.docker_source import open_source
from switchover.logs.sources.source_api import LogTimeSpan, SourceSpec

COUNT = 'n=0; while [ $n -lt {count} ]; do echo "line $n"; n=$((n+1)); {pause}; done; {after}'


def counting(count: int, pause: str = ":", after: str = "sleep 1000") -> tuple[str, str, str]:
    return ("sh", "-c", COUNT.format(count=count, pause=pause, after=after))


def spec(name: str, daemon: DockerDaemon) -> SourceSpec:
    return SourceSpec(name, "docker", ref=name, docker_host=daemon.url)


def numbers(feed: Gathered) -> list[int]:
    return [int(text.split()[1]) for text in feed.texts if text.startswith("line")]


async def test_the_last_lines_of_a_container_and_what_comes(containers: DockerDaemon) -> None:
    containers.run(*counting(100, after="sleep 1; echo line 100; sleep 1000"), name="talker")
    async with reading(open_source(spec("talker", containers)), LogTimeSpan(tail=1000)) as feed:
        await feed.until(lambda: len(feed.lines) == 101)
        assert numbers(feed) == list(range(101))
        assert all(line.at is not None for line in feed.lines)
        assert feed.state == ("reading", "")


async def test_only_the_last_lines_of_a_container_that_has_ended(containers: DockerDaemon) -> None:
    containers.run(*counting(50, after="exit 0"), name="ended").wait()
    async with reading(open_source(spec("ended", containers)), LogTimeSpan(tail=5, follow=False)) as feed:
        await feed.until(lambda: feed.ended)
        assert numbers(feed) == [45, 46, 47, 48, 49]


async def test_a_container_with_a_terminal_is_read_too(containers: DockerDaemon) -> None:
    containers.run(*counting(200), name="terminal", tty=True)
    async with reading(open_source(spec("terminal", containers)), LogTimeSpan(tail=1000)) as feed:
        await feed.until(lambda: len(feed.lines) == 200)
        assert numbers(feed) == list(range(200))


async def test_both_outputs_and_long_lines_come_whole(containers: DockerDaemon) -> None:
    code = "echo out; echo err >&2; head -c 100000 /dev/zero | tr '\\0' x; echo; echo after; sleep 1000"
    containers.run("sh", "-c", code, name="long")
    async with reading(open_source(spec("long", containers)), LogTimeSpan(tail=1000)) as feed:
        await feed.until(lambda: len(feed.lines) == 4)
        assert {"out", "err", "after", "x" * 100_000} == set(feed.texts)


async def test_a_restarted_container_is_read_on_without_loss_and_without_doubles(containers: DockerDaemon) -> None:
    container = containers.run(*counting(300, "sleep 0.001"), name="again")
    async with reading(open_source(spec("again", containers)), LogTimeSpan(tail=1000)) as feed:
        await feed.until(lambda: len(feed.lines) >= 300)
        await asyncio.to_thread(container.restart, timeout=0)
        await feed.until(lambda: len(feed.lines) >= 600)
        assert numbers(feed) == [*range(300), *range(300)]


async def test_a_container_that_is_made_anew_is_found_by_its_name(containers: DockerDaemon) -> None:
    async with reading(open_source(spec("phoenix", containers)), LogTimeSpan(tail=1000)) as feed:
        await feed.until(lambda: feed.state[0] == "off")
        assert "there is no container phoenix" in feed.state[1]
        first = await asyncio.to_thread(containers.run, *counting(3), name="phoenix")
        await feed.until(lambda: len(feed.lines) == 3)
        await asyncio.to_thread(first.remove, force=True)
        await asyncio.to_thread(containers.run, *counting(4), name="phoenix")
        await feed.until(lambda: len(feed.lines) == 7)
        assert numbers(feed) == [0, 1, 2, 0, 1, 2, 3]


async def test_a_log_driver_that_keeps_nothing_is_said_in_words(containers: DockerDaemon) -> None:
    containers.run("sleep", "1000", name="mute", log_config={"type": "none"})
    async with reading(open_source(spec("mute", containers)), LogTimeSpan()) as feed:
        await feed.until(lambda: feed.state[0] == "off")
        assert feed.state[1].startswith("the log driver of mute keeps no log")


async def test_many_lines_are_read_without_loss(containers: DockerDaemon) -> None:
    containers.run("sh", "-c", "seq 0 99999 | sed 's/^/line /'; sleep 1000", name="many")
    async with reading(open_source(spec("many", containers)), LogTimeSpan(tail=1_000_000)) as feed:
        await feed.until(lambda: len(feed.lines) >= 100_000, 60)
        assert numbers(feed) == list(range(100_000))


async def test_a_daemon_that_was_restarted_is_read_on_without_loss_and_without_doubles(
    containers: DockerDaemon,
) -> None:
    code = counting(100, after="sleep 1000")
    containers.run(*code, name="steady", restart_policy={"Name": "always"})
    async with reading(open_source(spec("steady", containers)), LogTimeSpan(tail=1000)) as feed:
        await feed.until(lambda: len(feed.lines) == 100)
        await asyncio.to_thread(containers.restart)
        await feed.until(lambda: len(feed.lines) >= 200, 40)
        assert numbers(feed) == [*range(100), *range(100)]
        assert feed.state == ("reading", "")
