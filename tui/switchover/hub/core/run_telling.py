"""Tells a plan's notifiers what happens in its run, once each, over restarts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from switchover.alerts.alert_state import AlertEvent
from switchover.alerts.deliveries import Notice
from switchover.alerts.notifier_api import Notification
from switchover.alerts.outbox_records import AlertRecord
from switchover.hub.core.run_notices import RunNotice
from switchover.plan.model import NotifierSpec

__all__ = ["RunTelling"]

_PREFIX = "run:"
_OLD_S = 3600.0  # what ended so long before this agent first saw it is no news


class RunTelling:
    """Knows what was told. `begin` takes what an agent before this one has told."""

    def __init__(self, notifiers: Mapping[str, NotifierSpec]) -> None:
        self._notifiers = {name: spec for name, spec in notifiers.items() if spec.kind != "heartbeat"}
        self._told: dict[str, AlertRecord] = {}

    @property
    def tells(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._notifiers)

    def begin(self, records: Iterable[AlertRecord]) -> None:
        """Take over what was told."""
        self._told = {record.key: record for record in records if record.key.startswith(_PREFIX)}

    def follow(self, notices: Iterable[RunNotice], now: float) -> tuple[list[Notice], list[AlertRecord], list[str]]:
        """Return what is to be told now, what is told with it, and the keys of what no longer holds."""
        if not self._notifiers:
            return [], [], []
        standing = {f"{_PREFIX}{notice.key}": notice for notice in notices}
        over = [key for key in self._told if key not in standing]
        for key in over:
            del self._told[key]
        tell: list[Notice] = []
        new: list[AlertRecord] = []
        for key, notice in standing.items():
            if key in self._told:
                continue
            record = AlertRecord(key, "told", now, now, now, notice.text)
            self._told[key] = record
            new.append(record)
            names = [name for name, spec in self._notifiers.items() if notice.topic in spec.tell]
            if names and (notice.at is None or now - notice.at < _OLD_S):
                tell.append((names, _notification(key, notice, now)))
        return tell, new, over


def _notification(key: str, notice: RunNotice, now: float) -> Notification:
    labels = (("topic", notice.topic), ("severity", notice.severity))
    return Notification(
        key, AlertEvent.NOTED, notice.text, notice.topic, now, name=f"run {notice.topic}", severity=notice.severity,
        labels=labels, since=notice.at or now,
    )  # fmt: skip
