"""How soon a long run stands correctly on the screen again: 1,000 steps, 100,000 events; and what a record takes."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.bench.support.table import print_table

from switchover.app import build
from switchover.clock import SystemClock
from switchover.locations import workspace_for
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.sqlite_journal import Journal, record_hash
from switchover.plan.loader.load import LoadedPlan, load_plan

_STEPS = 1000
_TRIES = 33  # of each step, three events a try
_ROUNDS = 3


def _plan(folder: Path) -> LoadedPlan:
    path = folder / "plan.yaml"
    lines = ["schema: 1", "id: bench", "title: A long run", "phases:"]
    for number in range(_STEPS):
        if number % 50 == 0:
            lines += [f"  - id: p{number // 50}", "    steps:"]
        lines.append(f"      - {{id: s{number}, run: './move {number}', effect: changes, rollback: {{run: ./back}}}}")
    path.write_text("\n".join(lines) + "\n")
    return load_plan(path)


def _events(loaded: LoadedPlan) -> Iterator[ev.Event]:
    op = Operator("ana", "bastion", "pts/1", 1000)
    plan = loaded.plan
    yield ev.RunStarted("1", op, plan.id, plan.title, str(loaded.path), loaded.digest, loaded.text, "", {}, "1")
    for step in plan.all_steps[:-1]:  # the last one is what comes next
        argv = ("/bin/sh", "-e", "-c", step.run or "")
        for number in range(1, _TRIES + 1):
            yield ev.StepStarted(step.id, number, op, argv, "0" * 64, (), "/srv", loaded.digest, 600.0, "./back")
            last = number == _TRIES
            yield ev.StepEnded(step.id, number, "done" if last else "failed", 0 if last else 1, 0.1, output_bytes=9)
            if not last:
                yield ev.StepRetried(step.id, op)
            else:
                yield ev.VariablesGiven({}, op)


def _fill(path: Path, loaded: LoadedPlan) -> tuple[int, int]:
    """Write the journal in one transaction; return how many records it has and the bytes a step takes."""
    clock = SystemClock()
    journal = Journal.open(path, clock)
    assert journal is not None
    journal.close()
    before, count = "", 0
    with closing(sqlite3.connect(path)) as connection, connection:
        for count, event in enumerate(_events(loaded), 1):
            kind, data = ev.encode_event(event)
            at = 1_800_000_000.0 + count
            digest = record_hash(before, count, "1", at, 1.0 * count, clock.boot_id(), kind, data)
            row = (count, "1", at, 1.0 * count, clock.boot_id(), kind, data, before, digest)
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            before = digest
    size = path.stat().st_size
    return count, size // count


def run() -> None:
    """Measure and print."""
    opened, seen = [], []
    with tempfile.TemporaryDirectory(prefix="switchover-bench-") as folder:
        loaded = _plan(Path(folder))
        workspace = workspace_for(Path(folder) / "state", loaded.path)
        count, size = _fill(workspace.journal, loaded)
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            parts = build(loaded, workspace)
            assert parts.engine is not None
            opened.append(time.perf_counter() - began)
            view = parts.engine.view()
            seen.append(time.perf_counter() - began)
            assert sum(s.state == "done" for p in view.phases for s in p.steps) == _STEPS - 1
            assert view.action.target == f"s{_STEPS - 1}"
            parts.engine.run_store.close()
    rows = [
        ("the run's state is known", f"{statistics.median(opened) * 1000:.0f} ms"),
        ("the view of all steps is made", f"{statistics.median(seen) * 1000:.0f} ms"),
        ("a step that does nothing adds to the journal", f"{2 * size / 1024:.1f} KiB"),
    ]
    print_table(
        f"Going on with a run of {_STEPS} steps and {count} events",
        ("from the start of the engine until", "median"),
        rows,
        f"Medians of {_ROUNDS} rounds; a record takes {size} bytes. Aim: at most 300 ms to a correct screen.",
    )
