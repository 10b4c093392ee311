"""What is wrong: a closer look, a solution, the incident, a bundle for a colleague.

`entry` is the id of a `KnownIssueView`, `about` one of those that it is about.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from switchover.commands.command import Changes, Command, CommandContext, Life, Question, Who
from switchover.snapshot import KnownIssueView

__all__ = [
    "CancelDiagnosis",
    "CommandResult",
    "Diagnose",
    "LookAtIssue",
    "SolveIssue",
]


class LookAtIssue(Question[KnownIssueView], frozen=True):
    """Return an entry with its commands and solutions as they apply now."""

    name: ClassVar[str] = "issue.look"
    entry: str
    about: str = ""

    async def apply(self, at: CommandContext) -> KnownIssueView:
        return at.hub.triage.look(self.entry, self.about)


class CommandResult(msgspec.Struct, frozen=True):
    """What a command said, and how it ended."""

    command: str = ""
    exit_code: int = 0
    output: str = ""


class Diagnose(Command[tuple[CommandResult, ...]], frozen=True):
    """Run one of an entry's commands, or all; `token` is what they can be cancelled by."""

    name: ClassVar[str] = "issue.diagnose"
    who: ClassVar[Who] = Who.ANYONE
    life: ClassVar[Life] = Life.OF_CLIENT
    entry: str
    about: str = ""
    command: int | None = None
    token: str = ""

    async def apply(self, at: CommandContext) -> tuple[CommandResult, ...]:
        ended = await at.hub.triage.diagnose(self.entry, self.about, self.command, self.token)
        return tuple(CommandResult(*one) for one in ended)


class CancelDiagnosis(Question[None], frozen=True):
    """End what was asked for under this token (exit code 130)."""

    name: ClassVar[str] = "issue.cancel"
    token: str

    async def apply(self, at: CommandContext) -> None:
        at.hub.triage.cancel(self.token)


class SolveIssue(Command[CommandResult], frozen=True):
    """Run a solution.

    `confirmation` is the solution's `confirm_text` where it has one, else `yes`, and nothing where it only reads.
    `answers` are those to what it asks.
    """

    name: ClassVar[str] = "issue.solve"
    changes: ClassVar[Changes] = Changes.DANGEROUS
    who: ClassVar[Who] = Who.DRIVER_OF_RUN
    entry: str
    solution: int
    about: str = ""
    confirmation: str = ""
    answers: dict[str, str] = msgspec.field(default_factory=dict)

    async def apply(self, at: CommandContext) -> CommandResult:
        ended = await at.hub.triage.solve(
            self.entry, self.about, self.solution, self.confirmation, at.operator, self.answers
        )
        return CommandResult(*ended)
