"""`compose`: whether a Compose project is whole: each of its services has containers that run and are healthy.

Which services there must be stands in `services`, or in the project's own file. Without both, those that have
containers count.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fields import Texts
from switchover_checks.runtime.docker.docker_asking import ask_docker

__all__ = ["ComposeCheck", "ComposeConfig"]

NAMES: dict[str, NameType] = {
    "services": "list",
    "running": "list",
    "missing": "list",
    "unhealthy": "list",
    "containers": "number",
}
_PROJECT, _SERVICE, _ONE_OFF = (f"com.docker.compose.{key}" for key in ("project", "service", "oneoff"))
_HEALTH = re.compile(r"\((healthy|unhealthy|health: starting)\)")
_DONE = re.compile(r"Exited \(0\)")


@dataclass(frozen=True)
class ComposeConfig:
    """A project, and which of its services must run."""

    project: str = ""
    """Its name; without it that of `file`, or of the folder that holds it."""
    file: str = ""
    """Its Compose file: each service in it without a profile must run."""
    services: Texts = ()
    """The services that must run."""
    done: Texts = ()
    """Services that do their work once: those have run and ended with 0."""
    gone: bool = False
    """Whether no container of the project may be left."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of the lists `services`, `running`, `missing`, `unhealthy`, and of the number `containers`."""
    host: str | None = None
    """The daemon: `unix:///run/docker.sock`, `tcp://`, `ssh://USER@HOST`. Without it as for the docker command."""

    def __post_init__(self) -> None:
        if not self.project and not self.file:
            raise ValueError("set project, or file")
        if self.gone and (self.services or self.done):
            raise ValueError("of a project that must be gone no services are expected")


class ComposeCheck:
    """Ask Docker for the containers of a project."""

    kind: ClassVar[str] = "compose"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = ComposeConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("running", "", "services that run"),
        Measured("missing", "", "services that must run and do not"),
    )
    example: ClassVar[str] = """
    kind: compose
    project: shop
    services: [api, db]
    """

    async def probe(self, cfg: ComposeConfig, ctx: Context) -> Result:
        """Ask once, in a thread."""
        project, named = await ctx.in_thread(lambda: _of_file(cfg, ctx.base_dir)) if cfg.file else (cfg.project, ())
        ctx.enter("connect")
        seconds = max(1.0, ctx.deadline - time.monotonic())
        filters = {"label": [f"{_PROJECT}={project}"]}
        containers = await ctx.in_thread(
            lambda: ask_docker(cfg.host, seconds, lambda client: client.containers(all=True, filters=filters))
        )
        ctx.enter("assert")
        if not isinstance(containers, list):
            raise ProbeError("the Docker daemon answered nonsense", status=Status.UNKNOWN)
        found = _by_service(containers)
        if cfg.gone:
            shown = f"{len(containers)} containers" if containers else "none"
            return Result.of([Finding.compare(f"project {project}", "no container left", shown, not containers)])
        wanted = tuple(dict.fromkeys((*cfg.services, *named, *cfg.done))) or tuple(sorted(found))
        if not wanted:
            return Result.of([Finding.compare(f"project {project}", "containers", "none", False)])
        findings = [_judged(name, found.get(name, []), once=name in cfg.done) for name in wanted]
        facts = _facts(found, wanted, findings)
        findings += [e.check(facts) for e in cfg.expect]
        metrics = [Metric(name, len(facts[name])) for name in ("running", "missing")]
        return Result.of(findings, metrics=metrics, ok=f"{len(wanted)} services run")


def _of_file(cfg: ComposeConfig, base_dir: Path) -> tuple[str, tuple[str, ...]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path = base_dir / cfg.file
    try:
        told = YAML(typ="safe", pure=True).load(path.read_text())
        services = told["services"]
        names = tuple(str(name) for name, keys in services.items() if not (keys or {}).get("profiles"))
    except OSError as error:
        raise ProbeError(f"{path}: {error.strerror or error}", phase="parse", status=Status.UNKNOWN) from None
    except (YAMLError, KeyError, TypeError, AttributeError, ValueError):
        raise ProbeError(f"{path} is no Compose file with services", phase="parse", status=Status.UNKNOWN) from None
    folder = re.sub(r"[^a-z0-9_-]", "", path.resolve().parent.name.lower()).lstrip("_-")
    return cfg.project or str(told.get("name") or folder), names


def _by_service(containers: Sequence[Any]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in containers:
        labels = one.get("Labels") or {}
        if str(labels.get(_ONE_OFF, "")).lower() != "true" and labels.get(_SERVICE):
            found.setdefault(str(labels[_SERVICE]), []).append(one)
    return found


def _judged(name: str, containers: Sequence[Mapping[str, Any]], *, once: bool) -> Finding:
    if not containers:
        return Finding(name, "ended with 0" if once else "running", "it has no container", Status.CRIT)
    if once:
        ends = [str(c.get("Status", "")) for c in containers]
        return Finding.compare(name, "ended with 0", "; ".join(ends), all(map(_DONE.match, ends)))
    states = [_state(c) for c in containers]
    status = max((s for _, s in states), key=lambda s: s.severity)
    return Finding(name, "running and healthy", ", ".join(words for words, _ in states), status)


def _state(container: Mapping[str, Any]) -> tuple[str, Status]:
    state, said = str(container.get("State", "unknown")), str(container.get("Status", ""))
    if state != "running":
        return said or state, Status.CRIT
    health = _HEALTH.search(said)
    if health is None or health[1] == "healthy":
        return health[1] if health else "running", Status.OK
    return health[1], Status.WARN if health[1] == "health: starting" else Status.CRIT


def _facts(found: Mapping[str, Sequence[Any]], wanted: Sequence[str], findings: Sequence[Finding]) -> dict[str, Any]:
    bad = [f.what for f in findings if f.status is not Status.OK]
    running = [name for name, each in found.items() if any(c.get("State") == "running" for c in each)]
    return {
        "services": sorted(found),
        "running": sorted(running),
        "missing": sorted(set(wanted) - set(running) - {f.what for f in findings if f.status is Status.OK}),
        "unhealthy": sorted(set(bad) & set(running)),
        "containers": sum(map(len, found.values())),
    }
