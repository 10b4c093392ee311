"""`bell`: every screen that is open rings."""

from __future__ import annotations

from typing import ClassVar

from switchover.alerts.notifier_api import NoKeys, Notification, Notifier
from switchover_checks.api import Context

__all__ = ["BellNotifier"]


class BellNotifier(Notifier[NoKeys]):
    """Sends nothing: the screens ring by themselves when they show an alert that asks for it."""

    kind: ClassVar[str] = "bell"
    rings: ClassVar[bool] = True
    example: ClassVar[str] = "kind: bell"

    async def send(self, notification: Notification, cfg: NoKeys, ctx: Context) -> None:
        """Do nothing."""
