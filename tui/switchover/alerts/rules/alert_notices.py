"""What is said of alerts: one notice for each, or one for all of a group."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from switchover.alerts.alert_state import AlertEvent
from switchover.alerts.deliveries import Notice
from switchover.alerts.notifier_api import Notification
from switchover.alerts.rules.alert_engine import Instance, ToTell

__all__ = ["alert_words", "notices_of", "notification_of"]

_LABEL = re.compile(r"\$labels(?:\.(\w+))?")
_WORDS = {AlertEvent.FIRED: "fires", AlertEvent.REMINDED: "still fires", AlertEvent.ENDED: "is over"}


def alert_words(instance: Instance, event: AlertEvent) -> str:
    """Return what is said of an alert."""
    message = _filled(instance.rule.message, instance) or instance.rule.text
    own = [f"{name}={value}" for name, value in instance.labels.items() if f"{name}={value}" in instance.key]
    more = f" [{', '.join(own)}]" if own else ""
    value = f" (now {instance.value:.4g})" if instance.value is not None and event is not AlertEvent.ENDED else ""
    return f"alert {_WORDS[event]}: {message}{more}{value}"


def _filled(text: str, instance: Instance) -> str:
    """Put labels and value in, as rules of a Prometheus name them."""
    if "$" not in text:
        return text
    value = "" if instance.value is None else f"{instance.value:.4g}"
    every = ", ".join(f"{name}={one}" for name, one in instance.labels.items())
    filled = _LABEL.sub(lambda found: instance.labels.get(found[1], "") if found[1] else every, text)
    return filled.replace("$value", value)


def notification_of(instance: Instance, event: AlertEvent, text: str, at: float) -> Notification:
    """Return the notice of one alert."""
    rule = instance.rule
    return Notification(
        instance.firing_key,
        event,
        text,
        rule.text,
        at,
        rule.name,
        rule.severity,
        tuple(instance.labels.items()),
        rule.runbook,
        since=instance.fired_at,
    )


def notices_of(tell: ToTell, at: float, joins: Callable[[str], bool], redact: Callable[[str], str]) -> Iterator[Notice]:
    """Yield the notices: together where a channel joins them, else each for itself."""
    each = [
        notification_of(one, event, redact(alert_words(one, event)), at)
        for one, event in zip(tell.alerts, tell.events, strict=True)
    ]
    if len(each) == 1:
        yield tell.notify, each[0]
        return
    together = [name for name in tell.notify if joins(name)]
    if together:
        yield together, _joined(each)
    for name in tell.notify:
        if name not in together:
            yield from (([name], one) for one in each)


def _joined(each: Sequence[Notification]) -> Notification:
    first = next((one for one in each if one.event is not AlertEvent.ENDED), each[0])
    shared = tuple(label for label in first.labels if all(label in one.labels for one in each))
    return replace(first, text="\n".join([f"{len(each)} alerts:", *(one.text for one in each)]), labels=shared)
