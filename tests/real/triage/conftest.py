"""A real agent over a plan, in a folder of its own, ended by its own word."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from switchover.agent.process.agent_record import find_socket
from switchover.agent.process.lifecycle import ensure_agent, stop
from switchover.agent.wire.client import AgentClient
from switchover.locations import Workspace, workspace_for
from switchover.snapshot import KnownIssueView, Problem, Snapshot


@dataclass
class Room:
    """An agent, and whoever is connected to it. `last` is the newest Snapshot that was seen."""

    folder: Path
    workspace: Workspace
    plan: Path | None = None
    clients: list[AgentClient] = field(default_factory=list)
    last: Snapshot = field(default_factory=Snapshot)

    def write(self, plan: str) -> None:
        self.plan = self.folder / "plan.yaml"
        self.plan.write_text("schema: 1\nid: triage\ntitle: Triage\n" + plan)
        self.workspace = workspace_for(self.workspace.root, self.plan)

    async def client(self, who: str = "ann", *, read_only: bool = False) -> AgentClient:
        await asyncio.to_thread(lambda: ensure_agent(self.workspace, self.plan))
        client = AgentClient()
        self.clients.append(client)
        await client.connect(find_socket(self.workspace))
        await client.hello({"who": who, "host": "h", "tty": f"pts/{who}"}, read_only=read_only)
        return client

    async def see(self, client: AgentClient, holds: Callable[[Snapshot], object], seconds: float = 40.0) -> Snapshot:
        try:
            async with asyncio.timeout(seconds):
                async for self.last in client.snapshots():
                    if holds(self.last):
                        return self.last
        except TimeoutError:
            said = [f"{p.status} {p.subject}: {p.what} [{p.known}] waits {p.waiting}" for p in self.last.problems]
            pytest.fail("it did not come to that; problems:\n" + "\n".join(said), pytrace=False)
        raise AssertionError("the line ended")

    async def known(self, client: AgentClient, subject: str, entry: str) -> tuple[Problem, KnownIssueView]:
        """Wait until a problem is recognised; return it, and its entry."""

        def problem(now: Snapshot) -> Problem | None:
            return next((p for p in now.problems if p.subject == subject and p.known == entry), None)

        snapshot = await self.see(client, problem)
        found = problem(snapshot)
        assert found is not None
        return found, next(view for view in snapshot.known_issues if view.id == entry)

    async def diagnose(self, client: AgentClient, problem: Problem) -> list[dict[str, Any]]:
        """Run the entry's commands, as a screen does: look, then one after the other."""
        about = problem.service or problem.check or problem.subject
        asked = {"entry": problem.known, "about": about}
        view = await client.request("issue.look", **asked)
        results = []
        for number in range(len(view["diagnose"])):
            results += await client.request("issue.diagnose", **asked, command=number, token="t")
        return results


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def held_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    if "DOCKER_HOST" not in os.environ:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-docker.sock")
    folder = tmp_path / "plan"
    folder.mkdir()
    made = Room(folder, workspace_for(tmp_path / "state", None))
    yield made
    for client in made.clients:
        await client.aclose()
    await asyncio.to_thread(stop, made.workspace)
