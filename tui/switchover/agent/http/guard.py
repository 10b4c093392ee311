"""Who may use the API: over its socket whoever can open it, over TCP whoever has the token."""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchover.private_files import read_private, replace_private

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["ApiGuard", "token_of"]

_TOKEN_BYTES = 32


def token_of(path: Path) -> str:
    """Return the token of the file, made where there is none. Raise `OSError`."""
    try:
        found = read_private(path, 1000).decode("ascii", "replace").strip()
    except FileNotFoundError:
        found = ""
    if len(found) >= 16:
        return found
    made = secrets.token_urlsafe(_TOKEN_BYTES)
    replace_private(path, made.encode() + b"\n")
    return made


class ApiGuard:
    """Lets requests through to an application. A `token` is asked for on TCP alone.

    A browser's page of another origin is refused on both: it could reach a loopback port.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: frozenset[str]) -> None:
        self._app = app
        self._token = token
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in {"http", "websocket"}:
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            await _answer(send, *refusal)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if b"origin" in headers:
            return 403, "pages of a browser have no access"
        if scope.get("client") is None or not self._token:  # the Unix socket: its folder is the check
            return None
        if headers.get(b"host", "").lower() not in self._hosts:
            return 421, "this host name is not served"
        scheme, _, given = headers.get(b"authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token.encode()):
            return 401, "a bearer token is needed: it lies in the agent's folder, see `switchover api`"
        return None


async def _answer(send: Any, status: int, text: str) -> None:
    import json

    body = json.dumps({"error": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
