"""`docker`: the state of a container, its health check, its restarts. No daemon to ask is unknown, never fine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.runtime.docker.docker_asking import ask_docker

__all__ = ["DockerCheck", "DockerConfig"]

NAMES: Mapping[str, NameType] = {
    "state": "text",
    "health": "text",
    "restarts": "number",
    "exit": "number",
    "oom_killed": "bool",
    "image": "text",
    "image_id": "text",
    "uptime": "duration",
    "labels": "any",
    "restart_policy": "text",
    "memory_limit": "size",
    "networks": "list",
    "mounts": "list",
    "ports": "list",
}


@dataclass(frozen=True)
class DockerConfig:
    """A container, and what must be true of it. Without expectations it runs, and is healthy if it can tell."""

    container: str
    """Its name or id."""
    exists: bool = True
    """Whether it must be there; `false`: none of this name is left."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `state`, `health`, `restarts`, `exit`, `oom_killed`, `image`, `uptime` and `labels`. Also of
    how it is set up: `image_id`, `restart_policy`, `memory_limit`, and the lists `networks`, `mounts` (places inside)
    and `ports` (`8080/tcp`)."""
    host: str | None = None
    """The daemon: `unix:///run/docker.sock`, `tcp://`, `ssh://USER@HOST`. Without it as for the docker command."""

    def __post_init__(self) -> None:
        if not self.exists and self.expect:
            raise ValueError("nothing else can be true of a container that must not exist")


class DockerCheck:
    """Look at a container."""

    kind: ClassVar[str] = "docker"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = DockerConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("restarts", "", "how often Docker has started it again"),
        Measured("uptime", "s", "since when it runs"),
    )
    example: ClassVar[str] = """
    kind: docker
    container: postgres
    expect: [state == 'running', restarts == 0]
    """

    async def probe(self, cfg: DockerConfig, ctx: Context) -> Result:
        """Ask the daemon once, in a thread."""
        ctx.enter("connect")
        seconds = max(1.0, ctx.deadline - time.monotonic())
        data = await ctx.in_thread(lambda: _inspect(cfg, seconds))
        if data is None or not cfg.exists:
            wanted = cfg.container if cfg.exists else f"no {cfg.container}"
            observed = "there is none of this name" if data is None else f"there, {data['State'].get('Status')}"
            return Result.of([Finding.compare("container", wanted, observed, data is None and not cfg.exists)])
        ctx.enter("assert")
        facts = _facts(data)
        findings = [e.check(facts) for e in cfg.expect]
        if not any("state" in e.names for e in cfg.expect):
            findings.insert(0, Finding.compare("state", "running", facts["state"], facts["state"] == "running"))
        if "health" in facts and isinstance(facts["health"], str) and not any("health" in e.names for e in cfg.expect):
            findings.append(_health(facts["health"], data))
        numbers = measured_in(facts, self.metrics)
        return Result.of(findings, metrics=numbers, ok=f"{facts['state']}, {facts['restarts']} restarts")


def _inspect(cfg: DockerConfig, seconds: float) -> dict[str, Any] | None:
    data = ask_docker(cfg.host, seconds, lambda client: client.inspect_container(cfg.container))
    if data is None:
        return None
    if not isinstance(data, dict) or not isinstance(data.get("State"), dict):
        raise ProbeError("the Docker daemon answered nonsense", status=Status.UNKNOWN)
    return data


def _facts(data: Mapping[str, Any]) -> dict[str, Any]:
    state = data["State"]
    config, host = data.get("Config") or {}, data.get("HostConfig") or {}
    network = data.get("NetworkSettings") or {}
    facts: dict[str, Any] = {
        "state": str(state.get("Status") or "unknown"),
        "restarts": data.get("RestartCount", Unavailable("the daemon does not tell")),
        "exit": state.get("ExitCode", Unavailable("the daemon does not tell")),
        "oom_killed": bool(state.get("OOMKilled")),
        "image": str(config.get("Image", "")),
        "labels": config.get("Labels") or {},
        "image_id": str(data.get("Image", "")),
        "restart_policy": str((host.get("RestartPolicy") or {}).get("Name") or "no"),
        "memory_limit": host.get("Memory") or Unavailable("it has no limit"),
        "networks": sorted(network.get("Networks") or {}),
        "mounts": sorted(str(mount.get("Destination")) for mount in data.get("Mounts") or ()),
        "ports": sorted(network.get("Ports") or {}),
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
