"""What names an alert over restarts: its rule, and of a rule with several series the labels of one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from switchover.alerts.alert_state import AlertRule

__all__ = ["alert_key", "series_of"]

_NAME = re.compile(r"(?:^|,)([A-Za-z_][A-Za-z0-9_]*)=")


def alert_key(rule: AlertRule, series: Mapping[str, str]) -> str:
    """Return the key of an alert."""
    own = ",".join(f"{name}={value}" for name, value in sorted(series.items()))
    return f"rule:{rule.name}:{rule.text}" + (f"{{{own}}}" if own else "")


def series_of(rule: AlertRule, key: str) -> dict[str, str] | None:
    """Return the labels that such a key holds; None for the key of another rule."""
    own = key.removeprefix(alert_key(rule, {}))
    if not own:
        return {}
    _, *parts = _NAME.split(own[1:-1])
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    return found if alert_key(rule, found) == key else None
