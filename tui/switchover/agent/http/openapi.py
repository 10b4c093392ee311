"""The API described as OpenAPI 3.1. `ROUTES` is the one list of what is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from switchover.applications.app_events import AppEvent

__all__ = ["ROUTES", "WEBSOCKET_PATH", "Route", "openapi"]

WEBSOCKET_PATH = "/monitoring/ws"


@dataclass(frozen=True, slots=True)
class Route:
    """A path, the method of `HttpAnswers` that answers it, and what it is for."""

    path: str
    answer: str
    summary: str
    method: str = "GET"
    query: tuple[tuple[str, str], ...] = ()


ROUTES = (
    Route("/monitoring/stats", "stats", "The figures of today and of the week"),
    Route("/monitoring/metrics", "metrics", "Every series' name, unit and newest value"),
    Route(
        "/monitoring/metrics/{name}",
        "metric",
        "One metric's points",
        query=(("hours", "how far back, in hours (default 24)"),),
    ),
    Route("/monitoring/workflows", "workflows", "Every workflow of the last 7 days"),
    Route("/monitoring/workflows/{workflow_id}", "workflow", "One workflow with its steps and log"),
    Route("/monitoring/usage", "usage", "Use of AI by day, provider and model"),
    Route("/monitoring/health", "health", "How the agent itself fares; 503 where it is degraded"),
    Route("/monitoring/problems", "section", "What is wrong now, worst first"),
    Route("/monitoring/services", "section", "Every service of the plan"),
    Route("/monitoring/checks", "section", "Every check of the plan"),
    Route("/monitoring/alerts", "section", "The alerts that fire now"),
    Route("/monitoring/events", "events", "Take in what an application tells, a JSON object a line", "POST"),
    Route("/metrics", "scrape", "Everything as Prometheus scrapes it"),
    Route("/openapi.json", "description", "This description"),
)


def openapi(version: str) -> dict[str, Any]:
    """Return the description, made from the routes and from the type of an event."""
    _, components = msgspec.json.schema_components([AppEvent], ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "switchover's agent", "version": version or "0"},
        "paths": paths,
        "components": {
            "schemas": dict(components),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _operation(route: Route) -> dict[str, Any]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    parameters = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]
    parameters += [
        {"name": n, "in": "query", "description": text, "schema": {"type": "number"}} for n, text in route.query
    ]
    kind = "text/plain" if route.answer == "scrape" else "application/json"
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.answer}_{route.path.rsplit('/', 1)[1].strip('{}').replace('.', '_')}",
        "parameters": parameters,
        "responses": {
            "200": {"description": "as asked for", "content": {kind: {}}},
            "default": {"description": "refused; `error` says why", "content": {"application/json": {}}},
        },
    }
    if route.method == "POST":
        schema = {"$ref": "#/components/schemas/AppEvent"}
        operation["requestBody"] = {"required": True, "content": {"application/x-ndjson": {"schema": schema}}}
    return operation
