"""Seeded trials: line, server, connection, watcher and agent die at any moment; no step runs twice, no end is lost."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from tests.support.far_host import FarHost
from tests.unit.migration.harness import ANA, OPENED, Bench, open_bench

from switchover.errors import RefusedError, SwitchoverError

STEPS = ("one", "two", "three")
PLAN = "\nhosts: {{db: {{ssh: far}}}}\nphases:\n  - id: a\n    steps:\n{steps}"
STEP = """      - id: {name}
        run: 'echo {name} >> {folder}/log; sleep {s}; echo end'
        run_on: db
        effect: changes
        rollback: not_needed
"""
BATCHES = [0, *(pytest.param(batch, marks=pytest.mark.soak) for batch in range(1, 40))]
TRIALS = 3  # in each
EVENTS = ("ssh", "server", "sshd", "agent", "agent at once", "shim", "nothing")


class Trial:
    """One run, in which something dies again and again until it is through."""

    def __init__(self, folder: Path, far: FarHost, seed: int) -> None:
        self.folder, self.far, self.rng = folder, far, random.Random(seed)
        self.told: Counter[str] = Counter()
        self.shims_killed: set[str] = set()
        steps = "".join(STEP.format(name=n, folder=folder, s=round(self.rng.uniform(0, 0.3), 2)) for n in STEPS)
        self.bench = self._open(PLAN.format(steps=steps))

    def _open(self, text: str | None = None) -> Bench:
        return open_bench(self.folder, text, hosts=self.far.lines(), grace_s=0.2)

    async def play(self) -> None:
        """Let it run, and let something die, until all is done."""
        for _ in range(60):
            running = asyncio.ensure_future(self._drive())
            await asyncio.wait({running}, timeout=self.rng.uniform(0, 0.8))
            event = self.rng.choice(EVENTS)
            self.told[event] += 1
            if event.startswith("agent"):
                await self._another(running, gently=event == "agent")
                continue
            self._kill(event)
            await running
            await self._decide()
            if self.bench.engine.state.stage == "done":
                break
        assert self.bench.engine.state.stage == "done"
        assert self.bench.log == list(STEPS)

    async def _drive(self) -> None:
        with suppress(SwitchoverError):  # one that was not begun, or is still attached to
            await self.bench.engine.drive(ANA)
        await self.bench.engine.settled()

    async def _another(self, running: asyncio.Task[None], *, gently: bool) -> None:
        if not gently:
            self.bench.engine.run_store.tools.hosts.close()
        running.cancel()
        await asyncio.wait({running})
        OPENED.remove(self.bench)
        await self.bench.engine.aclose()
        self.bench = self._open()

    def _kill(self, event: str) -> None:
        line = self.bench.engine.run_store.tools.hosts.to("far")
        with suppress(ProcessLookupError, FileNotFoundError, KeyError, ValueError):
            match event:
                case "ssh" if line.pid is not None:
                    os.kill(line.pid, signal.SIGKILL)
                case "server":
                    os.kill(int(line.hello["pid"]), signal.SIGKILL)
                case "sshd":
                    stat = Path(f"/proc/{line.hello['pid']}/stat").read_text()
                    os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)
                case "shim":
                    for unit in self.bench.engine.state.open_units:
                        last = self.bench.engine.state.unit(unit).last
                        assert last is not None
                        assert last.far is not None
                        claim = json.loads((Path(last.far.directory) / "claim").read_text())
                        os.kill(claim["shim"], signal.SIGKILL)
                        self.shims_killed.add(unit)

    async def _decide(self) -> None:
        """Be the person: an unknown outcome is looked at, ended, and called by what the log has of it."""
        engine = self.bench.engine
        for name in STEPS:
            unit = engine.state.unit(name)
            assert unit.stage != "failed", unit.reason
            if unit.stage == "unknown":
                assert name in self.shims_killed, f"an end was lost: {unit.reason}"
                self.told["unknown"] += 1
                choice = "done" if name in self.bench.log else "retry"
                try:
                    await engine.resolve(name, choice, "the log says so", ANA)
                except RefusedError:  # it runs on without its watcher
                    await engine.abort(ANA, "end it")
                    await engine.resolve(name, choice, "the log says so", ANA)


@pytest.mark.parametrize("batch", BATCHES)
async def test_whatever_dies_no_step_runs_twice_and_no_end_is_lost(tmp_path: Path, far: FarHost, batch: int) -> None:
    told: Counter[str] = Counter()
    for seed in range(batch * TRIALS, (batch + 1) * TRIALS):
        folder = tmp_path / f"{seed}"
        folder.mkdir()
        trial = Trial(folder, far, seed)
        try:
            await trial.play()
        except AssertionError as error:
            raise AssertionError(f"trial {seed}: {error}") from error
        told += trial.told
        OPENED.remove(trial.bench)
        await trial.bench.engine.aclose()
    assert told
