"""`desktop`: every screen that is open asks its terminal for a desktop notification (OSC 9)."""

from __future__ import annotations

from typing import ClassVar

from switchover.alerts.notifier_api import NoKeys, Notification, Notifier
from switchover_checks.api import Context

__all__ = ["DesktopNotifier"]


class DesktopNotifier(Notifier[NoKeys]):
    """Sends nothing: the screens do it. iTerm2, WezTerm, kitty, foot, Windows Terminal and Ghostty show it."""

    kind: ClassVar[str] = "desktop"
    rings: ClassVar[bool] = True
    example: ClassVar[str] = "kind: desktop"

    async def send(self, notification: Notification, cfg: NoKeys, ctx: Context) -> None:
        """Do nothing."""
