"""`http`: a URL that answers."""

from __future__ import annotations

from typing import ClassVar

from switchover.services.provider_api import ServiceTarget
from switchover.services.service_kind import ServiceKind

__all__ = ["HttpKind"]


class HttpKind(ServiceKind):
    """A URL."""

    kind: ClassVar[str] = "http"
    maker: ClassVar[str] = "http_provider:HttpProvider"
    any_of: ClassVar[tuple[str, ...]] = ("url",)
    rank: ClassVar[int] = 0
    asked_alone: ClassVar[bool] = True
    logs_unasked: ClassVar[bool] = False

    def ref_of(self, target: ServiceTarget) -> str:
        """Return the URL."""
        return target.url

    def usual_command(self, what: str, target: ServiceTarget, pid: int | None) -> tuple[str, ...]:
        """Ask it by hand."""
        return () if what == "logs" else ("curl", "-sv", target.url)
