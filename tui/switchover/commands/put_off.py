"""Let the run go on by itself later, or take that back."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from switchover.commands.command import CommandContext, RunCommand

__all__ = ["CancelPutOff", "PutOffRun"]


class PutOffRun(RunCommand[None], frozen=True):
    """Let the run begin, or go on, by itself at a time (epoch seconds), and not after another."""

    name: ClassVar[str] = "appointment.make"
    at_time: float
    expires: float
    until: str = ""
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    new: bool = False

    async def apply(self, at: CommandContext) -> None:
        await at.run.put_off(at.operator, self.at_time, self.expires, self.until, self.variables, new=self.new)


class CancelPutOff(RunCommand[str], frozen=True):
    """Take back what was put off; answer what it was."""

    name: ClassVar[str] = "appointment.cancel"

    async def apply(self, at: CommandContext) -> str:
        return await at.run.cancel_appointment()
