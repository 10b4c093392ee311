"""Bodies that known receivers want: PagerDuty Events v2, Opsgenie, Teams, ntfy, Discord."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from switchover.alerts.notifier_api import Notification

__all__ = ["TEMPLATES", "TemplateInput"]

Sent = tuple[str, bytes, dict[str, str]]
"""Address, body, headers."""
_PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
_OPSGENIE = "https://api.opsgenie.com/v2/alerts"
_PAGERDUTY_SEVERITIES = {"critical": "critical", "crit": "critical", "error": "error", "info": "info"}
_PRIORITIES = {"critical": "P1", "crit": "P1", "error": "P2", "info": "P5"}
_NTFY = {"fired": "4", "reminded": "4", "ended": "2"}
_COLOURS = {"fired": 0xD93025, "reminded": 0xD93025, "ended": 0x188038}


@dataclass(frozen=True, slots=True)
class TemplateInput:
    """The notice, and the keys of the notifier."""

    notification: Notification
    url: str
    key: str


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()


def _incident(key: str) -> str:
    """Return what stays the same from firing to resolving; receivers allow it 255 letters."""
    return key if len(key) <= 200 else hashlib.sha256(key.encode()).hexdigest()


def _pagerduty(given: TemplateInput) -> Sent | None:
    notice = given.notification
    action = {"ended": "resolve", "reminded": "trigger"}.get(notice.event.value, "trigger")
    document: dict[str, Any] = {
        "routing_key": given.key,
        "event_action": action,
        "dedup_key": _incident(notice.key),
        "client": "switchover",
    }
    if action == "trigger":
        labels = dict(notice.labels)
        document["payload"] = {
            "summary": notice.sentence[:1024],
            "source": labels.get("instance") or socket.gethostname(),
            "severity": _PAGERDUTY_SEVERITIES.get(notice.severity, "warning"),
            "component": notice.name,
            "custom_details": {"rule": notice.rule, **labels},
        }
        if notice.link:
            document["links"] = [{"href": notice.link, "text": "runbook"}]
    return given.url or _PAGERDUTY, _json(document), {}


def _opsgenie(given: TemplateInput) -> Sent | None:
    notice, base = given.notification, (given.url or _OPSGENIE).rstrip("/")
    headers = {"Authorization": f"GenieKey {given.key}"}
    alias = _incident(notice.key)
    if notice.event.value == "ended":
        return f"{base}/{quote(alias, safe='')}/close?identifierType=alias", _json({"source": "switchover"}), headers
    document = {
        "message": notice.sentence[:130],
        "alias": alias,
        "description": notice.sentence[:15000],
        "source": socket.gethostname(),
        "priority": _PRIORITIES.get(notice.severity, "P3"),
        "details": {"rule": notice.rule, **dict(notice.labels)},
    }
    return base, _json(document), headers


def _teams(given: TemplateInput) -> Sent | None:
    notice = given.notification
    colour = "Good" if notice.event.value == "ended" else "Attention"
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": notice.name or notice.rule, "weight": "Bolder", "color": colour},
            {"type": "TextBlock", "text": notice.sentence[:5000], "wrap": True},
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return given.url, _json({"type": "message", "attachments": [attachment]}), {}


def _ntfy(given: TemplateInput) -> Sent | None:
    notice = given.notification
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Title": (notice.name or notice.rule).encode("ascii", "replace").decode()[:100].replace("\n", " "),
        "Priority": _NTFY.get(notice.event.value, "3"),
        "Tags": "white_check_mark" if notice.event.value == "ended" else "rotating_light",
    }
    if notice.link:
        headers["Click"] = notice.link
    if given.key:
        headers["Authorization"] = f"Bearer {given.key}"
    return given.url, notice.sentence[:3900].encode(), headers


def _discord(given: TemplateInput) -> Sent | None:
    notice = given.notification
    embed = {
        "title": (notice.name or notice.rule)[:250],
        "description": notice.sentence[:4000],
        "color": _COLOURS.get(notice.event.value, 0x1A73E8),
    }
    return given.url, _json({"embeds": [embed], "allowed_mentions": {"parse": []}}), {}


TEMPLATES: Mapping[str, Callable[[TemplateInput], Sent | None]] = {
    "pagerduty": _pagerduty,
    "opsgenie": _opsgenie,
    "teams": _teams,
    "ntfy": _ntfy,
    "discord": _discord,
}
