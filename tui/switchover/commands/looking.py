"""Look closer at a run and its plan: output, the edited file, a rollback's rehearsal, a check run now."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from switchover.commands.command import CommandContext, Question
from switchover.snapshot import PlanDifference, Rehearsal

__all__ = ["ComparePlan", "OutputPart", "ReadOutput", "RehearseRollback", "RunChecks"]

_OUTPUT_MOST = 256 * 1024


class RehearseRollback(Question[Rehearsal], frozen=True):
    """Tell all that a rollback path would do, and do nothing."""

    name: ClassVar[str] = "rollback.rehearse"
    path: str | None = msgspec.field(default=None, name="name")

    async def apply(self, at: CommandContext) -> Rehearsal:
        return await at.run.rehearse(self.path)


class ComparePlan(Question[PlanDifference], frozen=True):
    """Compare the plan's file with the plan in force."""

    name: ClassVar[str] = "plan.difference"

    async def apply(self, at: CommandContext) -> PlanDifference:
        return await at.run.difference()


class RunChecks(Question[None], frozen=True):
    """Run these checks now; all that are watched where none is named."""

    name: ClassVar[str] = "check.run"
    names: tuple[str, ...] = ()

    async def apply(self, at: CommandContext) -> None:
        await at.hub.recheck(self.names)


class OutputPart(msgspec.Struct, frozen=True):
    """A part of a step's output, and where the next begins."""

    text: str = ""
    next: int = 0
    complete: bool = False


class ReadOutput(Question[OutputPart], frozen=True):
    """Read what a step has written, from an offset on."""

    name: ClassVar[str] = "output.read"
    step: str
    attempt: int
    offset: int = 0
    limit: int = 64 * 1024

    async def apply(self, at: CommandContext) -> OutputPart:
        limit = max(1, min(self.limit, _OUTPUT_MOST))
        return OutputPart(*at.run.read_output(self.step, self.attempt, max(0, self.offset), limit))
