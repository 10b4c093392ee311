"""The WebSocket: what is there first, then what changes. A client that does not read is let go, alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from switchover.snapshot import AlertRow

if TYPE_CHECKING:
    from switchover.agent.http.api_sources import ApiSources

__all__ = ["ApiStream"]

_QUEUE = 32
_LOOK_EVERY_S = 0.25
_TRY_AGAIN = 1013
_GOING_AWAY = 1001
_MOST_CLIENTS = 200
_SEND_WITHIN_S = 20.0
_FLOWS_A_FRAME = 20
_LOG_LINES_A_FRAME = 10


class _Client:
    """One WebSocket: its queue, and the number of its newest frame."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(_QUEUE)
        self.seq = 0
        self.code = 0  # with which it is closed; 0 while it is served
        self.closing = asyncio.Event()

    def put(self, kind: str, data: Any) -> bool:
        """Queue a frame; tell whether there was room."""
        try:
            self.queue.put_nowait((kind, data))
        except asyncio.QueueFull:
            return False
        return True

    def close(self, code: int) -> None:
        self.code = self.code or code
        self.closing.set()


class ApiStream:
    """Serves every WebSocket from one watch on what changes."""

    def __init__(self, sources: ApiSources) -> None:
        self._sources = sources
        self._clients: set[_Client] = set()
        self._watch: asyncio.Task[None] | None = None
        self._told: dict[str, tuple[float | None, float | None]] = {}
        self._alerts: dict[str, AlertRow] = {}

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client until it goes."""
        await self._sources.restore()
        if len(self._clients) >= _MOST_CLIENTS:
            await socket.close(_TRY_AGAIN, "too many clients")
            return
        await socket.accept()
        client = _Client(socket)
        client.put("initial_data", self._everything())
        self._clients.add(client)
        self._sources.health.websockets = len(self._clients)
        if self._watch is None or self._watch.done():
            self._remember()
            self._watch = asyncio.create_task(self._look(), name="api stream")
        tasks = [asyncio.create_task(work) for work in (self._send(client), self._listen(client))]
        tasks.append(asyncio.create_task(client.closing.wait()))  # type: ignore[arg-type]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._clients.discard(client)
            self._sources.health.websockets = len(self._clients)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if client.code:
                with suppress(Exception):  # the line may be broken, or full
                    async with asyncio.timeout(1):
                        await socket.close(client.code)

    async def aclose(self) -> None:
        """Let every client go."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for client in tuple(self._clients):
            client.close(_GOING_AWAY)

    # Inside

    async def _send(self, client: _Client) -> None:
        while True:
            kind, data = await client.queue.get()
            client.seq += 1
            frame = {"type": kind, "seq": client.seq, "at": self._sources.clock.now(), "data": data}
            async with asyncio.timeout(_SEND_WITHIN_S):
                await client.socket.send_text(msgspec.json.encode(frame, enc_hook=str).decode())

    async def _listen(self, client: _Client) -> None:
        """Take notice that it goes; what it says means nothing."""
        with suppress(WebSocketDisconnect):
            while True:
                await client.socket.receive_text()

    async def _look(self) -> None:
        while self._clients:
            await asyncio.sleep(_LOOK_EVERY_S)
            self._sources.applications.settle()
            for kind, data in self._news():
                for client in tuple(self._clients):
                    if not client.put(kind, data):
                        self._sources.health.dropped_clients += 1
                        self._clients.discard(client)
                        self._sources.health.websockets = len(self._clients)
                        client.close(_TRY_AGAIN)

    def _everything(self) -> dict[str, Any]:
        apps, snapshot = self._sources.applications, self._sources.hub.snapshot
        return {
            "stats": apps.stats(),
            "workflows": [flow.document(whole=False) for flow in apps.workflows.in_order()][:200],
            "metrics": self._rows(all_of_them=True),
            "alerts": msgspec.to_builtins(snapshot.alerts, enc_hook=str),
        }

    def _remember(self) -> None:
        self._rows(all_of_them=True)
        self._alerts = {row.key: row for row in self._sources.hub.snapshot.alerts}
        self._sources.applications.workflows.changed.clear()
        self._sources.applications.numbers.changed.clear()

    def _news(self) -> list[tuple[str, Any]]:
        """Return what changed since the last look, as frames."""
        apps = self._sources.applications
        found: list[tuple[str, Any]] = []
        if rows := self._rows(all_of_them=False):
            found.append(("metric_update", rows))
        changed, apps.workflows.changed = apps.workflows.changed, set()
        known = [apps.workflows.known[name] for name in changed if name in apps.workflows.known]
        flows = [flow.document(whole=True, log_lines=_LOG_LINES_A_FRAME) for flow in known]
        found += [("workflow_update", flows[i : i + _FLOWS_A_FRAME]) for i in range(0, len(flows), _FLOWS_A_FRAME)]
        now = {row.key: row for row in self._sources.hub.snapshot.alerts}
        begun, over = now.keys() - self._alerts.keys(), self._alerts.keys() - now.keys()
        found += [("alert", _alert("firing", now[key])) for key in begun]
        found += [("alert", _alert("resolved", self._alerts[key])) for key in over]
        self._alerts = now
        return found

    def _rows(self, *, all_of_them: bool) -> list[dict[str, Any]]:
        """Return the metrics, or those that moved since this was asked last."""
        numbers = self._sources.applications.numbers
        rows: list[dict[str, Any]] = []
        for row in self._sources.hub.snapshot.metrics:
            now = (row.observed_at, row.latest)
            if all_of_them or self._told.get(row.name) != now:
                rows.append({"name": row.name, "labels": {}, "value": row.latest, "at": row.observed_at})
                self._told[row.name] = now
        changed, numbers.changed = numbers.changed, set()
        for key in numbers.series if all_of_them else changed:
            series = numbers.series[key]
            rows.append(
                {"name": series.name, "labels": dict(series.labels), "value": series.value, "at": series.points[-1][0]}
            )
        return rows


def _alert(state: str, row: AlertRow) -> dict[str, Any]:
    return {"state": state, **msgspec.to_builtins(row, enc_hook=str)}
