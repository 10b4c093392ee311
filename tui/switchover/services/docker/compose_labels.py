"""What Compose writes on the containers that it makes: project, service, number, what it depends on. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from switchover.services.docker.docker_observation import name_of

__all__ = [
    "conditions",
    "config_files_of",
    "depends_on",
    "label",
    "members_of",
    "needs_of",
    "project_of",
    "service_of",
    "title_of",
]

_PREFIX = "com.docker.compose."


def label(entry: Mapping[str, Any], name: str) -> str:
    """Return a label of Compose from an entry of the list of containers; empty where it is not there."""
    return str((entry.get("Labels") or {}).get(_PREFIX + name) or "")


def project_of(entry: Mapping[str, Any]) -> str:
    """Return the project that a container belongs to."""
    return label(entry, "project")


def service_of(entry: Mapping[str, Any]) -> str:
    """Return the service that a container is one of; empty for those of `compose run`, which are nobody's replica."""
    return "" if label(entry, "oneoff").lower() == "true" else label(entry, "service")


def title_of(entry: Mapping[str, Any]) -> str:
    """Return the container's name without that of its project, which stands beside it."""
    name, project = name_of(entry), project_of(entry)
    short = (
        name.removeprefix(project).lstrip("-_") if project and name.startswith((f"{project}-", f"{project}_")) else ""
    )
    return short or name


def depends_on(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the services that this one depends on, where Compose says so (`db:service_healthy:false,…`; from 2.0)."""
    return tuple(conditions(entry))


def conditions(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the services that this one depends on, and what each must have come to before it starts."""
    parts = [one.split(":") for one in label(entry, "depends_on").split(",")]
    return {part[0]: part[1] if len(part) > 1 else "service_started" for part in parts if part[0]}


def config_files_of(entry: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return a project's folder and its files."""
    files = tuple(one for one in label(entry, "project.config_files").split(",") if one)
    return label(entry, "project.working_dir"), files


def members_of(entries: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Sort containers by project and service, each in the order of their numbers."""
    members: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in entries:
        if project_of(entry) and service_of(entry):
            members.setdefault((project_of(entry), service_of(entry)), []).append(entry)
    for some in members.values():
        some.sort(key=lambda entry: (int(label(entry, "container-number") or 0), name_of(entry)))
    return members


def needs_of(
    entry: Mapping[str, Any], members: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
) -> tuple[str, ...]:
    """Return the names of the containers that this one depends on."""
    project = project_of(entry)
    return tuple(name_of(one) for service in depends_on(entry) for one in members.get((project, service), ()))
