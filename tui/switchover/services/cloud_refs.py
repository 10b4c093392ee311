"""What a provider of a cloud calls a service of the plan."""

from __future__ import annotations

from switchover.services.provider_api import ServiceTarget

__all__ = ["cloud_ref"]


def cloud_ref(target: ServiceTarget) -> str:
    """Return `RESOURCE/ID@PLACE`."""
    place = "/".join(part for part in (target.project, target.region) if part)
    return f"{target.resource}/{target.id}" + (f"@{place}" if place else "")
