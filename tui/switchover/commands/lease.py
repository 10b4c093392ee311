"""Who drives: ask for the run, or answer one who asks."""

from __future__ import annotations

from typing import ClassVar

from switchover.commands.command import Command, CommandContext, Life, Who

__all__ = ["AnswerTakeover", "AskForRun"]

_LONGEST_WHY = 200


class AskForRun(Command[str], frozen=True):
    """Ask whoever drives for the run; the answer is `asked`, or `granted` where nobody has to be asked."""

    name: ClassVar[str] = "lease.ask"
    who: ClassVar[Who] = Who.ANYONE
    life: ClassVar[Life] = Life.OF_CLIENT

    async def apply(self, at: CommandContext) -> str:
        return at.client.takeovers.ask(at.client.joined_session)


class AnswerTakeover(Command[None], frozen=True):
    """Hand the run over to the one who asks, or refuse."""

    name: ClassVar[str] = "lease.answer"
    who: ClassVar[Who] = Who.ANYONE
    life: ClassVar[Life] = Life.OF_CLIENT
    yes: bool = False
    why: str = ""

    async def apply(self, at: CommandContext) -> None:
        at.client.takeovers.answer(at.client.joined_session, yes=self.yes, why=self.why[:_LONGEST_WHY])
