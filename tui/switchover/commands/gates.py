"""What lets a run pass: its gates, what is waived or acknowledged there, a second person's word."""

from __future__ import annotations

from typing import ClassVar

from switchover.commands.command import CommandContext, RunAction, RunCommand, Who

__all__ = ["AcknowledgeCheck", "AnswerGate", "CheckGate", "ConfirmStep", "WaiveCheck"]


class CheckGate(RunAction, frozen=True):
    """Look at a gate's checks and wait until it has held."""

    name: ClassVar[str] = "gate.check"
    phase: str

    async def apply(self, at: CommandContext) -> None:
        await at.run.check_gate(self.phase, at.operator)


class AnswerGate(RunAction, frozen=True):
    """Answer a gate that asks a person."""

    name: ClassVar[str] = "gate.answer"
    phase: str
    yes: bool
    note: str = ""

    async def apply(self, at: CommandContext) -> None:
        await at.run.answer_gate(self.phase, at.operator, self.yes, self.note)


class AcknowledgeCheck(RunCommand[None], frozen=True):
    """Let a warning pass where the run stands, while it stays one."""

    name: ClassVar[str] = "gate.acknowledge"
    check: str
    reason: str

    async def apply(self, at: CommandContext) -> None:
        await at.run.acknowledge(self.check, at.operator, self.reason)


class WaiveCheck(RunCommand[None], frozen=True):
    """Let a check that is not fine pass where the run stands, for a while."""

    name: ClassVar[str] = "gate.waive"
    check: str
    reason: str
    for_s: float

    async def apply(self, at: CommandContext) -> None:
        await at.run.waive(self.check, at.operator, self.reason, self.for_s)


class ConfirmStep(RunCommand[None], frozen=True):
    """Give a second person's word for a step."""

    name: ClassVar[str] = "person.confirm"
    who: ClassVar[Who] = Who.ANYONE
    step: str
    text: str

    async def apply(self, at: CommandContext) -> None:
        await at.run.confirm(self.step, at.operator, self.text)
