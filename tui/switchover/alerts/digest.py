"""Several notices as one, where so many came that one at a time would be noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from switchover.alerts.notifier_api import Notification
from switchover.alerts.outbox_records import Delivery

__all__ = ["MOST_JOINED", "digest_of"]

MOST_JOINED = 20  # each has its line: none is only counted


def digest_of(batch: Sequence[Delivery]) -> Notification:
    """Return one notice as it is. Of several, return the newest with a line for each and the id of the first."""
    notices = [replace(d.notification, id=d.notification.id or d.id) for d in batch]
    if len(notices) == 1:
        return notices[0]
    lines = [f"{len(notices)} notices:", *(notice.sentence for notice in notices)]
    return replace(notices[-1], text="\n".join(lines), id=notices[0].id, repeated=False)
