"""`heartbeat`: tells a watchdog elsewhere, again and again, that this agent lives and watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from switchover.alerts.http_sending import post
from switchover.alerts.notifier_api import Notification, Notifier
from switchover_checks.api import Context
from switchover_checks.language.fields import Duration

__all__ = ["HeartbeatNotifier", "HeartbeatNotifierConfig"]


@dataclass(frozen=True)
class HeartbeatNotifierConfig:
    """A watchdog: healthchecks.io, Uptime Kuma, Better Stack, a dead man's switch of your own."""

    url: str
    """The address that is asked."""
    every: Duration = 60.0
    """How often."""


class HeartbeatNotifier(Notifier[HeartbeatNotifierConfig]):
    """Is told of nothing. The watchdog alarms when the beat stays away."""

    kind: ClassVar[str] = "heartbeat"
    config: ClassVar[type] = HeartbeatNotifierConfig
    takes_secrets: ClassVar[bool] = True
    beats: ClassVar[bool] = True
    example: ClassVar[str] = """
    kind: heartbeat
    url: "{{ secret.healthcheck }}"
    every: 1m
    """

    async def send(self, notification: Notification, cfg: HeartbeatNotifierConfig, ctx: Context) -> None:
        """Beat once."""
        await post(ctx, cfg.url, b"", {})
