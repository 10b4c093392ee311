"""What the parts of the hub ask of it, in small ports. Each part names the one that it needs; the hub is all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from switchover.health.watched_phases import PhaseMark
    from switchover.plan.variables import Scope
    from switchover.services.provider_api import ServiceTarget
    from switchover.snapshot import ServiceRow, Snapshot
    from switchover_checks.api import Status

__all__ = ["ActingHub", "CaseHub", "Publishing", "Redacting", "ServiceHub", "TriageHub", "UnderWay", "WatchHub"]


class Redacting(Protocol):
    """Takes secrets and control characters out of what others say."""

    def redact(self, text: str) -> str:
        """Return the text without them."""
        ...


class Publishing(Redacting, Protocol):
    """Has what is new shown."""

    def changed(self) -> None:
        """Have it in the next Snapshot."""

    def publish_now(self) -> None:
        """Have it published at once."""


class ServiceHub(Publishing, Protocol):
    """What the watch of services asks."""

    def probe_dependants(self, service: str) -> None:
        """Probe what depends on a service whose health is another."""


class WatchHub(Publishing, Protocol):
    """What the watch of the plan asks."""

    def phases(self) -> Mapping[str, PhaseMark]:
        """Return how far the run is, for the checks that are watched in some phases only."""
        ...


class ActingHub(Publishing, Protocol):
    """What acts on services, and what answers about one, ask."""

    def row(self, name: str) -> ServiceRow | None:
        """Return the row of an id as it stands now."""
        ...

    def follow_up(self, subjects: Iterable[str], *, only_checks: bool = False) -> None:
        """Look again at services and checks to which something was done."""


class CaseHub(Protocol):
    """What an entry is about, for the one who looks closer."""

    def target_of(self, name: str) -> ServiceTarget | None:
        """Return where a service is found, planned or discovered."""
        ...

    def scope(self) -> Scope:
        """Return the values of the plan's variables now."""
        ...


class TriageHub(CaseHub, Publishing, Protocol):
    """What diagnosis, solutions and incidents ask."""

    @property
    def snapshot(self) -> Snapshot:
        """How things stand now."""
        ...

    def status_of(self, name: str) -> Status | None:
        """Return how a check is."""
        ...

    def follow_up(self, subjects: Iterable[str], *, only_checks: bool = False) -> None:
        """Look again at what a solution was about."""


class UnderWay(Protocol):
    """What is being done to services now."""

    def doing(self, kind: str, ref: str) -> str:
        """Say what is being done to a thing, in words; empty where nothing is."""
        ...

    def busy(self) -> bool:
        """Say whether anything is being done."""
        ...
