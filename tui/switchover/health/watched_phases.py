"""Which checks are watched now: `since` and `until` name phases of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from switchover.plan.model import CheckSpec, Service

__all__ = ["PhaseMark", "not_needed", "not_watched"]


@dataclass(frozen=True, slots=True)
class PhaseMark:
    """How far a phase is."""

    started: bool = False
    ended: bool = False


def not_watched(spec: CheckSpec, phases: Mapping[str, PhaseMark]) -> str:
    """Say why the check is not watched now; empty when it is."""
    if spec.since is not None and not phases.get(spec.since, PhaseMark()).started:
        return f"watched from phase {spec.since} on"
    if spec.until is not None and phases.get(spec.until, PhaseMark()).ended:
        return f"watched until phase {spec.until} ended"
    return ""


def not_needed(service: Service, phases: Mapping[str, PhaseMark]) -> str:
    """Say why the service need not run now; empty when it has to."""
    if service.since is not None and not phases.get(service.since, PhaseMark()).started:
        return f"not started yet: needed from phase {service.since} on"
    if service.until is not None and phases.get(service.until, PhaseMark()).ended:
        return f"not needed any more since phase {service.until} ended"
    return ""
