"""The log reader while a file grows by 50,000 lines a second: processor time, memory, what it lost, its answers."""
# ruff: noqa: ASYNC240, ASYNC110 - a measurement, alone in its process

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from tests.bench.support.table import print_table

from switchover.agent.server.reader_process import LogReader

_RATES = (0, 10_000, 50_000)
_FOR_S = 8.0
_EVERY_S = 0.1
_BEFORE = 100_000
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_QUERIES: dict[str, dict[str, Any]] = {
    "all lines": {},
    "find": {"find": "timeout"},
    "filter, find": {"show": r"status=5\d\d", "find": "order"},
}
_WRITER = """
import sys, time
path, rate, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
count, began = 0, time.monotonic()
with open(path, "a") as file:
    while (passed := time.monotonic() - began) < seconds:
        due = int(passed * rate) - count
        if due > 0:
            now = time.time()
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
            for n in range(count, count + due):
                level = "ERROR" if n % 100 == 0 else "INFO "
                status = 503 if n % 100 == 0 else 200
                file.write(f"{stamp} {level} handled order={n} status={status} took={n % 97} host=web-{n % 7}\\n")
            file.flush()
            count += due
        time.sleep(0.005)
print(count)
"""


def _usage(pid: int) -> tuple[float, int]:
    """Return processor time (seconds) and memory (bytes) of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    memory = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return (int(fields[11]) + int(fields[12])) / _TICKS, memory


async def _measure(path: Path, rate: int, query: dict[str, Any]) -> tuple[str, ...]:
    path.write_text("".join(f"2026-01-31T00:00:00.{n % 1000:03d}Z INFO  earlier {n}\n" for n in range(_BEFORE)))
    reader = LogReader()
    span = {"tail": _BEFORE, "since": None, "until": None, "follow": True}
    began = time.perf_counter()
    await reader.start({"sources": [{"name": "a", "kind": "file", "path": str(path)}], "span": span, "secrets": {}})
    try:
        await reader.ask("states", {}, 10.0)
        ready = time.perf_counter() - began
        asked = {"query": query, "anchor": None, "before": 50, "after": 0}
        while (window := await _window(reader, asked))["progress"] < 1.0 or window["kept"] < _BEFORE:
            await asyncio.sleep(0.01)
        words = [sys.executable, "-c", _WRITER, str(path), str(rate), str(_FOR_S)]
        writer = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
        cpu, _ = _usage(reader.pid)
        started = time.perf_counter()
        took = []
        while writer.returncode is None:
            asking = time.perf_counter()
            await _window(reader, asked)
            took.append((time.perf_counter() - asking) * 1000)
            await asyncio.sleep(_EVERY_S)
        cpu = (_usage(reader.pid)[0] - cpu) / (time.perf_counter() - started)
        out, _ = await writer.communicate()
        written, seen = int(out), 0
        limit = time.perf_counter() + 5.0
        while seen < written and time.perf_counter() < limit:
            window = await _window(reader, asked)
            seen = window["sources"][0]["lines"] - _BEFORE
        memory = _usage(reader.pid)[1]
        quantiles = statistics.quantiles(took, n=20)
        return (
            f"{written / _FOR_S:.0f}",
            f"{written - seen}",
            f"{cpu:.0%}",
            f"{memory / (1 << 20):.0f} MiB",
            f"{statistics.median(took):.1f} / {quantiles[-1]:.1f} ms",
            f"{ready * 1000:.0f} ms",
        )
    finally:
        await reader.aclose()


async def _window(reader: LogReader, asked: dict[str, Any]) -> dict[str, Any]:
    window: dict[str, Any] = msgspec.json.decode(await reader.ask("window", asked, 10.0))
    return window


def run() -> None:
    """Measure and print."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="switchover-bench-") as folder:
        for name, query in _QUERIES.items():
            rows += [(name, *asyncio.run(_measure(Path(folder) / "app.log", rate, query))) for rate in _RATES]
    print_table(
        f"The log reader, a file that grows for {_FOR_S:.0f} s after {_BEFORE:,} lines",
        ("asked for", "lines/s", "lost", "CPU", "memory", "window, median / p95", "ready"),
        rows,
        f"A window every {_EVERY_S * 1000:.0f} ms, 50 lines. Aim: nothing lost, p95 5 ms. CPU of one core.",
    )
