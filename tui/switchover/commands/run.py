"""Carry the run on: begin it, take its steps, say what became of them, end it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import msgspec

from switchover.commands.command import Changes, CommandContext, RunAction, RunCommand
from switchover.errors import RefusedError
from switchover.snapshot.states import ResolvedAs

__all__ = [
    "AbortRun",
    "GiveVariables",
    "RebaseRun",
    "ResolveStep",
    "RetryStep",
    "RollBack",
    "RunNext",
    "RunStep",
    "RunToGate",
    "StartRun",
    "StopAfterStep",
    "TickItem",
]


class StartRun(RunAction, frozen=True):
    """Begin a run; with `new` another one, where the last has ended."""

    name: ClassVar[str] = "run.start"
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    new: bool = False

    async def apply(self, at: CommandContext) -> None:
        await at.run.start(at.operator, self.variables, new=self.new)


class GiveVariables(RunCommand[None], frozen=True):
    """Give values to variables that are still open."""

    name: ClassVar[str] = "run.variables"
    variables: dict[str, str]

    async def apply(self, at: CommandContext) -> None:
        await at.run.give(at.operator, self.variables)


class RunNext(RunAction, frozen=True):
    """Do the next automatic thing."""

    name: ClassVar[str] = "run.next"
    confirmation: str | None = None

    async def apply(self, at: CommandContext) -> None:
        await at.run.run_next(at.operator, self.confirmation)


class RunToGate(RunAction, frozen=True):
    """Run one step after the other, up to the next gate or what needs a person."""

    name: ClassVar[str] = "run.advance"

    async def apply(self, at: CommandContext) -> None:
        await at.run.run_to_gate(at.operator)


class StopAfterStep(RunCommand[None], frozen=True):
    """Let the step that runs go on to its end, and begin no other by itself."""

    name: ClassVar[str] = "run.pause"

    async def apply(self, at: CommandContext) -> None:
        at.run.stop_after_step()


class RunStep(RunAction, frozen=True):
    """Run one step."""

    name: ClassVar[str] = "run.step"
    step: str
    confirmation: str | None = None

    async def apply(self, at: CommandContext) -> None:
        await at.run.run_step(self.step, at.operator, self.confirmation)


class RetryStep(RunAction, frozen=True):
    """Run a step again that failed, or whose gate still needs what it does."""

    name: ClassVar[str] = "step.retry"
    step: str
    confirmation: str | None = None

    async def apply(self, at: CommandContext) -> None:
        await at.run.retry(self.step, at.operator, self.confirmation)


class ResolveStep(RunAction, frozen=True):
    """Say what became of a step whose outcome is unknown, or what follows from one that failed."""

    name: ClassVar[str] = "step.resolve"
    step: str
    choice: ResolvedAs
    reason: str

    async def apply(self, at: CommandContext) -> None:
        await at.run.resolve(self.step, self.choice, self.reason, at.operator)


class TickItem(RunCommand[None], frozen=True):
    """Tick an item of a checklist, with evidence."""

    name: ClassVar[str] = "checklist.tick"
    step: str
    item: int
    evidence: str = ""
    file: str = ""  # the whole path of a file on the agent's machine, which keeps a copy

    async def apply(self, at: CommandContext) -> None:
        file = Path(self.file) if self.file else None
        if file is not None and not file.is_absolute():
            raise RefusedError(f"{self.file} is no whole path", "name the file with its whole path")
        await at.run.tick(self.step, self.item, at.operator, self.evidence, file)


class RollBack(RunAction, frozen=True):
    """Take a rollback path. `accept` names the irreversible steps that the person has read of."""

    name: ClassVar[str] = "run.rollback"
    changes: ClassVar[Changes] = Changes.DANGEROUS
    path: str | None = msgspec.field(default=None, name="name")
    dry_run: bool = False
    accept: tuple[str, ...] = ()

    def changes_something(self) -> bool:
        """Tell whether it is more than a rehearsal."""
        return not self.dry_run

    async def apply(self, at: CommandContext) -> None:
        await at.run.rollback(self.path, at.operator, dry_run=self.dry_run, accept=self.accept)


class RebaseRun(RunCommand[None], frozen=True):
    """Let the open run go by the plan as its file has it now. `digest` is that of the text that the person has read."""

    name: ClassVar[str] = "run.rebase"
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    reason: str = ""
    digest: str = ""

    async def apply(self, at: CommandContext) -> None:
        await at.run.rebase(at.operator, self.variables, self.reason, self.digest)


class AbortRun(RunAction, frozen=True):
    """Stop what runs now, and the run."""

    name: ClassVar[str] = "run.abort"
    changes: ClassVar[Changes] = Changes.DANGEROUS
    reason: str = ""

    async def apply(self, at: CommandContext) -> None:
        await at.run.abort(at.operator, self.reason)
