"""500 HTTP checks against a loopback target, 50 at once, beside a raw asyncio client in the same run."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.support.table import print_table
from tests.bench.support.target import delay_of, serving

from switchover_checks.api import Status
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.probe_slots import ProbeLimits
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import ProbeSpec, Runner

_CHECKS = 500
_AT_ONCE = 50
_ROUNDS = 5


@dataclass(frozen=True)
class _Took:
    wall_s: float
    cpu_s: float


async def _timed(work: Callable[[], Awaitable[None]]) -> _Took:
    times, wall = os.times(), time.perf_counter()
    await work()
    after = os.times()
    return _Took(time.perf_counter() - wall, after.user + after.system - times.user - times.system)


async def _raw(port: int) -> None:
    """Do the least that asks and reads an answer: one connection each, closed after it."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def visit(number: int) -> None:
        async with slots:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET /{number} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            await reader.readexactly(21)
            writer.close()

    await asyncio.gather(*(visit(number) for number in range(_CHECKS)))


async def _checked(port: int) -> None:
    """Run as many checks, with connections that nobody used before."""
    resources = Resources()
    runner = Runner(
        Registry(), lambda deadline: LocalContext(deadline, Path(), resources=resources), waiting=ProbeLimits(_AT_ONCE)
    )
    runner.on_close(resources.aclose)
    specs = [
        ProbeSpec(
            f"c{number}",
            "http",
            {"url": f"http://127.0.0.1:{port}/{number}", "expect": ["status == 200", "body.status == 'healthy'"]},
        )
        for number in range(_CHECKS)
    ]
    outcomes = await asyncio.gather(*(runner.run(spec) for spec in specs))
    await runner.aclose()
    assert all(outcome.result.status is Status.OK for outcome in outcomes), outcomes[0]


async def _measure(port: int) -> tuple[list[_Took], list[_Took]]:
    raw, checked = [], []
    for _ in range(_ROUNDS):
        raw.append(await _timed(lambda: _raw(port)))
        checked.append(await _timed(lambda: _checked(port)))
    return raw, checked


def run() -> None:
    """Measure and print."""
    with serving() as port:
        raw, checked = asyncio.run(_measure(port))
    waits = sum(delay_of(number) for number in range(_CHECKS))
    base = statistics.median(took.wall_s for took in raw)
    rows = []
    for name, all_took in (("raw asyncio", raw), ("switchover checks", checked)):
        wall = statistics.median(took.wall_s for took in all_took)
        cpu = statistics.median(took.cpu_s for took in all_took) / _CHECKS * 1000
        rows.append((name, f"{wall:.2f} s", f"{wall / base:.2f}", f"{cpu:.2f} ms"))
    print_table(
        f"{_CHECKS} HTTP checks, {_AT_ONCE} at once (80 % 5 ms, 15 % 100 ms, 5 % 1 s)",
        ("", "wall", "ratio", "CPU a check"),
        rows,
        f"Medians of {_ROUNDS} interleaved rounds; waiting alone takes {waits / _AT_ONCE:.2f} s."
        " Aims: ratio at most 1.5, at most 2 ms CPU a check.",
    )
