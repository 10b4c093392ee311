"""What the outbox keeps: a notice for one channel, and how each alert stands."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.alerts.notifier_api import Notification
from switchover.snapshot.states import AlertWord

__all__ = ["AlertRecord", "Delivery"]


@dataclass(slots=True)
class Delivery:
    """A notice on its way to one channel. Times are epoch seconds.

    With `trying`, a try had begun when this was written. Found so at a start, it may have been told. `siblings`
    are the other channels that get the same notice, so it is handed on to none of them.
    """

    id: str
    channel: str
    notification: Notification
    made: float
    next_at: float
    tries: int = 0
    trying: bool = False
    error: str = ""
    handed_on: bool = False
    siblings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """How one alert stood when that was last written down. `state` is pending, firing, escalated or told."""

    key: str
    state: AlertWord
    since: float
    fired: float | None = None
    told: float | None = None
    text: str = ""
