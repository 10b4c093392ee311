"""The Compose command, for what the daemon alone cannot do (scale), and to show what a person would type."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from switchover.services.docker.compose_labels import config_files_of
from switchover.services.docker.docker_actions import where_to
from switchover.services.provider_api import Capability

__all__ = ["compose_command", "compose_program", "scale_command", "why_no_scale"]

_PLUGIN_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
_WORDS: Mapping[Capability, tuple[str, ...]] = {
    Capability.START: ("start",),
    Capability.STOP: ("stop",),
    Capability.RESTART: ("restart",),
    Capability.LOGS: ("logs", "--follow", "--tail", "1000"),
    Capability.INSPECT: ("ps",),
}


def compose_program(host: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return how Compose is called here: `docker compose` where the plugin is, else `docker-compose`; empty without."""
    known = os.environ if environ is None else environ
    own = known.get("DOCKER_CONFIG") or f"{known.get('HOME', '')}/.docker"
    folders = (f"{own}/cli-plugins", *_PLUGIN_FOLDERS)
    path = known.get("PATH")
    if shutil.which("docker", path=path) and any(os.access(f"{one}/docker-compose", os.X_OK) for one in folders):
        return ("docker", *where_to(host, known), "compose")
    if shutil.which("docker-compose", path=path):
        return ("docker-compose", *where_to(host, known))
    return ()


def compose_command(
    host: str, project: str, service: str, action: Capability, entry: Mapping[str, Any] | None, argument: str = ""
) -> tuple[str, ...]:
    """Return the command for an action; `entry` is one of its containers, whose labels name the project's files."""
    program: tuple[str, ...] = compose_program(host) or ("docker", *where_to(host), "compose")
    if action is Capability.SCALE:
        return scale_command(program, project, service, argument or "N", entry) if service else ()
    words: tuple[str, ...]
    if action is Capability.REMOVE:
        words = ("rm", "--stop", "--force") if service else ("down",)
    elif action is Capability.EXEC and service:
        words = ("exec",)
    else:
        words = _WORDS.get(action, ())
    if not words:
        return ()
    shell = ("sh", "-c", "command -v bash >/dev/null && exec bash || exec sh") if action is Capability.EXEC else ()
    # The plugin finds a running project by its name; the older program needs its files.
    files = _files(entry) if program[0] == "docker-compose" else ()
    return (*program, "--project-name", project, *files, *words, *((service,) if service else ()), *shell)


def scale_command(
    program: Sequence[str], project: str, service: str, count: str, entry: Mapping[str, Any] | None
) -> tuple[str, ...]:
    """Return the command that makes `count` containers of a service, and touches nothing else."""
    words = ("up", "--detach", "--no-deps", "--no-recreate", "--scale", f"{service}={count}", service)
    return (*program, "--project-name", project, *_files(entry), *words)


def why_no_scale(program: Sequence[str], entry: Mapping[str, Any]) -> str:
    """Say in words why a project cannot be scaled from here; empty when it can."""
    if not program:
        return "neither docker compose nor docker-compose is installed on this host, and only they can scale"
    _, files = config_files_of(entry)
    folder = Path(config_files_of(entry)[0] or "/")
    gone = [one for one in files if not (folder / one).is_file()]
    if not files or gone:
        return f"the files of the project are not on this host ({', '.join(gone) or 'its containers name none'})"
    return ""


def _files(entry: Mapping[str, Any] | None) -> tuple[str, ...]:
    if entry is None:
        return ()
    folder, files = config_files_of(entry)
    base = Path(folder or "/")
    where = ("--project-directory", folder) if folder else ()
    return (*where, *(word for one in files for word in ("--file", str(base / one))))
