"""`compose`: a Compose project, or a service of one."""

from __future__ import annotations

from typing import Any, ClassVar

from switchover.services.provider_api import ServiceTarget
from switchover.services.service_kind import ProviderTools, ServiceKind

__all__ = ["ComposeKind"]


class ComposeKind(ServiceKind):
    """A project or a service of one."""

    kind: ClassVar[str] = "compose"
    maker: ClassVar[str] = "compose_provider:ComposeProvider"
    any_of: ClassVar[tuple[str, ...]] = ("project",)
    besides: ClassVar[tuple[str, ...]] = ("compose_service", "docker_host", "run_on")
    rank: ClassVar[int] = 3
    label: ClassVar[str] = "docker"
    list_every_s: ClassVar[float] = 5.0

    def ref_of(self, target: ServiceTarget) -> str:
        """Return the project and the service, with their daemon where one is named."""
        ref = f"{target.project}/{target.service}" if target.service else target.project
        return f"{target.docker_host}/{ref}" if target.docker_host else ref

    def arguments(self, tools: ProviderTools) -> tuple[Any, ...]:
        """Return the provider of containers: it sees the same, so one connection and one stream of events do."""
        return (tools.made["docker"],) if "docker" in tools.made else ()
