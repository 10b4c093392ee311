"""`slack`: a message in a channel of Slack, by an incoming webhook. Mattermost and Rocket.Chat take the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from switchover.alerts.http_sending import post
from switchover.alerts.notifier_api import Notification, Notifier
from switchover_checks.api import Context

__all__ = ["SlackNotifier", "SlackNotifierConfig"]

_SIGNS = {"fired": ":rotating_light:", "reminded": ":rotating_light:", "ended": ":white_check_mark:"}
_MOST = 30_000


@dataclass(frozen=True)
class SlackNotifierConfig:
    """An incoming webhook."""

    url: str
    """The address of the webhook. It is a secret: write `{{ secret.NAME }}`."""
    mention: str = ""
    """Who is called by it when an alert fires: `<!channel>`, `<@U012AB3CD>`."""


class SlackNotifier(Notifier[SlackNotifierConfig]):
    """Posts the text."""

    kind: ClassVar[str] = "slack"
    config: ClassVar[type] = SlackNotifierConfig
    takes_secrets: ClassVar[bool] = True
    pauses_s: ClassVar[tuple[float, ...]] = (2.0, 10.0, 30.0)
    example: ClassVar[str] = """
    kind: slack
    url: "{{ secret.slack }}"
    """

    async def send(self, notification: Notification, cfg: SlackNotifierConfig, ctx: Context) -> None:
        """Post once."""
        text = _escaped(notification.sentence)[:_MOST]
        sign = _SIGNS.get(notification.event.value, ":information_source:")
        calls = f"{cfg.mention} " if cfg.mention and notification.event.value == "fired" else ""
        link = f"\n<{notification.link}|runbook>" if notification.link.startswith(("http://", "https://")) else ""
        body = json.dumps({"text": f"{sign} {calls}{text}{link}"}).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": notification.id}
        await post(ctx, cfg.url, body, headers)


def _escaped(text: str) -> str:
    """Return text in which nothing calls anybody or becomes a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
