"""A stand-in for the API server of Kubernetes: deployments and pods, listed, watched and patched as its reference says.

The real kubectl talks to it. What a test changes through `put` and `remove` is sent to everybody who watches.
"""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.stand_ins.loopback import Answers, serving

__all__ = ["KubernetesApi", "kubernetes_api"]

_KINDS = {"deployments": ("apps/v1", "Deployment"), "pods": ("v1", "Pod")}
_PATH = re.compile(
    r"/(api/v1|apis/apps/v1)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<kind>deployments|pods)(?:/(?P<name>[^/]+))?(?P<sub>/\w+)?$"
)
_VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def _resource(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": _VERBS}


_DISCOVERY: dict[str, dict[str, Any]] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [
            {
                "name": "apps",
                "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
                "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
            }
        ],
    },
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [_resource("pods", "Pod")]},
    "/apis/apps/v1": {
        "kind": "APIResourceList",
        "groupVersion": "apps/v1",
        "resources": [
            _resource("deployments", "Deployment"),
            {
                "name": "deployments/scale",
                "singularName": "",
                "namespaced": True,
                "group": "autoscaling",
                "version": "v1",
                "kind": "Scale",
                "verbs": ["get", "patch", "update"],
            },
        ],
    },
}


@dataclass
class KubernetesApi:
    """What there is, by kind and (namespace, name). `denied`: `list pods`, or `list pods *` for all namespaces.

    `logs` are the lines of a pod with their times.
    """

    url: str = ""
    objects: dict[str, dict[tuple[str, str], dict[str, Any]]] = field(
        default_factory=lambda: {"deployments": {}, "pods": {}}
    )
    denied: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    logs: dict[str, list[str]] = field(default_factory=dict)
    watching: list[tuple[str, str, queue.Queue[dict[str, Any] | None]]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    version: int = 100

    def put(self, kind: str, item: dict[str, Any]) -> None:
        """Add or change an object."""
        key = (item["metadata"]["namespace"], item["metadata"]["name"])
        with self.lock:
            self.version += 1
            item["metadata"]["resourceVersion"] = str(self.version)
            word = "MODIFIED" if key in self.objects[kind] else "ADDED"
            self.objects[kind][key] = item
            self._send(kind, key[0], {"type": word, "object": self.full(kind, item)})

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """Take an object away."""
        with self.lock:
            self.version += 1
            item = self.objects[kind].pop((namespace, name))
            self._send(kind, namespace, {"type": "DELETED", "object": self.full(kind, item)})

    def end_watches(self) -> None:
        """End every watch, as the server does after a while."""
        with self.lock:
            for _, _, waiting in self.watching:
                waiting.put(None)

    def full(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        """Return an object with its version and kind."""
        version, name = _KINDS[kind]
        return {"apiVersion": version, "kind": name, **item}

    def kubeconfig(self, folder: Path, namespace: str = "shop") -> Path:
        """Write the file that leads here."""
        context = {"cluster": "here", "user": "operator", "namespace": namespace}
        path = folder / "kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "here", "cluster": {"server": self.url}}],
                    "users": [{"name": "operator", "user": {"token": "t0ken-canary"}}],
                    "contexts": [{"name": "here", "context": context}],
                    "current-context": "here",
                }
            )
        )
        return path

    def _send(self, kind: str, namespace: str, event: dict[str, Any]) -> None:
        for watched, where, waiting in self.watching:
            if watched == kind and where in ("", namespace):
                waiting.put(json.loads(json.dumps(event)))


