"""`alertmanager`: hands alerts to an Alertmanager (v2), which groups, silences and routes them as it is set up."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from switchover.alerts.http_sending import post
from switchover.alerts.notifier_api import Notification, Notifier
from switchover.clock import iso_utc
from switchover_checks.api import Context

__all__ = ["AlertmanagerNotifier", "AlertmanagerNotifierConfig"]

_RESENT_S = 60.0
_LABEL = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True)
class AlertmanagerNotifierConfig:
    """An Alertmanager."""

    url: str
    """Its address: `http://alertmanager:9093`."""
    labels: dict[str, str] = field(default_factory=dict)
    """Labels that every alert gets besides."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers that are sent besides, such as `Authorization`."""


class AlertmanagerNotifier(Notifier[AlertmanagerNotifierConfig]):
    """Sends each alert again every minute: an Alertmanager takes what is not repeated for over."""

    kind: ClassVar[str] = "alertmanager"
    config: ClassVar[type] = AlertmanagerNotifierConfig
    takes_secrets: ClassVar[bool] = True
    pauses_s: ClassVar[tuple[float, ...]] = (2.0, 10.0, 30.0)
    burst: ClassVar[int] = 1000
    resends_s: ClassVar[float] = _RESENT_S
    example: ClassVar[str] = """
    kind: alertmanager
    url: http://alertmanager:9093
    """

    def joins(self, keys: Mapping[str, Any]) -> bool:
        """Keep each for itself: Alertmanager groups."""
        return False

    async def send(self, notification: Notification, cfg: AlertmanagerNotifierConfig, ctx: Context) -> None:
        """Send it; what is over with its end."""
        labels = {"alertname": notification.name or notification.rule, "severity": notification.severity}
        labels |= {_LABEL.sub("_", name): value for name, value in (*notification.labels, *cfg.labels.items())}
        over = notification.event.value == "ended"
        now = time.time()
        alert = {
            "labels": {name: value for name, value in labels.items() if value},
            "annotations": {"summary": notification.sentence, "rule": notification.rule},
            "startsAt": iso_utc(notification.since or notification.at),
            "endsAt": iso_utc(now if over else now + 4 * _RESENT_S),
        }
        if notification.link:
            alert["annotations"] = {**alert["annotations"], "runbook_url": notification.link}  # type: ignore[dict-item]
        headers = {"Content-Type": "application/json", **cfg.headers}
        await post(ctx, f"{cfg.url.rstrip('/')}/api/v2/alerts", json.dumps([alert]).encode(), headers)
