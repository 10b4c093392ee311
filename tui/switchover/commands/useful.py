"""The useful commands of a plan."""

from __future__ import annotations

from typing import ClassVar

from switchover.commands.command import Changes, Command, CommandContext, Life, Who
from switchover.commands.problems import CommandResult

__all__ = ["LookByCommand", "RunUseful"]


class LookByCommand(Command[tuple[CommandResult, ...]], frozen=True):
    """Run a useful command that only reads; return what each machine says."""

    name: ClassVar[str] = "command.look"
    who: ClassVar[Who] = Who.ANYONE
    life: ClassVar[Life] = Life.OF_CLIENT
    command: str

    async def apply(self, at: CommandContext) -> tuple[CommandResult, ...]:
        ended = await at.hub.triage.commands.run(self.command, "", at.operator, only_reads=True)
        return tuple(CommandResult(*one) for one in ended)


class RunUseful(Command[tuple[CommandResult, ...]], frozen=True):
    """Run any useful command. `confirmation` is `yes` where it changes something."""

    name: ClassVar[str] = "command.run"
    changes: ClassVar[Changes] = Changes.DANGEROUS
    who: ClassVar[Who] = Who.DRIVER_OF_RUN
    command: str
    confirmation: str = ""

    async def apply(self, at: CommandContext) -> tuple[CommandResult, ...]:
        ended = await at.hub.triage.commands.run(self.command, self.confirmation, at.operator, only_reads=False)
        return tuple(CommandResult(*one) for one in ended)
