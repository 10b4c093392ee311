"""From a unit's failure to the provider telling it, and what following 500 units costs."""

from __future__ import annotations

import asyncio
import signal
import statistics
import sys
import time
from collections.abc import Sequence

import pytest
from tests.bench.support.table import print_table
from tests.support.servers.dockerd import run_dockerd
from tests.support.servers.systemd_container import SystemdHost, run_systemd

from switchover.clock import SystemClock
from switchover.services.provider_api import ServiceEvent, ServiceTarget
from switchover.services.systemd.systemd_bus import SystemdBus
from switchover.services.systemd.systemd_provider import SystemdProvider

_UNITS = 500
_EVENTS = 60
_PLANNED = 20
_IDLE_S = 20.0
_LIST_EVERY_S = 30.0
_SLEEP = "[Service]\nExecStart=/bin/sleep 3600\n"

_News = asyncio.Queue[tuple[float, ServiceEvent]]


def run() -> None:
    """Measure and print."""
    units = {"many@.service": _SLEEP, "victim@.service": _SLEEP}
    try:
        with run_dockerd() as daemon, run_systemd(daemon, units) as host:
            asyncio.run(_measure(host))
    except pytest.skip.Exception as reason:
        sys.stdout.write(f"\nUnits of systemd: not measured, {reason}\n")


async def _measure(host: SystemdHost) -> None:
    names = " ".join(f"many@{number}.service" for number in range(_UNITS))
    await asyncio.to_thread(host.run, "sh", "-c", f"systemctl start {names}")
    provider = SystemdProvider(SystemClock().monotonic, host.bus)
    news: _News = asyncio.Queue()
    watch = asyncio.create_task(provider.watch(lambda told: news.put_nowait((time.time(), told))))
    try:
        cpu, wall = time.process_time(), time.perf_counter()
        found = await provider.discover()
        first = time.perf_counter() - wall
        assert len(found) >= _UNITS
        await _until(news, "", listing=True)
        await asyncio.sleep(3.0)  # each unit is looked at once, in the background
        filled = time.process_time() - cpu
        cpu = time.process_time()
        await provider.discover()
        again = time.process_time() - cpu
        idle = await _idle(provider, [f"many@{number}.service" for number in range(_PLANNED)])
        said, killed = await _events(host, news)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await provider.aclose()
    print_table(
        f"{_EVENTS} units fail because their process is killed, beside {_UNITS} that run",
        ("", "p50", "p95", "max"),
        [("systemd's change of state → told", *_spread(said)), ("the kill was asked for → told", *_spread(killed))],
        "Aim: p95 ≤ 100 ms to the screen.",
    )
    print_table(
        f"{_UNITS} units",
        ("", "wall", "CPU"),
        [
            ("the first list", f"{1000 * first:.0f} ms", ""),
            ("all of them looked at once, in the background", "", f"{1000 * filled:.0f} ms"),
            (f"listed again, every {_LIST_EVERY_S:.0f} s", "", f"{1000 * again:.0f} ms"),
            (f"told, {_PLANNED} of the plan looked at every 2 s", "", f"{idle:.2f} % of one core"),
        ],
        "Aim: first rows ≤ 300 ms, idle ≤ 1 %.",
    )


async def _idle(provider: SystemdProvider, units: list[str]) -> float:
    targets = [ServiceTarget(unit, "systemd", ref=unit, unit=unit) for unit in units]
    cpu, wall = time.process_time(), time.perf_counter()
    while time.perf_counter() - wall < _IDLE_S:
        await provider.inspect(targets)
        await asyncio.sleep(2.0)
    return 100 * (time.process_time() - cpu) / (time.perf_counter() - wall)


async def _events(host: SystemdHost, news: _News) -> tuple[list[float], list[float]]:
    said, killed = [], []
    bus = SystemdBus(host.bus)
    for number in range(_EVENTS):
        unit = f"victim@{number}.service"
        await bus.manager("StartUnit", "ss", unit, "replace")
        await _until(news, unit, what="started")
        began = time.time()
        await bus.manager("KillUnit", "ssi", unit, "main", int(signal.SIGKILL))
        at, told = await _until(news, unit, what="failed")
        said.append(at - (told.at or at))
        killed.append(at - began)
    await bus.aclose()
    return said, killed


async def _until(news: _News, ref: str, what: str = "", *, listing: bool = False) -> tuple[float, ServiceEvent]:
    while True:
        at, told = await news.get()
        if told.ref == ref and (told.what == what or (listing and told.listing)):
            return at, told


def _spread(times: Sequence[float]) -> tuple[str, str, str]:
    ordered = sorted(times)
    at = (statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1])
    return tuple(f"{1000 * value:.1f} ms" for value in at)  # type: ignore[return-value]
