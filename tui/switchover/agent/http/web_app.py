"""The application that answers: routes over HTTP and the WebSocket. Imported with the first connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route as HttpRoute
from starlette.routing import WebSocketRoute

from switchover.agent.http.api_stream import ApiStream
from switchover.agent.http.openapi import ROUTES, WEBSOCKET_PATH
from switchover.agent.http.routes import HttpAnswers

if TYPE_CHECKING:
    from switchover.agent.http.api_sources import ApiSources

__all__ = ["build_app"]


def build_app(sources: ApiSources) -> tuple[Starlette, ApiStream]:
    """Return the application, and its stream, which is closed before the server is."""
    answers, stream = HttpAnswers(sources), ApiStream(sources)
    routes = [HttpRoute(r.path.replace("}", ":path}"), getattr(answers, r.answer), methods=[r.method]) for r in ROUTES]
    return Starlette(
        routes=[*routes, WebSocketRoute(WEBSOCKET_PATH, stream.serve)],
        exception_handlers={HTTPException: answers.refused},
    ), stream
