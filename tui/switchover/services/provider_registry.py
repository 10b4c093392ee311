"""All providers of services, by kind. Each is imported only when it is made, and makes its connections on first use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from switchover.services.provider_api import Provider

__all__ = ["KINDS", "make_providers"]

_SETTLED_S = 3.0  # so old a process is before it is listed, unless it listens

KINDS: Mapping[str, tuple[str, str]] = {
    "http": ("switchover.services.http.http_provider", "HttpProvider"),
    "process": ("switchover.services.processes.process_provider", "ProcessProvider"),
    "docker": ("switchover.services.docker.docker_provider", "DockerProvider"),
    "compose": ("switchover.services.compose.compose_provider", "ComposeProvider"),
    "systemd": ("switchover.services.systemd.systemd_provider", "SystemdProvider"),
    "kubernetes": ("switchover.services.kubernetes.kubernetes_provider", "KubernetesProvider"),
    "aws": ("switchover.services.aws.aws_provider", "AwsProvider"),
    "gcp": ("switchover.services.gcp.gcp_provider", "GcpProvider"),
}


def make_providers(
    base_dir: Path,
    monotonic: Callable[[], float],
    *,
    without: Collection[str] = (),
    only: Collection[str] | None = None,
) -> list[Provider]:
    """Return the providers, of the kinds `only` where those are given, and none of `without`.

    `base_dir` is where relative paths of the plan begin.
    """
    given: Mapping[str, tuple[Any, ...]] = {"process": (base_dir, monotonic, _SETTLED_S), "systemd": (monotonic,)}
    providers: list[Provider] = []
    for kind, (module, name) in KINDS.items():
        if kind in without or (only is not None and kind not in only):
            continue
        try:
            maker = getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            continue
        if kind == "compose":  # it sees the same containers, so that one connection and one stream of events do
            given = {**given, kind: tuple(one for one in providers if one.kind == "docker")}
        providers.append(maker(*given.get(kind, ())))
    return providers
