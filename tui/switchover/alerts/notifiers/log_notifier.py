"""`log`: a line in the log of the agent."""

from __future__ import annotations

import logging
from typing import ClassVar

from switchover.alerts.notifier_api import NoKeys, Notification, Notifier
from switchover_checks.api import Context

__all__ = ["LogNotifier"]

_log = logging.getLogger("switchover.alerts")


class LogNotifier(Notifier[NoKeys]):
    """Writes the line."""

    kind: ClassVar[str] = "log"
    example: ClassVar[str] = "kind: log"

    async def send(self, notification: Notification, cfg: NoKeys, ctx: Context) -> None:
        """Log the text."""
        _log.warning("%s", notification.sentence)