def _handler(state: KubernetesApi) -> type[Answers]:
    class Answer(Answers, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            with state.lock:
                state.asked.append(f"GET {parts.path}")
            if parts.path in _DISCOVERY:
                self.answer_json(200, {"apiVersion": "v1", **_DISCOVERY[parts.path]})
                return
            match = _PATH.fullmatch(parts.path)
            if match is None:
                self._refuse(404, "NotFound", "the server could not find the requested resource")
                return
            namespace, kind, name = match["namespace"] or "", match["kind"], match["name"]
            if match["sub"] == "/log":
                self._log(name)
                return
            if name:
                self._one(kind, namespace, name, match["sub"] or "")
                return
            verb = "watch" if "watch" in parse_qs(parts.query) else "list"
            if not self._allowed(verb, kind, namespace):
                return
            if verb == "watch":
                self._watch(kind, namespace)
                return
            with state.lock:
                version, word = _KINDS[kind]
                items = [item for key, item in state.objects[kind].items() if namespace in ("", key[0])]
                for pair in parse_qs(parts.query).get("labelSelector", [""])[0].split(","):
                    label, _, value = pair.partition("=")
                    items = [item for item in items if not label or item["metadata"]["labels"].get(label) == value]
                head = {"kind": f"{word}List", "apiVersion": version}
                self.answer_json(200, {**head, "metadata": {"resourceVersion": str(state.version)}, "items": items})

        def do_PATCH(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            with state.lock:
                state.asked.append(f"PATCH {parts.path} {body.decode()}")
            match = _PATH.fullmatch(parts.path)
            if match is None or not match["name"]:
                self._refuse(404, "NotFound", "the server could not find the requested resource")
                return
            namespace, kind, name = match["namespace"] or "", match["kind"], match["name"]
            if not self._allowed("patch", kind, namespace):
                return
            with state.lock:
                item = state.objects[kind].get((namespace, name))
                if item is None:
                    self._one(kind, namespace, name, "")
                    return
                change = json.loads(body)
                _merge(item, change)
                state.put(kind, item)
            self._one(kind, namespace, name, match["sub"] or "")

        def _one(self, kind: str, namespace: str, name: str, sub: str) -> None:
            item = state.objects[kind].get((namespace, name))
            if item is None:
                group = "deployments.apps" if kind == "deployments" else kind
                self._refuse(404, "NotFound", f'{group} "{name}" not found')
            elif sub == "/scale":
                meta = {"name": name, "namespace": namespace, "resourceVersion": str(state.version)}
                replicas = item["spec"]["replicas"]
                body = {"metadata": meta, "spec": {"replicas": replicas}, "status": {"replicas": replicas}}
                self.answer_json(200, {"kind": "Scale", "apiVersion": "autoscaling/v1", **body})
            else:
                self.answer_json(200, state.full(kind, item))

        def _allowed(self, verb: str, kind: str, namespace: str) -> bool:
            words = {f"{verb} {kind}"} | ({f"{verb} {kind} *"} if not namespace else set())
            if not words & state.denied:
                return True
            group = "apps" if kind == "deployments" else ""
            where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
            self._refuse(
                403,
                "Forbidden",
                f'{kind}{".apps" if group else ""} is forbidden: User "operator" cannot {verb} resource '
                f'"{kind}" in API group "{group}" {where}',
            )
            return False

        def _log(self, name: str) -> None:
            body = "".join(f"{line}\n" for line in state.logs.get(name, ())).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _watch(self, kind: str, namespace: str) -> None:
            waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
            entry = (kind, namespace, waiting)
            with state.lock:
                state.watching.append(entry)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with suppress(OSError):
                while (event := waiting.get()) is not None:
                    data = json.dumps(event).encode() + b"\n"
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.write(b"0\r\n\r\n")
            with state.lock:
                state.watching.remove(entry)
            self.close_connection = True

        def _refuse(self, code: int, reason: str, message: str) -> None:
            body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
            self.answer_json(code, {**body, "message": message})

    return Answer


def _merge(item: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(item.get(key), dict):
            _merge(item[key], value)
        else:
            item[key] = value


@contextmanager
def kubernetes_api() -> Iterator[KubernetesApi]:
    """Serve on a loopback port."""
    state = KubernetesApi()
    with serving(_handler(state)) as state.url:
        try:
            yield state
        finally:
            state.end_watches()
