"""`docker`: the state of a container, its health check, its restarts. No daemon to ask is unknown, never fine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.runtime.docker.docker_errors import DockerAwayError
from switchover_checks.runtime.docker.docker_hosts import named_endpoint, open_client, reason_of, usual_endpoint

__all__ = ["DockerCheck", "DockerConfig"]

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
    """A container, and what must be true of it. Without expectations it runs, and is healthy if it can tell."""

    container: str
    """Its name or id."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `state`, `health`, `restarts`, `exit`, `oom_killed`, `image`, `uptime` and `labels`."""
    host: str | None = None
    """The daemon: `unix:///run/docker.sock`, `tcp://`, `ssh://USER@HOST`. Without it as for the docker command."""


class DockerCheck:
    """Look at a container."""

    kind: ClassVar[str] = "docker"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = DockerConfig
    metrics: ClassVar[tuple[Measured, ...]] = ()
    example: ClassVar[str] = """
    type: docker
    container: postgres
    expect: [state == 'running', restarts == 0]
    """

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
    import requests
    from docker.errors import APIError, DockerException, NotFound

    where = cfg.host or "the usual address"
    try:
        endpoint = named_endpoint(cfg.host) if cfg.host else usual_endpoint()
        where = endpoint.url
        with closing(open_client(endpoint, seconds)) as client:
            data = client.inspect_container(cfg.container)
    except NotFound:
        return None
    except APIError as error:
        raise ProbeError(f"the Docker daemon refuses: {error.explanation or error}", status=Status.UNKNOWN) from None
    except (DockerAwayError, DockerException, requests.RequestException, OSError) as error:
        raise ProbeError(
            f"no Docker daemon answers at {where}: {reason_of(error)}", phase="connect", status=Status.UNKNOWN
        ) from None
    except (KeyError, TypeError, ValueError):
        raise ProbeError("the Docker daemon answered nonsense", status=Status.UNKNOWN) from None
    if not isinstance(data, dict) or not isinstance(data.get("State"), dict):
        raise ProbeError("the Docker daemon answered nonsense", status=Status.UNKNOWN)
    return data


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
