"""Questions to HTTP APIs that answer JSON: whatever else comes is told, with the phase in which it did."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from switchover_checks.api import Context, HttpReply, ProbeError, Status
from switchover_checks.language.units import format_bytes

__all__ = ["Api", "JsonAnswer"]

_MOST_BODY = 8 << 20


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """What came: the document, the status, and how long it took (seconds)."""

    document: Any
    status: int
    seconds: float

    def need(self, *keys: str) -> Any:
        """Return what lies below keys. Raise `ProbeError` of the phase `parse` where the answer is another."""
        found = self.document
        for key in keys:
            if not isinstance(found, Mapping) or key not in found:
                raise ProbeError(f"the answer has no {'.'.join(keys)}", phase="parse", status=Status.UNKNOWN)
            found = found[key]
        return found


@dataclass(frozen=True, slots=True)
class Api:
    """An API at an address, and how one logs in there."""

    ctx: Context
    url: str
    user: str = ""
    password: str = ""
    token: str = ""
    key_header: str = "Authorization"
    verify: bool = True

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: object = None,
        params: Mapping[str, str] | None = None,
        also: tuple[int, ...] = (),
    ) -> JsonAnswer:
        """Ask for a JSON document. Raise `ProbeError` for any status but 2xx and `also`, and for what is no JSON."""
        reply = await self.reply(path, method=method, body=body, params=params)
        if reply.status in (401, 403):
            raise ProbeError(f"the login is refused: HTTP {reply.status}{_said(reply)}", phase="auth")
        if not (200 <= reply.status <= 299 or reply.status in also):
            raise ProbeError(f"{path} answers HTTP {reply.status}{_said(reply)}", phase="first_byte")
        if reply.truncated:
            raise ProbeError(
                f"the answer is longer than {format_bytes(_MOST_BODY)}", phase="body", status=Status.UNKNOWN
            )
        try:
            document = json.loads(reply.body) if reply.body.strip() else None
        except (ValueError, RecursionError):
            raise ProbeError(f"{path} answers something else than JSON{_said(reply)}", phase="parse") from None
        return JsonAnswer(document, reply.status, reply.seconds)

    async def reply(
        self, path: str, *, method: str = "GET", body: object = None, params: Mapping[str, str] | None = None
    ) -> HttpReply:
        """Ask, and take whatever comes."""
        headers = {"Accept": "application/json"}
        if self.token:
            bearer = self.key_header == "Authorization"
            headers[self.key_header] = f"Bearer {self.token}" if bearer else self.token
        elif self.user:
            pair = f"{self.user}:{self.password}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        data: bytes | None = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        query = f"?{urlencode(params)}" if params else ""
        url = f"{self.url.rstrip('/')}{path}{query}"
        return await self.ctx.http(method, url, headers=headers, body=data, verify=self.verify, max_body=_MOST_BODY)


def _said(reply: HttpReply) -> str:
    text = " ".join(reply.body[:300].decode("utf-8", "replace").split())[:160]
    return f": {text}" if text else ""
