"""The API's answers over HTTP. Each is JSON, but for `/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from switchover.agent.http.exposition import exposition
from switchover.agent.http.openapi import openapi
from switchover.applications.app_events import MOST_BYTES
from switchover.applications.app_numbers import MOST_POINTS, AppSeries
from switchover.snapshot import MetricRow

if TYPE_CHECKING:
    from switchover.agent.http.api_sources import ApiSources

__all__ = ["HttpAnswers"]

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_LONGEST_HOURS = 24.0 * 30


class HttpAnswers:
    """One method a route. Wrong input is answered with 4xx and the reason."""

    def __init__(self, sources: ApiSources) -> None:
        self._sources = sources

    async def stats(self, _: Request) -> Response:
        """Answer with the figures of today and of the week."""
        await self._ready()
        return _json(self._sources.applications.stats())

    async def metrics(self, _: Request) -> Response:
        """Every series' name, unit and newest value."""
        await self._ready()
        rows = [_head(row) for row in self._sources.hub.snapshot.metrics]
        rows += [_pushed(series, points=False) for series in self._sources.applications.numbers.series.values()]
        return _json({"metrics": rows})

    async def metric(self, request: Request) -> Response:
        """One metric's points of the last `hours`."""
        await self._ready()
        name, hours = request.path_params["name"], _hours(request)
        if hours is None:
            return _refused(400, f"hours is a number above 0, at most {_LONGEST_HOURS:.0f}")
        since = self._sources.clock.now() - hours * 3600
        found = [
            _pushed(series, points=True, since=since) for series in self._sources.applications.numbers.of_name(name)
        ]
        rows = [row for row in self._sources.hub.snapshot.metrics if row.name == name]
        found += [_head(row) | {"points": await self._past(row, since, hours)} for row in rows]
        if not found:
            return _refused(404, f"there is no metric {name!r}")
        return _json({"name": name, "hours": hours, "series": found})

    async def workflows(self, _: Request) -> Response:
        """Every workflow of the last 7 days, those that go on first."""
        await self._ready()
        flows = self._sources.applications.workflows.in_order()
        return _json({"workflows": [flow.document(whole=False) for flow in flows]})

    async def workflow(self, request: Request) -> Response:
        """One workflow with its steps and log."""
        await self._ready()
        name = request.path_params["workflow_id"]
        flow = self._sources.applications.workflows.known.get(name)
        return _json(flow.document(whole=True)) if flow is not None else _refused(404, f"there is no workflow {name!r}")

    async def usage(self, _: Request) -> Response:
        """Use of AI by day, provider and model. Money as text, by currency."""
        await self._ready()
        rows = [
            {
                "day": day,
                "provider": provider,
                "model": model,
                "calls": use.calls,
                "calls_unpriced": use.unpriced,
                "prompt_tokens": use.prompt,
                "completion_tokens": use.completion,
                "cost": {currency: str(amount) for currency, amount in use.cost.items()},
            }
            for (day, provider, model), use in sorted(self._sources.applications.usage.items())
        ]
        return _json({"usage": rows})

    async def health(self, _: Request) -> Response:
        """How the agent itself fares: `healthy` or `degraded`, and why."""
        sources = self._sources
        await self._ready()
        trouble = [t for t in (sources.health.trouble, sources.trouble) if t]
        if sources.hub.snapshot_age_s > 15:
            trouble.append(f"nothing was looked at for {sources.hub.snapshot_age_s:.0f} s")
        stats, numbers = sources.applications.stats(), sources.applications.numbers
        own = sources.health.document()
        return _json(
            {
                "status": "degraded" if trouble else "healthy",
                "trouble": trouble,
                "version": sources.version,
                "active_workflows": stats["active_workflows"],
                "metrics_count": len(numbers.series) + len(sources.hub.snapshot.metrics),
                "metrics_refused": numbers.refused,
                "memory_usage": f"{own['memory_bytes'] / 1_048_576:.1f} MB",
                **own,
            },
            503 if trouble else 200,
        )

    async def section(self, request: Request) -> Response:
        """One part of what screens show: problems, services, checks or alerts that fire."""
        snapshot = self._sources.hub.snapshot
        name = request.url.path.rsplit("/", 1)[1]
        return _json({"at": snapshot.at, name: msgspec.to_builtins(getattr(snapshot, name), enc_hook=str)})

    async def events(self, request: Request) -> Response:
        """Take in a batch of what an application tells, one JSON object a line."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return _refused(413, f"a batch has at most {MOST_BYTES >> 20} MiB")
        taken = await self._sources.accept(bytes(body))
        status = 422 if taken.refused and not taken.taken and not taken.repeated else 200
        found = {
            "taken": len(taken.taken),
            "repeated": taken.repeated,
            "refused": taken.refused,
            "errors": taken.errors,
            "kept": not self._sources.trouble,
        }
        return _json(found, status)

    async def scrape(self, _: Request) -> Response:
        """Everything as Prometheus scrapes it."""
        await self._ready()
        return Response(exposition(self._sources), media_type=_TEXT)

    async def description(self, _: Request) -> Response:
        """Describe all of this as OpenAPI does."""
        return _json(openapi(self._sources.version))

    async def refused(self, _: Request, error: Exception) -> Response:
        """Say in JSON, too, that there is no such path or method."""
        assert isinstance(error, HTTPException)
        return _refused(error.status_code, error.detail)

    async def _past(self, row: MetricRow, since: float, hours: float) -> list[tuple[float, float | None]]:
        """Return the points of a span: those measured, or the means of as many columns as are worth reading."""
        until, past = self._sources.clock.now(), self._sources.hub.current.past
        count = int(min(hours * 3600 / row.step_s, MOST_POINTS))
        return [
            (at, mean)
            for at, mean, _, _ in await past.columns(row.name, since, until, max(count, 1))
            if mean is not None
        ]

    async def _ready(self) -> None:
        self._sources.health.requests += 1
        await self._sources.restore()
        self._sources.applications.settle()


def _json(document: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(document, enc_hook=str), status, media_type="application/json")


def _refused(status: int, text: str) -> Response:
    return _json({"error": text}, status)


def _hours(request: Request) -> float | None:
    try:
        hours = float(request.query_params.get("hours", "24"))
    except ValueError:
        return None
    return hours if 0 < hours <= _LONGEST_HOURS else None


def _head(row: MetricRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "labels": {},
        "kind": "gauge",
        "unit": row.unit,
        "latest": row.latest,
        "observed_at": row.observed_at,
        "note": row.note,
    }


def _pushed(series: AppSeries, *, points: bool, since: float = 0.0) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": series.name,
        "labels": dict(series.labels),
        "kind": series.kind,
        "unit": "",
        "latest": series.value,
        "observed_at": series.points[-1][0] if series.points else None,
        "note": "",
    }
    if series.kind == "histogram":
        found |= {"count": series.count, "sum": series.total}
    if points:
        found["points"] = [point for point in series.points[-MOST_POINTS:] if point[0] >= since]
    return found
