"""What the journalled engine adds to a step: 50 steps that do nothing, beside the bare commands one after the other."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.table import print_table

from switchover.locations import workspace_for
from switchover.migration.operator import Operator
from switchover.wiring import build, load

_STEPS = 50
_ROUNDS = 5


def _plan(folder: Path) -> Path:
    steps = "\n".join(f"      - {{id: s{n}, run: ':', effect: read, on_unknown: retry}}" for n in range(_STEPS))
    path = folder / "plan.yaml"
    path.write_text(f"schema: 1\nid: bench\ntitle: Steps that do nothing\nphases:\n  - id: all\n    steps:\n{steps}\n")
    return path


def _bare() -> float:
    began = time.perf_counter()
    for _ in range(_STEPS):
        subprocess.run(["/bin/sh", "-c", ":"], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - began


async def _engine(plan: Path, state: Path) -> float:
    parts = build(load(plan), workspace_for(state, plan))
    assert parts.engine is not None
    operator = Operator.current()
    try:
        await parts.engine.start(operator, variables={}, new=False)
        began = time.perf_counter()
        outcome = await parts.engine.drive(operator)
        took = time.perf_counter() - began
        assert outcome.kind == "done", outcome
        return took
    finally:
        await parts.aclose()


def run() -> None:
    """Measure and print."""
    bare, engine = [], []
    with tempfile.TemporaryDirectory(prefix="switchover-bench-") as folder:
        plan = _plan(Path(folder))
        for turn in range(_ROUNDS):
            bare.append(_bare())
            engine.append(asyncio.run(_engine(plan, Path(folder) / f"state{turn}")))
    rows = [
        (name, f"{statistics.median(times) * 1000:.0f} ms", f"{statistics.median(times) / _STEPS * 1000:.1f} ms")
        for name, times in (("sh -c :, one after the other", bare), ("the same as journalled steps", engine))
    ]
    added = (statistics.median(engine) - statistics.median(bare)) / _STEPS * 1000
    print_table(
        f"{_STEPS} steps that do nothing",
        ("", "all", "a step"),
        rows,
        f"Medians of {_ROUNDS} interleaved rounds; the engine adds {added:.1f} ms a step. Aim: at most 5 ms a step.",
    )
