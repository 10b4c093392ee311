"""A hub for parts that stand alone: it changes no text, shows nothing, and knows what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from switchover.health.watched_phases import PhaseMark
from switchover.plan.variables import Scope
from switchover.snapshot import Header, Snapshot
from switchover_checks.api import Status

__all__ = ["QuietHub"]


class QuietHub:
    """All ports of the hub."""

    def __init__(
        self,
        scope: Callable[[], Scope] | None = None,
        status_of: Callable[[str], Status | None] = lambda _: None,
    ) -> None:
        self._scope = scope
        self._status_of = status_of
        self.snapshot = Snapshot(header=Header())

    def redact(self, text: str) -> str:
        return text

    def changed(self) -> None:
        pass

    def publish_now(self) -> None:
        pass

    def probe_dependants(self, service: str) -> None:
        pass

    def follow_up(self, subjects: Iterable[str], *, only_checks: bool = False) -> None:
        pass

    def phases(self) -> Mapping[str, PhaseMark]:
        return {}

    def target_of(self, name: str) -> None:
        return None

    def scope(self) -> Scope:
        assert self._scope is not None
        return self._scope()

    def status_of(self, name: str) -> Status | None:
        return self._status_of(name)

    def resting(self, name: str) -> str:
        return ""
