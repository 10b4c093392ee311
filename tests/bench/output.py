"""A step that writes 1 GB as fast as it can: the engine's memory stays flat, the cap is kept, nothing waits for it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.support.table import print_table

from switchover.app import build, load
from switchover.locations import workspace_for
from switchover.migration.facts.operator import Operator

_BYTES = 1 << 30
_COMMAND = f"yes 'copied another row of the table, all well so far' | head -c {_BYTES}"
_LOOK_EVERY_S = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def _bare() -> float:
    began = time.perf_counter()
    command = ["/bin/sh", "-c", f"{_COMMAND} | cat > /dev/null"]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


async def _measure(folder: Path) -> tuple[float, int, float, int, int]:
    plan = folder / "plan.yaml"
    plan.write_text(
        "schema: 1\nid: bench\ntitle: Output\nphases:\n  - id: all\n    steps:\n"
        f'      - {{id: pour, run: "{_COMMAND}", effect: read, timeout: 10m}}\n'
    )
    workspace = workspace_for(folder / "state", plan)
    parts = build(load(plan), workspace)
    engine = parts.engine
    assert engine is not None
    try:
        await engine.start(Operator.current())
        before, most, slowest = _memory(), 0, 0.0
        began = time.perf_counter()
        driving = asyncio.ensure_future(engine.drive(Operator.current()))
        while not driving.done():
            probed = time.perf_counter()
            engine.view()
            slowest = max(slowest, time.perf_counter() - probed)
            most = max(most, _memory() - before)
            await asyncio.wait({driving}, timeout=_LOOK_EVERY_S)
        took = time.perf_counter() - began
        assert driving.result().kind == "done", driving.result()
        last = engine.state.unit("pour").last
        assert last is not None
        kept = sum(path.stat().st_size for path in workspace.run_directory("1").glob("pour.1/out-*"))
        return took, most, slowest, last.output_bytes, kept
    finally:
        await parts.aclose()


def run() -> None:
    """Measure and print."""
    bare = _bare()
    with tempfile.TemporaryDirectory(prefix="switchover-bench-") as folder:
        took, most, slowest, written, kept = asyncio.run(_measure(Path(folder)))
    rows = [
        ("written through a bare pipe", f"{bare:.1f} s, {_BYTES / bare / 1e6:.0f} MB/s"),
        ("written as a step", f"{took:.1f} s, {written / took / 1e6:.0f} MB/s"),
        ("kept of it", f"{kept / (1 << 20):.1f} MiB"),
        ("the engine's memory grew by", f"{most / (1 << 20):.1f} MiB"),
        ("the slowest view while it wrote", f"{slowest * 1000:.0f} ms"),
    ]
    print_table(
        f"A step that writes {written / 1e9:.2f} GB",
        ("", ""),
        rows,
        "Aim: memory flat, at most 4 MiB kept. The view is made 20 times a second, as for a client that watches.",
    )
