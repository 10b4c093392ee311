"""Answers of the Docker API, cut to what is read, and a daemon that gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

STARTED = "2026-01-31T14:02:31.042123456Z"


def attributes(status: str = "running", name: str = "pg", restarts: int = 0, **state: Any) -> dict[str, Any]:
    """Return what inspecting a container says."""
    return {
        "Id": f"{name}-id",
        "Name": f"/{name}",
        "Image": "sha256:0123456789abcdef",
        "RestartCount": restarts,
        "State": {"Status": status, "ExitCode": 0, "StartedAt": STARTED, **state},
        "Config": {"Image": "postgres:15", "Env": ["PASSWORD=t0p"], "Cmd": ["postgres"], "User": ""},
        "HostConfig": {"NetworkMode": "none"},
        "Mounts": [],
        "NetworkSettings": {"Ports": {}},
    }


def summary(state: str = "running", name: str = "pg", status: str = "Up 5 minutes", **labels: str) -> dict[str, Any]:
    """Return a container's entry in the list; `labels` are those of Compose."""
    return {
        "Id": f"{name}-id",
        "Names": [f"/{name}"],
        "Image": "postgres:15",
        "ImageID": "sha256:0123456789abcdef",
        "State": state,
        "Status": status,
        "Ports": [],
        "Labels": {f"com.docker.compose.{key}": value for key, value in labels.items()},
    }


class StandInApi:
    """The SDK's low-level client as far as it is used; `calls` says what was asked of it."""

    def __init__(self, *known: dict[str, Any]) -> None:
        self.known = {one["Name"].lstrip("/"): one for one in known}
        self.calls: list[str] = []
        self.closed = False
        self.timeout = 4.0

    def inspect_container(self, name: str) -> dict[str, Any]:
        from docker.errors import NotFound

        self.calls.append(f"inspect {name}")
        if name not in self.known:
            raise NotFound(f"no such container {name}")
        return self.known[name]

    def containers(self, *, all: bool) -> list[dict[str, Any]]:  # noqa: A002
        self.calls.append("list")
        checks = {name: (one["State"].get("Health") or {}).get("Status") for name, one in self.known.items()}
        words = {name: f"Up 1 hour ({check})" if check else "Up 1 hour" for name, check in checks.items()}
        return [summary(one["State"]["Status"], name, words[name]) for name, one in self.known.items()]

    def ping(self) -> str:
        self.calls.append("ping")
        return "OK"

    def close(self) -> None:
        self.closed = True


def connecting(*clients: StandInApi | Exception) -> Callable[[str, float | None], Any]:
    """Return a `connect` that gives these one after another, the last one ever after."""
    rest: Iterator[StandInApi | Exception] = iter(clients)
    last: list[StandInApi | Exception] = []

    def connect(host: str, quiet: float | None) -> Any:
        client = next(rest, last[-1] if last else ConnectionRefusedError(111, "Connection refused"))
        last[:] = [client]
        if isinstance(client, Exception):
            raise client
        return client

    return connect
