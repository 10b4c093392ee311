"""Sends a notice once, to try a notifier."""

from __future__ import annotations

from typing import Any

from switchover.alerts.alert_values import knowing
from switchover.alerts.notifier_api import Notification, Notifier
from switchover.plan.kind_calls import KindCalls, UnavailableError
from switchover.plan.model import NotifierSpec
from switchover.plan.named_kinds import NOTIFIERS
from switchover_checks.api import Context
from switchover_checks.language.declared import load_declared

__all__ = ["send_once"]


async def send_once(spec: NotifierSpec, calls: KindCalls, notification: Notification) -> str:
    """Return why it was not sent; empty where it was."""
    notifier: Notifier[Any] = load_declared(NOTIFIERS, spec.kind)()

    async def work(cfg: Any, ctx: Context) -> None:
        await notifier.send(notification, cfg, ctx)

    try:
        await (knowing(calls) if notifier.fills else calls).call(notifier.config, spec.config, notifier.timeout_s, work)
    except UnavailableError as error:
        return str(error)
    return ""
