"""Alerts that belong together are told together: exact timers a group, what is silenced waits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from switchover.alerts.alert_state import AlertEvent
from switchover.plan.model import AlertGroups

__all__ = ["GroupedAlert", "Grouping"]


@dataclass(slots=True, eq=False)
class GroupedAlert:
    """An alert as far as it is told: `told` is when it last was (monotonic), None before that."""

    key: str
    labels: dict[str, str]
    notify: tuple[str, ...]
    remind_s: float | None = None
    fires: bool = True
    told: float | None = None
    held_back: bool = False  # by a silence, an acknowledgement or its cause


@dataclass(slots=True)
class _Group:
    members: dict[str, GroupedAlert] = field(default_factory=dict)
    first: float | None = None  # since when something waits to be told
    sent: float | None = None


class Grouping:
    """Decides which alerts are told now. Without `groups` each is told by itself, at once."""

    def __init__(self, groups: AlertGroups | None) -> None:
        self._groups = groups
        self._open: dict[tuple[object, ...], _Group] = {}

    def _key(self, alert: GroupedAlert) -> tuple[object, ...]:
        if self._groups is None:
            return (alert.key,)
        return (alert.notify, *(alert.labels.get(label, "") for label in self._groups.by))

    def add(self, alert: GroupedAlert) -> None:
        """Follow an alert from here on."""
        self._open.setdefault(self._key(alert), _Group()).members[alert.key] = alert

    def due(self, now: float) -> Iterator[tuple[tuple[GroupedAlert, ...], tuple[AlertEvent, ...]]]:
        """Yield what is told now: alerts of one group, each with what happened to it."""
        for key, group in list(self._open.items()):
            for name in [name for name, one in group.members.items() if not one.fires and one.told is None]:
                del group.members[name]  # over before anybody was told of it
            events = {one.key: event for one in group.members.values() if (event := self._event(one, now))}
            group.first = (group.first if group.first is not None else now) if events else None
            if events and now >= self._at(group, now):
                members = tuple(group.members[name] for name in events)
                group.sent, group.first = now, None
                for one in members:
                    one.told = now
                    if not one.fires:
                        del group.members[one.key]
                yield members, tuple(events.values())
            if not group.members:
                del self._open[key]

    def _event(self, one: GroupedAlert, now: float) -> AlertEvent | None:
        if not one.fires:
            return AlertEvent.ENDED if one.told is not None else None
        if one.held_back:
            return None
        if one.told is None:
            return AlertEvent.FIRED
        repeat = one.remind_s if one.remind_s is not None else self._groups.repeat if self._groups else None
        return AlertEvent.REMINDED if repeat is not None and now - one.told >= repeat else None

    def _at(self, group: _Group, now: float) -> float:
        if self._groups is None or group.first is None:
            return now
        if group.sent is None:
            return group.first + self._groups.wait
        return max(group.first, group.sent + self._groups.interval)

    def waiting(self) -> Iterable[GroupedAlert]:
        """Yield all that is followed."""
        for group in self._open.values():
            yield from group.members.values()
