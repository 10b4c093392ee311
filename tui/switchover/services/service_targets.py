"""A service of the plan as a target to look at, its variables filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from switchover.plan.model import Host, Service
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render
from switchover.services.provider_api import ServiceTarget
from switchover.services.service_kind import service_kind

__all__ = ["make_target"]


_TEXTS = (
    "url",
    "link",
    "container",
    "pattern",
    "pid_file",
    "docker_host",
    "project",
    "unit",
    "deployment",
    "namespace",
    "context",
    "resource",
    "id",
    "region",
)


def make_target(
    name: str, service: Service, scope: Scope, hosts: Mapping[str, Host] | None = None
) -> ServiceTarget | str:
    """Return the target, or in words what it waits for. On one of `hosts`, Docker is reached by ssh."""
    try:
        listen = render(str(service.listen), scope) if service.listen is not None else ""
        place = scope.raw_sides.get(service.side or "", {})
        keys: dict[str, Any] = {
            key: render(getattr(service, key) or _of_side(service.kind, key, place), scope) for key in _TEXTS
        }
        if service.run_on and hosts:
            keys["docker_host"] = f"ssh://{render(hosts[service.run_on].destinations[0], scope)}"
        keys["service"] = render(service.compose_service or "", scope)
        options = {key: render(str(value), scope) for key, value in (service.model_extra or {}).items()}
        logs = tuple(render(log, scope) for log in service.logs)
        target = ServiceTarget(
            name, service.kind, listen=int(listen) if listen else None, logs=logs, options=options, **keys
        )
        return replace(target, ref=service_kind(service.kind).ref_of(target))
    except MissingValueError as missing:
        return f"waits for variable {missing.name}"
    except TemplateError as error:
        return str(error)
    except ValueError:
        return f"listen is no port: {listen!r}"


def _of_side(kind: str, key: str, side: Mapping[str, Any]) -> str:
    """Return what a side of the migration says for all its services, where it is said there."""
    said = side.get(key) if key in service_kind(kind).of_side else None
    return said if isinstance(said, str) else ""
