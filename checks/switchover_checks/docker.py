"""`docker`: the state of a container, its health check, its restarts. No daemon to ask is unknown, never fine."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, ProbeError, Result, Status
from switchover_checks.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in

__all__ = ["DockerCheck", "DockerConfig"]

_ANY_VERSION = "1.41"
_USUAL = "unix:///var/run/docker.sock"

NAMES: Mapping[str, NameType] = {
    "state": "text",
    "health": "text",
    "restarts": "number",
    "exit": "number",
    "oom_killed": "bool",
    "image": "text",
    "uptime": "duration",
    "labels": "any",
}


@dataclass(frozen=True)
class DockerConfig:
    """Which container, and what must be true of it. Without expectations it runs, and is healthy if it can tell.

    `host` is the daemon's address (`unix:///run/docker.sock`); without it the environment decides, as for `docker`.
    """

    container: str
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    host: str | None = None


class DockerCheck:
    """Look at a container."""

    kind: ClassVar[str] = "docker"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = DockerConfig

    async def probe(self, cfg: DockerConfig, ctx: Context) -> Result:
        """Ask the daemon once, in a thread."""
        ctx.enter("connect")
        seconds = max(1.0, ctx.deadline - time.monotonic())
        data = await ctx.in_thread(lambda: _inspect(cfg, seconds))
        if data is None:
            return Result.of([Finding.compare("container", cfg.container, "there is none of this name", False)])
        ctx.enter("assert")
        facts = _facts(data)
        findings = [e.check(facts) for e in cfg.expect]
        if not any("state" in e.names for e in cfg.expect):
            findings.insert(0, Finding.compare("state", "running", facts["state"], facts["state"] == "running"))
        if "health" in facts and isinstance(facts["health"], str) and not any("health" in e.names for e in cfg.expect):
            findings.append(_health(facts["health"], data))
        return Result.of(findings, ok=f"{facts['state']}, {facts['restarts']} restarts")


def _inspect(cfg: DockerConfig, seconds: float) -> dict[str, Any] | None:
    import docker
    import requests
    from docker.errors import APIError, DockerException, NotFound

    known: dict[str, Any] = {"base_url": cfg.host} if cfg.host else docker.utils.kwargs_from_env()
    known["timeout"] = max(1, int(seconds))
    where = str(known.get("base_url") or _USUAL)
    _knock(where)
    try:
        # A client that asks for the version by itself leaks its connection when nobody answers.
        with closing(docker.APIClient(version=_ANY_VERSION, **known)) as client:
            version = str(client.version(api_version=False)["ApiVersion"])
        with closing(docker.APIClient(version=version, **known)) as client:
            data = client.inspect_container(cfg.container)
    except NotFound:
        return None
    except APIError as error:
        raise ProbeError(f"the Docker daemon refuses: {error.explanation or error}", status=Status.UNKNOWN) from None
    except (KeyError, TypeError, ValueError):
        raise ProbeError("the Docker daemon answered nonsense", status=Status.UNKNOWN) from None
    except (DockerException, requests.RequestException, OSError) as error:
        raise ProbeError(
            f"no Docker daemon answers at {where}: {_reason(error)}", phase="connect", status=Status.UNKNOWN
        ) from None
    if not isinstance(data, dict) or not isinstance(data.get("State"), dict):
        raise ProbeError("the Docker daemon answered nonsense", status=Status.UNKNOWN)
    return data


def _knock(where: str) -> None:
    """Raise `ProbeError` when nobody listens at a unix socket; the SDK would leak its own socket then."""
    if not where.startswith("unix:"):
        return
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect("/" + where.removeprefix("unix:").lstrip("/"))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ProbeError(
                f"no Docker daemon answers at {where}: {reason}", phase="connect", status=Status.UNKNOWN
            ) from None


def _facts(data: Mapping[str, Any]) -> dict[str, Any]:
    state = data["State"]
    config = data.get("Config") or {}
    facts: dict[str, Any] = {
        "state": str(state.get("Status") or "unknown"),
        "restarts": data.get("RestartCount", Unavailable("the daemon does not tell")),
        "exit": state.get("ExitCode", Unavailable("the daemon does not tell")),
        "oom_killed": bool(state.get("OOMKilled")),
        "image": str(config.get("Image", "")),
        "labels": config.get("Labels") or {},
        "health": Unavailable("the container has no health check"),
        "uptime": Unavailable("the container does not run"),
    }
    if isinstance(state.get("Health"), dict):
        facts["health"] = str(state["Health"].get("Status"))
    if facts["state"] == "running":
        try:
            began = datetime.fromisoformat(str(state.get("StartedAt"))[:19] + "+00:00").timestamp()
            facts["uptime"] = max(0.0, time.time() - began)
        except ValueError:
            facts["uptime"] = Unavailable("the daemon does not tell")
    return facts


def _health(health: str, data: Mapping[str, Any]) -> Finding:
    status = {"healthy": Status.OK, "starting": Status.WARN, "unhealthy": Status.CRIT}.get(health, Status.UNKNOWN)
    log = data["State"]["Health"].get("Log") or []
    said = str(log[-1].get("Output", "")).strip()[:200] if status is Status.CRIT and log else ""
    return Finding("health", "healthy", f"{health}: {said}" if said else health, status)


def _reason(error: BaseException) -> str:
    """Find the reason of the operating system behind the wrapping of the SDK."""
    seen: BaseException | None = error
    for _ in range(10):
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror.lower()
        inner = next((a for a in getattr(seen, "args", ()) if isinstance(a, BaseException)), None)
        seen = inner or (seen.__cause__ or seen.__context__ if seen is not None else None)
        if seen is None:
            break
    return str(error)[:200]
