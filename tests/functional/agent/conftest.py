from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support.warm_program import run_switchover

from switchover.agent.process.agent_record import find_socket, read_record, start_ticks
from switchover.agent.process.lifecycle import ask, ensure_agent
from switchover.agent.wire.client import AgentClient
from switchover.agent.wire.protocol import AgentInfo
from switchover.locations import Workspace, workspace_for
from switchover.snapshot import Snapshot, StepView

PLAN = """\
schema: 1
id: small
title: Small
checks:
  marked: {kind: file, path: mark, every: 1s}
phases:
  - id: one
    steps:
      - id: wait
        run: |
          echo begun
          echo x >> runs
          read line < gate
          echo "heard $line"
        effect: changes
        timeout: 60s
      - {id: mark, run: "touch mark", effect: creates}
    gate: {require: [marked]}
"""


@dataclass
class Desk:
    """A plan in a folder of its own, its state, and whoever was connected to its agent."""

    folder: Path
    plan: Path
    workspace: Workspace
    clients: list[AgentClient] = field(default_factory=list)

    def ensure(self, **options: Any) -> AgentInfo:
        return ensure_agent(self.workspace, self.plan, **options)

    async def client(self, *, read_only: bool = False) -> AgentClient:
        client = AgentClient()
        self.clients.append(client)
        await client.connect(find_socket(self.workspace))
        await client.hello({"who": "ann", "host": "h", "tty": "pts/1"}, read_only=read_only)
        return client

    async def see(self, client: AgentClient, wanted: Callable[[Snapshot], bool]) -> Snapshot:
        """Watch until a Snapshot is as wanted."""
        async with asyncio.timeout(30):
            async for snapshot in client.snapshots():
                if wanted(snapshot):
                    return snapshot
        raise AssertionError("the line ended")

    def run(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run the command line on this desk."""
        return run_switchover(*words, "--state", self.workspace.root, cwd=self.folder, **options)

    def let_step_end(self, word: str = "go") -> None:
        """Let the step `wait` hear a word; it must be running."""
        with (self.folder / "gate").open("w") as gate:
            gate.write(f"{word}\n")

    def times_run(self) -> int:
        """Count how often the step `wait` was executed."""
        runs = self.folder / "runs"
        return len(runs.read_text().splitlines()) if runs.exists() else 0

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return all facts of the journal."""
        with closing(sqlite3.connect(self.workspace.journal)) as journal:
            rows = journal.execute("SELECT type, data FROM events ORDER BY seq").fetchall()
        return [(kind, json.loads(data)) for kind, data in rows]

    def kill_agent(self) -> None:
        """End the agent as the kernel would, and wait until it has gone."""
        info = ask(self.workspace)
        assert info is not None
        handle = os.pidfd_open(info.pid)
        os.kill(info.pid, signal.SIGKILL)
        wait_for_end(handle)


def wait_for_end(handle: int) -> None:
    """Wait until the process behind a pidfd has ended."""
    import select

    assert select.select([handle], [], [], 20)[0], "the process does not end"
    os.close(handle)


def step(snapshot: Snapshot, name: str) -> StepView:
    """Return a step as a Snapshot shows it."""
    return next(s for p in snapshot.migration.phases for s in p.steps if s.id == name)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    folder = tmp_path / "plan"
    folder.mkdir()
    plan = folder / "small.yaml"
    plan.write_text(PLAN)
    os.mkfifo(folder / "gate")
    made = Desk(folder, plan, workspace_for(tmp_path / "state", plan))
    yield made
    for client in made.clients:
        await client.aclose()
    await asyncio.to_thread(end_everything, made)


def end_everything(desk: Desk) -> None:
    """End the agent and what its steps left, by their pids."""
    record = read_record(desk.workspace)
    if record is not None and start_ticks(record.pid) == record.start_ticks:
        handle = os.pidfd_open(record.pid)
        os.kill(record.pid, signal.SIGKILL)
        wait_for_end(handle)
    kill_steps(desk)


def kill_steps(desk: Desk) -> None:
    """End every step that still runs, its shim first, as the kernel would."""
    for started in desk.workspace.root.rglob("started.json"):
        facts = json.loads(started.read_text())
        for pid, ticks in ((facts["shim"], facts["shim_start"]), (facts["pid"], facts["pid_start"])):
            if start_ticks(pid) == ticks:
                handle = os.pidfd_open(pid)
                os.kill(pid, signal.SIGKILL)
                wait_for_end(handle)
