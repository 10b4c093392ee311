"""Follows every rule: what holds, what fires, what is told now and to whom. Knows neither files nor the network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from switchover.alerts.alert_state import AlertEvent, AlertRule, AlertState, follow
from switchover.alerts.outbox_records import AlertRecord
from switchover.alerts.rules.alert_groups import GroupedAlert, Grouping
from switchover.alerts.rules.alert_keys import alert_key, series_of
from switchover.alerts.rules.silences import silenced_by
from switchover.clock import Clock
from switchover.plan.alerting.rule_values import RuleFacts
from switchover.plan.model import AlertGroups
from switchover.snapshot import SilenceRecord
from switchover.snapshot.states import AlertWord

__all__ = ["AlertEngine", "Instance", "ToTell"]

_NOTHING = AlertState()


@dataclass(slots=True, eq=False)
class Instance:
    """One alert: a rule, and of a rule with several series one of them. `fired_at` is epoch seconds."""

    rule: AlertRule
    key: str
    labels: dict[str, str]
    state: AlertState = _NOTHING
    fired_at: float = 0.0
    value: float | None = None
    grouped: GroupedAlert | None = None
    escalated: bool = False
    note: str = ""  # why nobody is told, or that it is unsteady

    @property
    def firing_key(self) -> str:
        """What names this firing, from its start to its end."""
        return f"{self.key} {self.fired_at:.3f}"


@dataclass(frozen=True, slots=True)
class ToTell:
    """Alerts that are told together, each with what happened, and to whom."""

    alerts: tuple[Instance, ...]
    events: tuple[AlertEvent, ...]
    notify: tuple[str, ...]


@dataclass(slots=True)
class RoundChanges:
    """What has to be written down after a round."""

    records: list[AlertRecord] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    events: list[tuple[Instance, AlertEvent]] = field(default_factory=list)


class AlertEngine:
    """Holds the alerts of all rules. `judge_all` brings them up to now; `to_tell` then says who is told of what."""

    def __init__(self, rules: Iterable[AlertRule], groups: AlertGroups | None, clock: Clock) -> None:
        self._clock = clock
        self._grouping = Grouping(groups)
        self._local: dict[str, Instance] = {}
        self.instances: dict[str, Instance] = {}
        self.silences: list[SilenceRecord] = []
        self.changes = RoundChanges()
        self._ended: list[Instance] = []
        self._kept: dict[str, AlertRecord] = {}
        for rule in rules:
            self.add(rule)

    def add(self, rule: AlertRule) -> None:
        """Follow a rule from here on."""
        if rule.parsed is not None:
            instance = self._instance(rule, rule.parsed.subjects or rule.parsed.metrics)
            self._local[rule.name] = instance

    def remove(self, name: str) -> None:
        """Follow a rule no longer; what fires by it is over."""
        if (instance := self._local.pop(name, None)) is not None:
            self._step(instance, truth=False)
            self.instances.pop(instance.key, None)
            self.changes.over.append(instance.key)

    def _instance(self, rule: AlertRule, about: Iterable[str], series: Mapping[str, str] | None = None) -> Instance:
        key = alert_key(rule, series or {})
        if key not in self.instances:
            labels = {"alertname": rule.name, "severity": rule.severity, "instance": next(iter(about), "")}
            self.instances[key] = Instance(rule, key, {**labels, **dict(rule.labels), **(series or {})})
        return self.instances[key]

    def restore(self, records: Iterable[AlertRecord]) -> None:
        """Go on from what an agent before this one knew. A clock that was set back takes nothing off."""
        for record in records:
            instance = self.instances.get(record.key)
            if instance is None:
                self._kept[record.key] = record  # of a series, perhaps: known when its rule is judged first
            else:
                self._go_on(instance, record)

    def _go_on(self, instance: Instance, record: AlertRecord) -> None:
        mono, now = self._clock.monotonic(), self._clock.now()

        def moved(at: float | None) -> float | None:
            return None if at is None else mono - max(0.0, now - at)

        instance.state = AlertState(holds_since=moved(record.since), fired=moved(record.fired))
        instance.fired_at = record.fired or 0.0
        instance.escalated = record.state == "escalated"
        if record.fired is not None:
            self._group(instance).told = moved(record.told)

    def _go_on_with_series(self, rule: AlertRule) -> None:
        """Take over the series of a rule that an agent before this one knew."""
        for key in [key for key in self._kept if key.startswith(alert_key(rule, {}))]:
            series = series_of(rule, key)
            if series is not None:
                instance = self._instance(rule, (series.get("instance", ""),), series)
                self._go_on(instance, self._kept.pop(key))

    def _group(self, instance: Instance) -> GroupedAlert:
        rule = instance.rule
        grouped = GroupedAlert(instance.firing_key, instance.labels, rule.notify, rule.remind_s)
        instance.grouped = grouped
        self._grouping.add(grouped)
        return grouped

    # A round

    def judge_all(self, facts: RuleFacts, rests: Callable[[str], bool]) -> None:
        """Judge every rule that is not left to a Prometheus."""
        for instance in self._local.values():
            parsed, state = instance.rule.parsed, instance.state
            assert parsed is not None
            if rests(instance.rule.name):
                truth: bool | None = False
            else:
                truth = (parsed.holds if state.fired is None else parsed.clears)(facts)
            if truth is False and state is _NOTHING:
                continue
            if truth and state.fired is None:
                instance.value = parsed.value(facts)
            self._step(instance, truth=truth)

    def judge_series(self, rule: AlertRule, series: Iterable[tuple[Mapping[str, str], float]] | None) -> None:
        """Judge a rule by the series that a Prometheus answered; None where it did not answer."""
        if self._kept:
            self._go_on_with_series(rule)
        present = set()
        for labels, value in series or ():
            instance = self._instance(rule, (labels.get("instance", ""),), labels)
            instance.value = None if math.isnan(value) else value
            present.add(instance.key)
            self._step(instance, truth=True)
        for instance in [one for one in self.instances.values() if one.rule is rule and one.key not in present]:
            self._step(instance, truth=None if series is None else False)
            if instance.state.fired is None and instance.state.holds_since is None:
                del self.instances[instance.key]

    def _step(self, instance: Instance, *, truth: bool | None) -> None:
        before = instance.state
        now = self._clock.monotonic()
        state, event = follow(instance.rule, before, truth, now)
        instance.state = _NOTHING if state == _NOTHING else state
        if event is AlertEvent.FIRED:
            instance.fired_at = self._clock.now()
            instance.escalated = False
            self._group(instance)
        elif event is AlertEvent.ENDED and instance.grouped is not None:
            instance.grouped.fires = False
            self._ended.append(instance)
        if event is not None:
            self.changes.events.append((instance, event))
        if (state.holds_since, state.fired) != (before.holds_since, before.fired):
            if state.holds_since is None:
                self.changes.over.append(instance.key)
            else:
                self.changes.records.append(self._record(instance))

    def _record(self, instance: Instance) -> AlertRecord:
        mono, now = self._clock.monotonic(), self._clock.now()

        def moved(at: float | None) -> float | None:
            return None if at is None else now - (mono - at)

        state = instance.state
        told = instance.grouped.told if instance.grouped is not None and state.fired is not None else None
        fired = instance.fired_at if state.fired is not None else None
        word: AlertWord = "pending" if fired is None else "escalated" if instance.escalated else "firing"
        return AlertRecord(
            instance.key,
            word,
            moved(state.holds_since) or now,
            fired,
            moved(told),
            instance.rule.message or instance.rule.text,
        )

    # Telling

    @property
    def firing(self) -> list[Instance]:
        """The alerts that fire."""
        return [one for one in self.instances.values() if one.state.fired is not None]

    def to_tell(self, because_of: Callable[[Instance], str]) -> Iterator[ToTell]:
        """Yield what is told now. `because_of` names the cause of an alert that another one tells of already."""
        now, at = self._clock.monotonic(), self._clock.now()
        firing = {one.firing_key: one for one in self.firing}
        for instance in firing.values():
            silence = silenced_by(self.silences, instance.key, instance.labels, at)
            cause = "" if silence is not None else because_of(instance)
            instance.note = "unsteady: it comes and goes" if instance.state.unsteady else ""
            if silence is not None:
                word = "acknowledged" if silence.ack else "silenced"
                instance.note = f"{word} by {silence.who}: {silence.why}" if silence.why else f"{word} by {silence.who}"
            elif cause:
                instance.note = f"because of {cause}"
            if instance.grouped is not None:
                instance.grouped.held_back = silence is not None or bool(cause)
        known = {**firing, **{one.grouped.key: one for one in self._ended if one.grouped is not None}}
        for members, events in self._grouping.due(now):
            alerts = tuple(known[one.key] for one in members if one.key in known)
            if alerts:
                self.changes.records += [self._record(one) for one in alerts if one.state.fired is not None]
                yield ToTell(alerts, events, members[0].notify)
        waiting = {one.key for one in self._grouping.waiting()}
        self._ended = [one for one in self._ended if one.grouped is not None and one.grouped.key in waiting]
        yield from self._escalations(firing.values(), now)

    def _escalations(self, firing: Iterable[Instance], now: float) -> Iterator[ToTell]:
        for one in firing:
            rule, fired = one.rule, one.state.fired
            if rule.escalate_s is None or one.escalated or fired is None or now - fired < rule.escalate_s:
                continue
            if one.grouped is not None and not one.grouped.held_back:
                one.escalated = True
                self.changes.records.append(self._record(one))
                yield ToTell((one,), (AlertEvent.FIRED,), rule.escalate_to)

    def take_changes(self) -> RoundChanges:
        """Return what has to be written down, once."""
        changes, self.changes = self.changes, RoundChanges()
        return changes
