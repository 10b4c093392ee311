"""What jobs say about themselves."""

from __future__ import annotations

from typing import ClassVar, Literal

from switchover.commands.command import CommandContext, Life, Question

__all__ = ["PushReport"]


class PushReport(Question[None], frozen=True):
    """Take the report of a job for its `heartbeat` check, and look at that check at once."""

    name: ClassVar[str] = "check.push"
    life: ClassVar[Life] = Life.OF_AGENT
    check: str
    status: Literal["ok", "warn", "crit"] = "ok"
    text: str = ""

    async def apply(self, at: CommandContext) -> None:
        at.hub.reports.accept(self.check, self.status, self.text)
        await at.hub.recheck([self.check])
