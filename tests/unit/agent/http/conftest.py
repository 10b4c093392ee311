from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from tests.unit.agent.agent_fakes import FakeHub
from websockets.asyncio.client import unix_connect

from switchover.agent.http.api_server import ApiServer
from switchover.agent.http.api_sources import ApiSources
from switchover.applications.applications import Applications
from switchover.applications.event_file import EventFile
from switchover.clock import SystemClock
from switchover.redaction import sanitize


@dataclass
class Api:
    """A served API with a hub that does as it is told."""

    path: Path
    hub: FakeHub
    sources: ApiSources
    server: ApiServer
    http: httpx.AsyncClient

    async def tell(self, *events: dict[str, Any]) -> httpx.Response:
        body = "\n".join(json.dumps({"v": 1, "at": self.sources.clock.now(), **e}) for e in events)
        return await self.http.post("/monitoring/events", content=body)

    def websocket(self) -> Any:
        return unix_connect(str(self.path), "ws://localhost/monitoring/ws")


@pytest.fixture
async def api(short_dir: Path) -> AsyncIterator[Api]:
    path, hub, clock = short_dir / "run" / "api.sock", FakeHub(), SystemClock()
    sources = ApiSources(
        cast("Any", hub), clock, EventFile(short_dir / "apps.sqlite"), sanitize, Applications(clock), "1.0"
    )
    server = ApiServer(sources, path, short_dir / "api.token", ("127.0.0.1", 0))
    server.listen()
    async with httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=str(path)), base_url="http://localhost", timeout=30
    ) as http:
        yield Api(path, hub, sources, server, http)
    await server.aclose()
