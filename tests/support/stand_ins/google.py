"""A stand-in for the REST APIs of Google Cloud and its token endpoint: pages, errors and logins as in their references.

Cloud Run v2, SQL Admin v1, Memorystore for Redis v1, Pub/Sub v1, Cloud Logging v2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.stand_ins.loopback import Answers, serving

__all__ = ["GoogleApis", "google_apis", "log_entry", "run_service"]

_LISTS = {"services": "run", "instances": "sql or redis", "subscriptions": "pubsub", "operations": "sql"}
_PAGE = 2


@dataclass
class GoogleApis:
    """What there is, by the path of its collection. `refuse` is (status, error) for each API that refuses."""

    address: str = ""
    things: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    single: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    refuse: tuple[int, dict[str, Any]] | None = None
    asked: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    tokens: int = 0
    revoked: bool = False
    login_ends: bool = False

    def environment(self, folder: Path) -> dict[str, str]:
        """Write a service account's key and return what leads to this stand-in."""
        path = folder / "key.json"
        path.write_text(
            json.dumps(
                {
                    "type": "service_account",
                    "project_id": "shop",
                    "private_key_id": "k",
                    "private_key": _key(),
                    "client_email": "ops@shop.iam.gserviceaccount.com",
                    "client_id": "1",
                    "token_uri": f"{self.address}/token",
                }
            )
        )
        names = ("RUN", "SQL", "REDIS", "PUBSUB", "LOGGING")
        overrides = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": f"{self.address}/" for name in names}
        return {**overrides, "GOOGLE_APPLICATION_CREDENTIALS": str(path), "GOOGLE_CLOUD_REGION": "europe-west1"}

    @property
    def token(self) -> str:
        """The token that counts now."""
        return f"ya29.canary-{self.tokens}"


@cache
def _key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def run_service(name: str = "api", *, ready: str = "api-1", made: str = "", **more: Any) -> dict[str, Any]:
    """Return a Cloud Run service as its API writes it."""
    base = f"projects/shop/locations/europe-west1/services/{name}"
    return {
        "name": base,
        "uid": f"uid-{name}",
        "updateTime": "2026-01-31T14:02:30.123456Z",
        "lastModifier": "eve@shop.example",
        "latestReadyRevision": f"{base}/revisions/{ready}" if ready else "",
        "latestCreatedRevision": f"{base}/revisions/{made or ready}",
        "template": {"containers": [{"image": "shop/api:1", "env": [{"name": "A", "value": "b"}]}]},
        "terminalCondition": {"type": "Ready", "state": "CONDITION_SUCCEEDED"},
        "trafficStatuses": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
        **more,
    }


def log_entry(number: int, text: str = "", *, at: str = "", **more: Any) -> dict[str, Any]:
    """Return an entry of a log."""
    when = at or f"2026-01-31T14:{number // 60:02}:{number % 60:02}Z"
    payload = {"textPayload": text or f"line {number}"} if "jsonPayload" not in more else {}
    return {"insertId": f"id{number}", "timestamp": when, "severity": "INFO", **payload, **more}


def _handler(state: GoogleApis) -> type[Answers]:
    class Answer(Answers, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = unquote(parts.path).replace("//", "/")
            if not self._welcome(f"GET {path}"):
                return
            words = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if path in state.single:
                self.answer_json(200, state.single[path])
            elif path in state.things:
                start = int(words.get("pageToken", "0"))
                page = state.things[path][start : start + _PAGE]
                key = "items" if "/v1/projects" in path and path.count("/") == 4 and "subsc" not in path else ""
                answer: dict[str, Any] = {key or path.rsplit("/", 1)[1]: page} if page else {}
                if start + _PAGE < len(state.things[path]):
                    answer["nextPageToken"] = str(start + _PAGE)
                self.answer_json(200, answer)
            else:
                self._refuse(404, {"status": "NOT_FOUND", "message": "Resource was not found."})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.path == "/token":
                if state.login_ends:
                    self.answer_json(400, {"error": "invalid_grant", "error_description": "Account deleted"})
                    return
                state.tokens += 1
                state.revoked = False
                self.answer_json(200, {"access_token": state.token, "expires_in": 3600, "token_type": "Bearer"})
                return
            path = unquote(self.path).replace("//", "/")
            if not self._welcome(f"POST {path}"):
                return
            if path == "/v2/entries:list":
                self._logs(json.loads(body))
            elif path.endswith("/restart"):
                self.answer_json(200, {"kind": "sql#operation", "operationType": "RESTART", "status": "PENDING"})
            else:
                self._refuse(404, {"status": "NOT_FOUND", "message": "Resource was not found."})

        def _logs(self, asked: dict[str, Any]) -> None:
            state.filters.append(asked["filter"])
            bounds = re.findall(r'timestamp ?(>=|<=) ?"([^"]+)"', asked["filter"])
            found = [
                one
                for one in state.entries
                if all((one["timestamp"] >= at) if sign == ">=" else (one["timestamp"] <= at) for sign, at in bounds)
            ]
            found.sort(key=lambda one: str(one["timestamp"]), reverse=asked.get("orderBy") == "timestamp desc")
            start, size = int(asked.get("pageToken") or 0), min(int(asked.get("pageSize", 50)), _PAGE)
            answer: dict[str, Any] = {"entries": found[start : start + size]} if found[start:] else {}
            if start + size < len(found):
                answer["nextPageToken"] = str(start + size)
            self.answer_json(200, answer)

        def _welcome(self, asked: str) -> bool:
            state.asked.append(asked)
            if self.headers.get("Authorization") != f"Bearer {state.token}" or state.revoked:
                self._refuse(401, {"status": "UNAUTHENTICATED", "message": "Request had invalid credentials."})
                return False
            if state.refuse is not None:
                self._refuse(*state.refuse)
                return False
            return True

        def _refuse(self, code: int, error: dict[str, Any]) -> None:
            self.answer_json(code, {"error": {"code": code, **error}})

    return Answer


@contextmanager
def google_apis() -> Iterator[GoogleApis]:
    """Serve on a loopback port."""
    state = GoogleApis()
    with serving(_handler(state)) as state.address:
        yield state
