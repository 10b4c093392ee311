"""Services through a real agent: real processes that are told of, stopped, and written down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support.warm_program import run_switchover

from switchover.agent.process.agent_record import find_socket
from switchover.agent.process.lifecycle import ensure_agent, stop
from switchover.agent.wire.client import AgentClient
from switchover.errors import LockedError, RefusedError
from switchover.locations import Workspace, workspace_for
from switchover.snapshot import ServiceRow, Snapshot

SLEEPER = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


@dataclass
class Room:
    """An agent over a plan, or over the host alone, and whoever is connected to it."""

    folder: Path
    workspace: Workspace
    plan: Path | None
    clients: list[AgentClient] = field(default_factory=list)

    async def client(self, who: str = "ann", *, read_only: bool = False) -> AgentClient:
        await asyncio.to_thread(lambda: ensure_agent(self.workspace, self.plan))
        client = AgentClient()
        self.clients.append(client)
        await client.connect(find_socket(self.workspace))
        await client.hello({"who": who, "host": "h", "tty": f"pts/{who}"}, read_only=read_only)
        return client

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_switchover(*words, "--state", self.workspace.root)


async def see(client: AgentClient, holds: Callable[[Snapshot], bool]) -> Snapshot:
    async with asyncio.timeout(30):
        async for snapshot in client.snapshots():
            if holds(snapshot):
                return snapshot
    raise AssertionError("the line ended")


def row(snapshot: Snapshot, name: str) -> ServiceRow:
    return next(one for one in (*snapshot.services, *snapshot.found) if one.id == name)


def asking(one: ServiceRow, action: str, confirmation: str = "") -> dict[str, Any]:
    item = {"id": one.id, "identity": one.identity, "seen_at": one.observed_at}
    return {"items": [item], "action": action, "confirmation": confirmation}


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start processes that write their pid to a file, and end them afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, program: str = SLEEPER) -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "-c", program, f"so-test-{name}"], stdout=subprocess.PIPE)
        started.append(child)
        (tmp_path / f"{name}.pid").write_text(str(child.pid))
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    plan = tmp_path / "small.yaml"
    plan.write_text(
        "schema: 1\nid: small\ntitle: Small\nservices:\n"
        f"  api: {{kind: process, pid_file: {tmp_path}/api.pid, every: 1h, owner: web team}}\n"
        f"  db: {{kind: process, pid_file: {tmp_path}/db.pid, every: 1h}}\n"
        "phases:\n  - {id: one, steps: [{id: wait, checklist: [look]}]}\n"
    )
    made = Room(tmp_path, workspace_for(tmp_path / "state", plan), plan)
    yield made
    await leave(made)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Room]:
    made = Room(tmp_path, workspace_for(tmp_path / "state", None), None)
    yield made
    await leave(made)


async def leave(room: Room) -> None:
    for client in room.clients:
        await client.aclose()
    await asyncio.to_thread(stop, room.workspace)


Start = Callable[..., "subprocess.Popen[bytes]"]


async def test_a_process_that_is_killed_is_told_of_though_nobody_asks_for_an_hour(room: Room, children: Start) -> None:
    api, _ = children("api"), children("db")
    client = await room.client()
    seen = await see(client, lambda s: all(r.state == "running" for r in s.services))
    assert (row(seen, "api").pid, row(seen, "api").owner) == (api.pid, "web team")
    api.kill()
    gone = await see(client, lambda s: row(s, "api").state == "stopped")
    assert [p.subject for p in gone.problems] == ["api"]
    assert row(gone, "db").state == "running"


async def test_a_process_is_stopped_for_whoever_asks_and_that_is_on_record(room: Room, children: Start) -> None:
    api, _ = children("api"), children("db")
    client = await room.client()
    seen = await see(client, lambda s: all(r.state == "running" for r in s.services))
    (answer,) = await client.request("service.act", **asking(row(seen, "api"), "stop"))
    assert (answer["id"], answer["ok"]) == ("api", True)
    assert await asyncio.to_thread(api.wait, 10) == -signal.SIGTERM
    told = await see(client, lambda s: row(s, "api").state == "stopped" and any(r.kind == "action" for r in s.timeline))
    assert next(r.text for r in told.timeline if r.kind == "action").startswith("ann: stop api: ")
    (again,) = await client.request("service.act", **asking(row(seen, "api"), "stop"))
    assert not again["ok"]
    verified = await asyncio.to_thread(room.run, "audit", "verify", str(room.plan))
    assert verified.returncode == 0, verified.stderr
    assert "operations.sqlite: whole. 2 records of operations" in verified.stdout
    shown = await asyncio.to_thread(room.run, "audit", "show", str(room.plan), "--run", "operations")
    assert "OperationStarted" in shown.stdout
    assert "by: ann@h on pts/ann" in shown.stdout


async def test_nothing_is_done_to_the_process_that_took_the_place_of_the_one_that_was_seen(
    room: Room, children: Start
) -> None:
    children("db")
    first = children("api")
    client = await room.client()
    seen = await see(client, lambda s: all(r.state == "running" for r in s.services))
    first.kill()
    second = children("api")
    await see(client, lambda s: row(s, "api").pid == second.pid)
    (answer,) = await client.request("service.act", **asking(row(seen, "api"), "kill", "api"))
    assert not answer["ok"]
    assert "another one has taken its place" in answer["text"]
    assert second.poll() is None


async def test_an_agent_that_dies_in_the_middle_says_at_the_next_start_that_nobody_knows(
    room: Room, children: Start
) -> None:
    children("db")
    api = children("api", STUBBORN)
    assert api.stdout is not None
    assert await asyncio.to_thread(api.stdout.readline) == b"up\n"
    client = await room.client()
    seen = await see(client, lambda s: all(r.state == "running" for r in s.services))
    asked = asyncio.create_task(client.request("service.act", **asking(row(seen, "api"), "stop")))
    busy = await see(client, lambda s: any(r.kind == "action" for r in s.timeline))  # it is written down
    assert row(busy, "api").detail.startswith("stopping, asked by ann ")
    agent = busy.header.agent_pid
    handle = os.pidfd_open(agent)
    os.kill(agent, signal.SIGKILL)
    await asyncio.gather(asked, return_exceptions=True)
    await asyncio.to_thread(_wait_for_end, handle)
    told = await see(await room.client(), lambda s: any(r.kind == "action" for r in s.timeline))
    (text,) = [r.text for r in told.timeline if r.kind == "action"]
    assert text == "ann: stop api: not known: the agent ended before it was known what came of it"
    verified = await asyncio.to_thread(room.run, "audit", "verify", str(room.plan))
    assert "operations.sqlite: whole. 2 records of operations" in verified.stdout


async def test_while_a_run_is_open_only_the_one_who_drives_stops_services(room: Room, children: Start) -> None:
    children("api"), children("db")
    ann, ben = await room.client("ann"), await room.client("ben")
    seen = await see(ann, lambda s: all(r.state == "running" for r in s.services))
    await see(ben, lambda s: bool(s.services))
    await ann.request("run.start")
    with pytest.raises(LockedError, match="ann"):
        await ben.request("service.act", **asking(row(seen, "db"), "stop"))
    (answer,) = await ann.request("service.act", **asking(row(seen, "db"), "stop"))
    assert answer["ok"]


async def test_one_who_only_watches_stops_nothing(room: Room, children: Start) -> None:
    api, _ = children("api"), children("db")
    client = await room.client(read_only=True)
    seen = await see(client, lambda s: all(r.state == "running" for r in s.services))
    with pytest.raises(RefusedError, match="only watches"):
        await client.request("service.act", **asking(row(seen, "api"), "stop"))
    assert api.poll() is None


async def test_without_a_plan_what_runs_here_is_found_and_can_be_stopped(host: Room, children: Start) -> None:
    child = children("api")
    name = f"process:{child.pid}"
    client = await host.client()
    seen = await see(client, lambda s: any(r.id == name for r in s.found))
    assert seen.services == ()
    one = row(seen, name)
    with pytest.raises(RefusedError) as refused:
        await client.request("service.act", **asking(one, "kill", "yes"))
    assert refused.value.hint == f"type '{one.name}' exactly"
    command = await client.request("service.command", id=name, what="kill")
    assert command["text"] == f"kill -KILL {child.pid}"
    assert str(child.pid) in (await client.request("service.inspect", id=name))["text"]
    (answer,) = await client.request("service.act", **asking(one, "kill", one.name))
    assert answer["ok"], answer
    assert await asyncio.to_thread(child.wait, 10) == -signal.SIGKILL
    await see(client, lambda s: all(r.id != name or r.state == "stopped" for r in s.found))
    verified = await asyncio.to_thread(host.run, "audit", "verify")
    assert verified.returncode == 0, verified.stderr
    shown = await asyncio.to_thread(host.run, "audit", "show", "--format", "json")
    kinds = [json.loads(line)["type"] for line in shown.stdout.splitlines()]
    assert kinds == ["OperationStarted", "OperationEnded"]


def _wait_for_end(handle: int) -> None:
    import select

    assert select.select([handle], [], [], 20)[0], "the process does not end"
    with contextlib.suppress(OSError):
        os.close(handle)
