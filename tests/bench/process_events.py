"""From a process's end to the provider telling it, and what listing 1,000 processes costs, beside psutil."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from tests.bench.support.table import print_table

from switchover.clock import SystemClock
from switchover.services.processes.process_provider import ProcessProvider
from switchover.services.processes.process_table import read_rows
from switchover.services.provider_api import ServiceEvent

_PROCESSES = 1000
_EVENTS = 200
_PASSES = 8
_LIST_EVERY_S = 5.0
_SETTLED_S = 11.0  # a process that has just begun is looked at more closely


def run() -> None:
    """Measure and print."""
    with _crowd(_PROCESSES) as crowd:
        rows, told = asyncio.run(_measure(crowd))
    print_table(
        f"{_EVENTS} processes killed one after the other, {_PROCESSES} of them held",
        ("", "p50", "p95", "max"),
        [("kill(2) → told", *_spread(told))],
        "Aim: p95 ≤ 100 ms to the screen.",
    )
    print_table(
        f"{_PROCESSES} processes listed every {_LIST_EVERY_S:.0f} s",
        ("", "wall", "CPU", "of one core"),
        rows,
        "Aim: ≤ 1 % idle, first rows ≤ 300 ms.",
    )


@contextmanager
def _crowd(number: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    processes = [subprocess.Popen(["sleep", "3600"], stdin=subprocess.DEVNULL) for _ in range(number)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


async def _measure(crowd: list[subprocess.Popen[bytes]]) -> tuple[list[tuple[str, str, str, str]], list[float]]:
    provider = ProcessProvider(Path("/"), SystemClock().monotonic)
    news: asyncio.Queue[tuple[float, ServiceEvent]] = asyncio.Queue()
    watch = asyncio.create_task(provider.watch(lambda told: news.put_nowait((time.perf_counter(), told))))
    try:
        first = await _timed_listing(provider)
        await asyncio.sleep(_SETTLED_S)
        await provider.discover()
        steady = [await _timed_listing(provider) for _ in range(_PASSES)]
        rows = [
            _row("the first time, with names, users and ports", [first], every_s=None),
            _row("from then on", steady),
            _row("beside: the same numbers alone, own reader", [_timed(lambda: list(read_rows())) for _ in steady]),
            _row("beside: the same numbers alone, psutil", [_timed(_with_psutil) for _ in steady]),
        ]
        told = [await _kill(process, news) for process in crowd[:_EVENTS]]
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    return rows, told


async def _timed_listing(provider: ProcessProvider) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    found = await provider.discover()
    assert len(found) >= _PROCESSES
    return time.perf_counter() - wall, time.process_time() - cpu


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _with_psutil() -> None:
    for process in psutil.process_iter():
        try:
            with process.oneshot():
                process.create_time(), process.cpu_times(), process.memory_info(), process.name(), process.ppid()
        except psutil.Error:
            continue


async def _kill(process: subprocess.Popen[bytes], news: asyncio.Queue[tuple[float, ServiceEvent]]) -> float:
    began = time.perf_counter()
    os.kill(process.pid, 9)
    while True:
        at, told = await news.get()
        if told.ref == str(process.pid):
            return at - began


def _row(
    name: str, took: Sequence[tuple[float, float]], every_s: float | None = _LIST_EVERY_S
) -> tuple[str, str, str, str]:
    wall = statistics.median(one for one, _ in took)
    cpu = statistics.median(one for _, one in took)
    share = f"{100 * cpu / every_s:.2f} %" if every_s is not None else ""
    return name, f"{1000 * wall:.0f} ms", f"{1000 * cpu:.0f} ms", share


def _spread(times: Sequence[float]) -> tuple[str, str, str]:
    ordered = sorted(times)
    at = (statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1])
    return tuple(f"{1000 * value:.2f} ms" for value in at)  # type: ignore[return-value]
