"""`webhook`: any receiver over HTTP: a template that ships, a body of your own, or the notice as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from switchover.alerts.alert_values import alert_text, alert_values
from switchover.alerts.http_sending import post
from switchover.alerts.notifier_api import Notification, Notifier, NotSentError
from switchover.alerts.webhook_templates import TEMPLATES, TemplateInput
from switchover_checks.api import Context

__all__ = ["WebhookNotifier", "WebhookNotifierConfig"]

TemplateName = Literal["", "pagerduty", "opsgenie", "teams", "ntfy", "discord"]


@dataclass(frozen=True)
class WebhookNotifierConfig:
    """A receiver over HTTP."""

    url: str = ""
    """Its address. PagerDuty and Opsgenie need none."""
    template: TemplateName = ""
    """What the receiver is: pagerduty (Events v2), opsgenie, teams, ntfy or discord."""
    key: str = ""
    """The routing key of PagerDuty, the API key of Opsgenie, the topic's token of ntfy."""
    body: str | dict[str, Any] = ""
    """What is sent, with `{{ alert.text }}` and its like: text, or a mapping that is sent as JSON."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers that are sent besides."""
    method: Literal["POST", "PUT"] = "POST"
    """The method."""


class WebhookNotifier(Notifier[WebhookNotifierConfig]):
    """Posts the notice in the form that the receiver wants."""

    kind: ClassVar[str] = "webhook"
    config: ClassVar[type] = WebhookNotifierConfig
    takes_secrets: ClassVar[bool] = True
    fills: ClassVar[bool] = True
    pauses_s: ClassVar[tuple[float, ...]] = (2.0, 10.0, 30.0)
    example: ClassVar[str] = """
    kind: webhook
    template: pagerduty
    key: "{{ secret.pagerduty }}"
    """

    def joins(self, keys: Mapping[str, Any]) -> bool:
        """Keep each for itself where the receiver keeps incidents of its own."""
        return keys.get("template") not in ("pagerduty", "opsgenie")

    async def send(self, notification: Notification, cfg: WebhookNotifierConfig, ctx: Context) -> None:
        """Post once."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": notification.id, **cfg.headers}
        if cfg.template:
            sent = TEMPLATES[cfg.template](TemplateInput(notification, cfg.url, cfg.key))
            if sent is None:
                return
            url, body, more = sent
            await post(ctx, url, body, {**headers, **more, **cfg.headers})
            return
        if not cfg.url:
            raise NotSentError("it has neither url nor template", again=False)
        body, form = _body(cfg.body, notification)
        if form and "Content-Type" not in cfg.headers:
            headers["Content-Type"] = form
        await post(ctx, cfg.url, body, headers, method=cfg.method)


def _body(body: str | Mapping[str, Any], notification: Notification) -> tuple[bytes, str]:
    """Return the body, and its content type where it is not JSON. Values are written so that they end no text."""
    if not body:
        values = {name.removeprefix("alert."): value for name, value in alert_values(notification).items()}
        return json.dumps({**values, "at": notification.at, "labels": dict(notification.labels)}).encode(), ""
    if not isinstance(body, str):
        return json.dumps(_filled(body, notification)).encode(), ""
    if body.lstrip().startswith(("{", "[")):
        return alert_text(body, notification, lambda value: json.dumps(value)[1:-1]).encode(), ""
    if "=" in body.partition("\n")[0].partition(" ")[0]:
        return alert_text(body, notification, lambda value: quote(value, safe="")).encode(), (
            "application/x-www-form-urlencoded"
        )
    return alert_text(body, notification).encode(), "text/plain; charset=utf-8"


def _filled(value: Any, notification: Notification) -> Any:
    if isinstance(value, str):
        return alert_text(value, notification)
    if isinstance(value, Mapping):
        return {key: _filled(item, notification) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, notification) for item in value]
    return value
