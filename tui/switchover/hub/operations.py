"""What people did here outside of a run: to services, with solutions, in shells. Written down before it is done.

Each record is on the disk before its effect and carries the hash of the one before, as those of a run's journal do; the
file lies beside that journal. An operation without an end, because the agent died, is told at the next start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

from switchover.clock import Clock
from switchover.migration.operator import Operator
from switchover.snapshot import TimelineRow

__all__ = ["Operations"]

_TIMELINE = 100


class Operations:
    """The journal of operations at `path`, made with the first of them. `changed` is called when the timeline grew."""

    def __init__(
        self, path: Path, clock: Clock, redact: Callable[[str], str], *, changed: Callable[[], None] = lambda: None
    ) -> None:
        self.timeline: deque[TimelineRow] = deque(maxlen=_TIMELINE)
        self.changed = changed
        self._path = path
        self._clock = clock
        self._redact = redact

    async def perform(
        self,
        operator: Operator,
        action: str,
        subject: str,
        work: Callable[[], Awaitable[str]],
        *,
        kind: str = "",
        identity: str = "",
        argument: str = "",
        command: str = "",
    ) -> str:
        """Write down that `action` is done to `subject` now, await `work`, write down what came of it, and return that.

        `work` returns the result in words. What it raises is written down as the result and raised again. Raise
        `JournalError`, with nothing done, where it cannot be written down.
        """
        raise NotImplementedError

    async def record(self, operator: Operator, action: str, subject: str, text: str = "") -> None:
        """Write down a thing of one moment: a shell that was opened, an incident, a bundle. Raise `JournalError`."""
        raise NotImplementedError
