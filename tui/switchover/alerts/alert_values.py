"""What `{{ alert.name }}` and its like stand for in the keys of a notifier."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace

from switchover.alerts.notifier_api import Notification
from switchover.plan.kind_calls import KindCalls
from switchover.plan.variables import ALERT_NAMES, Scope

__all__ = ["alert_text", "alert_values", "knowing"]

_START, _END = "\ue000", "\ue001"
_MARK = re.compile(f"{_START}(alert\\.[a-z]+){_END}")
_STATES = {"ended": "resolved", "noted": "noted"}


def alert_values(notification: Notification) -> dict[str, str]:
    """Return each name with its value."""
    labels = dict(notification.labels)
    values = {
        "name": notification.name or notification.rule,
        "instance": labels.get("instance", notification.name),
        "text": notification.sentence,
        "state": _STATES.get(notification.event.value, "firing"),
        "event": notification.event.value,
        "rule": notification.rule,
        "severity": notification.severity,
        "key": notification.key,
        "id": notification.id,
        "link": notification.link,
        "host": socket.gethostname(),
    }
    return {f"alert.{name}": value for name, value in values.items()}


def knowing(calls: KindCalls) -> KindCalls:
    """Return calls under which these names can be written; a notifier puts the values in, in its own encoding."""
    marks = {name: f"{_START}{name}{_END}" for name in ALERT_NAMES}
    before = calls.scope

    def scope() -> Scope:
        now = before() if before is not None else Scope("")
        return replace(now, values={**now.values, **marks})

    return replace(calls, scope=scope)


def alert_text(text: str, notification: Notification, encode: Callable[[str], str] = str) -> str:
    """Put the values in, each as `encode` writes it."""
    values: Mapping[str, str] = alert_values(notification)
    return _MARK.sub(lambda found: encode(values[found[1]]), text)
