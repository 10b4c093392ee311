"""The API over real sockets: a Unix socket and a loopback port, with httpx and the `websockets` library as clients."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from tests.unit.agent.http.conftest import Api
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from switchover.agent.http.api_server import parse_address
from switchover.agent.http.openapi import ROUTES
from switchover.errors import UsageError
from switchover.hub.history.metric_past import MetricPast
from switchover.metrics.sampler import Sampler
from switchover.plan.kind_calls import KindCalls
from switchover.snapshot import AlertRow, MetricRow


async def frame(line: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            found = json.loads(await line.recv())
            if found["type"] == kind:
                return cast("dict[str, Any]", found)


async def test_the_server_is_imported_with_the_first_connection_alone() -> None:
    code = (
        "import sys, switchover.agent.process.agent_process, switchover.agent.http.api_server;"
        "sys.exit('uvicorn' in sys.modules or 'starlette' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0


async def test_every_route_of_the_description_answers(api: Api) -> None:
    document = (await api.http.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    await api.tell({"kind": "ai", "name": "claude", "data": {"cost": 1, "workflow": "w"}})
    for route in ROUTES:
        path = route.path.format(name="ai_cost", workflow_id="w") if "{" in route.path else route.path
        answer = await api.http.request(route.method, path)
        assert answer.status_code == 200, route.path
        assert route.path in document["paths"]


async def test_what_an_application_tells_is_seen_at_once_and_kept(api: Api) -> None:
    answer = await api.tell({"kind": "ai", "name": "claude", "data": {"cost": "0.5", "prompt": 7}})
    assert answer.json() == {"taken": 1, "repeated": 0, "refused": 0, "errors": [], "kept": True}
    assert (await api.http.get("/monitoring/stats")).json()["ai_costs_today"] == 0.5
    assert len(api.sources.file.read(api.sources.clock.now())) == 1


async def test_wrong_input_is_refused_with_the_reason(api: Api) -> None:
    refused = await api.http.post("/monitoring/events", content=b"{}")
    assert (refused.status_code, refused.json()["refused"]) == (422, 1)
    assert (await api.http.get("/monitoring/metrics/none")).json() == {"error": "there is no metric 'none'"}
    for hours in ("x", "0", "-1", "nan", "1e9"):
        assert (await api.http.get(f"/monitoring/metrics/x?hours={hours}")).status_code == 400
    assert (await api.http.post("/monitoring/events", content=b" " * (5 << 20))).status_code == 413
    assert (await api.http.get("/monitoring/workflows/none")).status_code == 404


async def test_names_with_a_slash_are_found_and_a_wrong_path_is_refused_in_json(api: Api) -> None:
    words = {"workflow": "feature/x", "state": "started"}
    await api.tell({"kind": "workflow", "name": "w", "data": words})
    await api.tell({"kind": "metric", "name": "disk//a", "data": {"value": 1, "type": "gauge"}})
    assert (await api.http.get("/monitoring/workflows/feature%2Fx")).json()["id"] == "feature/x"
    assert (await api.http.get("/monitoring/metrics/disk%2F%2Fa")).json()["name"] == "disk//a"
    for path in ("/monitoring/none", "/monitoring/metrics/"):
        answer = await api.http.get(path)
        assert (answer.status_code, list(answer.json())) == (404, ["error"])
    assert (await api.http.put("/monitoring/stats")).json() == {"error": "Method Not Allowed"}


async def test_points_of_a_plans_metric_come_from_its_past(api: Api, tmp_path: Path) -> None:
    now = api.sources.clock.now()
    sampler = Sampler({}, KindCalls(), api.sources.clock)
    sampler.tracks["host.cpu"].fresh.extend([(now - 20, 1.5), (now - 10, 3.25)])
    api.hub.past = MetricPast(tmp_path / "t.sqlite", sampler, api.sources.clock)
    row = MetricRow("host.cpu", "host", "%", (), 3.25, observed_at=now, step_s=2.0)
    api.hub.publish(metrics=(row,))
    (series,) = (await api.http.get("/monitoring/metrics/host.cpu?hours=1")).json()["series"]
    assert [value for _, value in series["points"]] == [1.5, 3.25]


async def test_a_port_wants_the_token_and_its_own_name(api: Api) -> None:
    token = (api.path.parent.parent / "api.token").read_text().strip()
    base = f"http://127.0.0.1:{api.server.port}"
    async with httpx.AsyncClient(base_url=base, timeout=30) as http:

        async def status(**headers: str) -> int:
            return (await http.get("/monitoring/stats", headers=headers)).status_code

        assert await status() == 401
        assert await status(Authorization="Bearer wrong") == 401
        assert await status(Authorization=f"Bearer {token}") == 200
        assert await status(Authorization=f"Bearer {token}", Host="evil.example") == 421
        assert await status(Authorization=f"Bearer {token}", Origin="http://evil.example") == 403
    assert (api.path.parent.parent / "api.token").stat().st_mode & 0o777 == 0o600
    assert api.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["0.0.0.0:80", "example.org:80", "127.0.0.1", ":x", "127.0.0.1:99999"])
def test_only_a_loopback_port_is_served(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


async def test_a_websocket_gets_what_is_there_then_what_changes(api: Api) -> None:
    async with api.websocket() as line:
        first = json.loads(await line.recv())
        assert (first["type"], first["seq"]) == ("initial_data", 1)
        await api.tell({"kind": "step", "name": "a", "data": {"workflow": "w", "state": "started"}})
        assert (await frame(line, "workflow_update"))["data"][0]["step"] == "a"
        api.hub.publish(alerts=(AlertRow("cpu > 80%", "hot", 1.0, name="hot"),))
        assert (await frame(line, "alert"))["data"]["state"] == "firing"
        api.hub.publish(alerts=())
        assert (await frame(line, "alert"))["data"]["state"] == "resolved"


async def test_a_client_that_does_not_read_is_let_go_and_the_others_lose_nothing(api: Api) -> None:
    frozen = socket.socket(socket.AF_UNIX)
    frozen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    frozen.connect(str(api.path))
    frozen.sendall(
        b"GET /monitoring/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    async with api.websocket() as line:
        seen: list[int] = []

        async def read() -> None:
            async for text in line:
                seen.append(json.loads(text)["seq"])  # noqa: PERF401 - one by one, as they come

        reading = asyncio.create_task(read())
        while not api.sources.health.dropped_clients:
            await api.tell(*({"kind": "log", "name": "x" * 190, "data": {"workflow": f"w{n}"}} for n in range(200)))
        before = len(seen)
        while len(seen) == before:  # the other one goes on
            await api.tell({"kind": "log", "name": "y", "data": {"workflow": "w"}})
        assert seen == list(range(1, len(seen) + 1))
        assert (api.sources.health.dropped_clients, api.sources.health.websockets) == (1, 1)
        reading.cancel()
    frozen.close()


async def test_the_agent_ends_at_once_though_clients_are_connected(api: Api) -> None:
    lines = [await api.websocket() for _ in range(3)]
    for line in lines:
        await line.recv()
    await api.server.aclose()
    for line in lines:
        with pytest.raises(ConnectionClosed):
            await frame(line, "never")
    assert not api.path.exists()


async def test_what_prometheus_scrapes_is_well_formed(api: Api) -> None:
    await api.tell(
        {"kind": "metric", "name": "odd name", "data": {"value": 1, "type": "gauge", "labels": {"a": 'q"\\'}}},
        {"kind": "tests", "name": "unit", "data": {"passed": 3, "failed": 0, "seconds": 2}},
    )
    text = (await api.http.get("/metrics")).text
    from switchover_checks.kinds.observing import openmetrics

    assert openmetrics
    assert 'app_odd_name{a="q\\"\\\\"} 1.0' in text
    assert 'app_test_execution_time_bucket{test_type="unit",le="5.0"} 1' in text
