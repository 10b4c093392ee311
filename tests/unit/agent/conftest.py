from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.unit.agent.agent_fakes import FakeEngine, FakeHub, target_of

from switchover.agent.server.server import AgentServer, Identity
from switchover.agent.wire.client import AgentClient


@dataclass
class Bench:
    """A server on a socket of its own, with fakes behind it."""

    socket: Path
    hub: FakeHub
    engine: FakeEngine
    server: AgentServer
    stops: list[int]
    clients: list[AgentClient] = field(default_factory=list)

    async def client(self, *, read_only: bool = False, who: str = "ann", **options: Any) -> AgentClient:
        client = AgentClient(**options)
        self.clients.append(client)
        await client.connect(self.socket)
        await client.hello({"who": who, "host": "h", "tty": "pts/1"}, read_only=read_only)
        return client


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="so-") as name:
        yield Path(name)


def _named(text: str) -> str:
    return text.replace("PLAN", "my.yaml")


@pytest.fixture
async def bench(short_dir: Path) -> AsyncIterator[Bench]:
    hub, engine, stops = FakeHub(), FakeEngine(), []
    identity = Identity("1.0", "/w", "/plan.yaml", "d1g3st")
    server = AgentServer(target_of(hub, engine, fill_in=_named), identity, stop=lambda: stops.append(1))
    socket = short_dir / "run" / "a.sock"
    await server.listen(socket)
    made = Bench(socket, hub, engine, server, stops)
    yield made
    for client in made.clients:
        await client.aclose()
    await server.close()
