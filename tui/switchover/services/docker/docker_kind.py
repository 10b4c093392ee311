"""`docker`: a container."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from switchover.services.examination import Examination, home_of
from switchover.services.provider_api import ServiceTarget
from switchover.services.service_kind import ServiceKind

__all__ = ["DockerKind"]


class DockerKind(ServiceKind):
    """A container."""

    kind: ClassVar[str] = "docker"
    maker: ClassVar[str] = "docker_provider:DockerProvider"
    any_of: ClassVar[tuple[str, ...]] = ("container",)
    besides: ClassVar[tuple[str, ...]] = ("docker_host", "run_on")
    rank: ClassVar[int] = 2
    label: ClassVar[str] = "docker"
    list_every_s: ClassVar[float] = 5.0
    on_every_host: ClassVar[bool] = True
    doctor_name: ClassVar[str] = "docker"

    def ref_of(self, target: ServiceTarget) -> str:
        """Return the container, with its daemon where one is named."""
        return f"{target.docker_host}/{target.container}" if target.docker_host else target.container

    def usual_command(self, what: str, target: ServiceTarget, pid: int | None) -> tuple[str, ...]:
        """Ask the docker command."""
        if what == "logs":
            return ("docker", "logs", "--tail", "1000", "-f", target.ref)
        return ("docker", "inspect", target.ref)

    def examine(self, environ: Mapping[str, str], system: Path) -> Examination:
        """Say whether a daemon answers here."""
        place = environ.get("DOCKER_HOST", "")
        if not place and (context := _docker_context(environ)):
            return Examination("docker", "ok", f"context {context} (not contacted)")
        if place and not place.startswith("unix://"):
            return Examination("docker", "ok", f"{place} (named by DOCKER_HOST, not contacted)")
        path = Path(place.removeprefix("unix://")) if place else system / "var/run/docker.sock"
        if not path.exists():
            return Examination(
                "docker", "off", f"no socket at {path}", "start Docker or set DOCKER_HOST, where it is wanted"
            )
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(0.3)
            try:
                line.connect(str(path))
            except OSError as error:
                hint = "join the group docker" if isinstance(error, PermissionError) else "start the Docker daemon"
                return Examination("docker", "off", f"{path}: {error.strerror or error}", hint)
        return Examination("docker", "ok", f"answers at {path}")


def _docker_context(environ: Mapping[str, str]) -> str:
    """Return the context that the docker command would use; empty for the usual daemon."""
    name = environ.get("DOCKER_CONTEXT", "")
    if not name:
        folder = Path(environ.get("DOCKER_CONFIG") or home_of(environ) / ".docker")
        with suppress(OSError, ValueError):
            said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            name = str(said.get("currentContext", "")) if isinstance(said, dict) else ""
    return "" if name == "default" else name
