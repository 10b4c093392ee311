"""A service of the plan as a target to look at, its variables filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from switchover.plan.model import Service
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render
from switchover.services.provider_api import ServiceTarget

__all__ = ["make_target", "ref_of"]


_TEXTS = (
    "url",
    "container",
    "pattern",
    "pid_file",
    "docker_host",
    "project",
    "service",
    "unit",
    "deployment",
    "namespace",
    "context",
    "resource",
    "id",
    "region",
)
_PLACES = {"aws": ("region",), "gcp": ("project", "region"), "kubernetes": ("context", "namespace")}


def make_target(name: str, service: Service, scope: Scope) -> ServiceTarget | str:
    """Return the target, or in words what it waits for."""
    try:
        listen = render(str(service.listen), scope) if service.listen is not None else ""
        place = scope.raw_environments.get(service.env or "", {})
        keys: dict[str, Any] = {
            key: render(getattr(service, key) or _of_environment(service.kind, key, place), scope) for key in _TEXTS
        }
        logs = tuple(render(log, scope) for log in service.logs)
        target = ServiceTarget(name, service.kind, listen=int(listen) if listen else None, logs=logs, **keys)
        return replace(target, ref=ref_of(target))
    except MissingValueError as missing:
        return f"waits for variable {missing.name}"
    except TemplateError as error:
        return str(error)
    except ValueError:
        return f"listen is no port: {listen!r}"


def _of_environment(kind: str, key: str, environment: Mapping[str, Any]) -> str:
    """Return what a side of the migration says for all its services, where it is said there."""
    said = environment.get(key) if key in _PLACES.get(kind, ()) else None
    return said if isinstance(said, str) else ""


def ref_of(target: ServiceTarget) -> str:
    """Return what the target's provider calls it."""
    match target.kind:
        case "docker":
            return f"{target.docker_host}/{target.container}" if target.docker_host else target.container
        case "compose":
            ref = f"{target.project}/{target.service}" if target.service else target.project
            return f"{target.docker_host}/{ref}" if target.docker_host else ref
        case "systemd":
            return target.unit if "." in target.unit else f"{target.unit}.service"
        case "kubernetes":
            name = f"{target.namespace}/{target.deployment}" if target.namespace else target.deployment
            return f"{target.context}:{name}" if target.context else name
        case "aws" | "gcp":
            # both sides of a migration may have one of the same name, each in its own place
            place = "/".join(part for part in (target.project, target.region) if part)
            return f"{target.resource}/{target.id}" + (f"@{place}" if place else "")
        case "http":
            return target.url
    return target.name
