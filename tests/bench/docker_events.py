"""From a container's end to the provider being told, and what 200 containers that do nothing cost meanwhile."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from tests.bench.support.table import print_table
from tests.support.servers.dockerd import DockerDaemon, run_dockerd

from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.provider_api import ServiceEvent, ServiceTarget

_EVENTS = 40
_CONTAINERS = 200
_CHECKED = 20
_PLANNED = 20
_IDLE_S = 20.0


def run() -> None:
    """Measure and print."""
    try:
        with run_dockerd() as daemon:
            told = asyncio.run(_time_events(daemon))
            print_table(
                f"A container's process is killed, {_EVENTS} times, with {_PLANNED} containers beside it",
                ("", "p50", "p95", "max"),
                [(name, *_spread(times)) for name, times in told.items()],
                "Aim: p95 ≤ 100 ms to the screen. The kernel's part of it is containerd's and dockerd's.",
            )
            _crowd(daemon)
            print_table(
                f"{_CONTAINERS} containers that do nothing, {_CHECKED} with a health check every second",
                ("", "CPU of one core", "answers asked for a second"),
                asyncio.run(_idle(daemon)),
                "Aim: ≤ 1 %.",
            )
    except pytest.skip.Exception as reason:
        sys.stdout.write(f"\nDocker events: not measured, {reason}\n")


def _spread(times: Sequence[float]) -> tuple[str, str, str]:
    ordered = sorted(times)
    at = (statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1])
    return tuple(f"{1000 * value:.1f} ms" for value in at)  # type: ignore[return-value]


def _target(name: str, host: str) -> ServiceTarget:
    return ServiceTarget(name, "docker", f"{host}/{name}", container=name, docker_host=host)


async def _time_events(daemon: DockerDaemon) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"daemon's event → told": [], "kill(2) → told": [], "kill(2) → looked at": []}
    provider = DockerProvider()
    provider.fleet.daemon(daemon.url)
    news: asyncio.Queue[tuple[float, float, ServiceEvent]] = asyncio.Queue()
    watch = asyncio.ensure_future(
        provider.watch(lambda told: news.put_nowait((time.time(), time.perf_counter(), told)))
    )
    await _until(news, "note", "")
    for number in range(_PLANNED):
        await asyncio.to_thread(daemon.run, name=f"beside-{number}")
    for number in range(_EVENTS):
        name = f"victim-{number}"
        await asyncio.to_thread(daemon.run, name=name)
        wanted = _target(name, daemon.url)
        await _until(news, "started", wanted.ref)
        pid = (await provider.inspect([wanted]))[name].pid
        assert pid is not None
        began = time.perf_counter()
        os.kill(pid, 9)
        at, told_at, told = await _until(news, "died", wanted.ref)
        await provider.inspect([wanted])
        times["kill(2) → looked at"].append(time.perf_counter() - began)
        times["kill(2) → told"].append(told_at - began)
        times["daemon's event → told"].append(at - (told.at or at))
    await _end(watch, provider)
    await asyncio.to_thread(daemon.remove_all)
    return times


async def _until(
    news: asyncio.Queue[tuple[float, float, ServiceEvent]], what: str, ref: str
) -> tuple[float, float, ServiceEvent]:
    while True:
        at, told_at, told = await news.get()
        if told.what == what and told.ref == ref:
            return at, told_at, told


async def _end(watch: asyncio.Future[None], provider: DockerProvider) -> None:
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch
    await provider.aclose()


def _crowd(daemon: DockerDaemon) -> None:
    check: dict[str, Any] = {"test": ["CMD", "true"], "interval": 1_000_000_000}

    def start(number: int) -> None:
        more: dict[str, Any] = {"healthcheck": check} if number < _CHECKED else {}
        daemon.run(name=f"idle-{number}", **more)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(_CONTAINERS)))


async def _idle(daemon: DockerDaemon) -> list[tuple[str, str, str]]:
    planned = [_target(f"idle-{number}", daemon.url) for number in range(_PLANNED)]
    provider = DockerProvider()
    provider.fleet.daemon(daemon.url)
    listed = asyncio.Event()
    watch = asyncio.ensure_future(provider.watch(lambda told: listed.set() if told.listing else None))
    await provider.discover()
    await provider.inspect(planned)
    await listed.wait()
    await asyncio.sleep(3)  # what is read in full at first is read by then

    async def told() -> None:
        await provider.inspect(planned)

    async def told_and_listed() -> None:
        await provider.discover()
        for _ in range(15):
            await provider.inspect(planned)
            await asyncio.sleep(2)

    async def asked() -> None:
        client = await asyncio.to_thread(lambda: daemon.client)
        names = [f"idle-{number}" for number in range(_CONTAINERS)]
        await asyncio.to_thread(lambda: [client.api.inspect_container(name) for name in names])

    rows = [
        ("told (nothing asked)", await _cpu(_pause, _IDLE_S), "0"),
        (f"told; {_PLANNED} of the plan looked at every 2 s", await _cpu(told, 10.0), "0.5"),
        ("the same; all listed every 30 s", await _cpu(told_and_listed, 0.0, pause=0.0), "0.5"),
        ("beside: each asked every 2 s", await _cpu(asked, 10.0), f"{_CONTAINERS / 2:.0f}"),
    ]
    await _end(watch, provider)
    return rows


async def _pause() -> None:
    await asyncio.sleep(0)


async def _cpu(work: Callable[[], Awaitable[None]], seconds: float, pause: float = 2.0) -> str:
    """Return the CPU of doing `work` every two seconds for a while, in percent of one core."""
    times, began = os.times(), time.perf_counter()
    while True:
        await work()
        await asyncio.sleep(pause)
        if time.perf_counter() - began >= seconds:
            break
    after = os.times()
    used = after.user + after.system - times.user - times.system
    return f"{100 * used / (time.perf_counter() - began):.2f} %"
