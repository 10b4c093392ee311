"""What the journalled engine adds to a step: 50 steps that do nothing, beside the bare commands one after the other."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.support.table import print_table

from switchover.app import build, load
from switchover.locations import workspace_for
from switchover.migration.facts.operator import Operator

_STEPS = 50
_ROUNDS = 7
_COMMITS = 2  # its beginning and its end; the shim flushes its record meanwhile


def _plan(folder: Path) -> Path:
    steps = "\n".join(f"      - {{id: s{n}, run: ':', effect: read, on_unknown: rerun}}" for n in range(_STEPS))
    path = folder / "plan.yaml"
    path.write_text(f"schema: 1\nid: bench\ntitle: Steps that do nothing\nphases:\n  - id: all\n    steps:\n{steps}\n")
    return path


def _bare() -> float:
    began = time.perf_counter()
    for _ in range(_STEPS):
        subprocess.run(["/bin/sh", "-c", ":"], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - began


def _flushes(folder: Path) -> float:
    """Write a record of a page and flush it, as often as a step has to be on the disk before the next thing happens."""
    descriptor = os.open(folder / "page", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        began = time.perf_counter()
        for number in range(_STEPS * _COMMITS):
            os.pwrite(descriptor, bytes([number % 256]) * 4096, 4096 * number)
            os.fdatasync(descriptor)
        return time.perf_counter() - began
    finally:
        os.close(descriptor)


async def _engine(plan: Path, state: Path) -> float:
    parts = build(load(plan), workspace_for(state, plan))
    assert parts.engine is not None
    operator = Operator.current()
    try:
        # A host runs a plan's id once: each round is a new run of it.
        await parts.engine.start(operator, variables={}, new=True)
        began = time.perf_counter()
        outcome = await parts.engine.drive(operator)
        took = time.perf_counter() - began
        assert outcome.kind == "done", outcome
        return took
    finally:
        await parts.aclose()


def run() -> None:
    """Measure and print."""
    times: dict[str, list[float]] = {
        "sh -c :, one after the other": [],
        "the flushes that two commits a step need": [],
        "the same as journalled steps": [],
    }
    bare, flushes, engine = times.values()
    with tempfile.TemporaryDirectory(prefix="switchover-bench-") as folder:
        plan = _plan(Path(folder))
        for turn in range(_ROUNDS):
            bare.append(_bare())
            flushes.append(_flushes(Path(folder)))
            engine.append(asyncio.run(_engine(plan, Path(folder) / f"state{turn}")))
    rows = [
        (name, *(f"{seconds / _STEPS * 1000:.1f} ms" for seconds in (min(each), statistics.median(each))))
        for name, each in times.items()
    ]
    added = (min(engine) - min(bare)) / _STEPS * 1000
    print_table(
        f"{_STEPS} steps that do nothing",
        ("", "a step, best round", "median"),
        rows,
        f"{_ROUNDS} interleaved rounds; at best the engine adds {added:.1f} ms a step. Aim: at most 3 ms.",
    )
