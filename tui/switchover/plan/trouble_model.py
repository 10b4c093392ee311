"""Known issues of a plan: how each shows, what looks closer, what may help."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from switchover.plan.command_model import ARGV_WORDS, Argv, command_text
from switchover.plan.field_types import Env, EnvName, Model, Name, StepEffect, Text, Timeout
from switchover.plan.step_model import Confirm

__all__ = ["PlannedLook", "Solution", "TroubleshootingEntry"]


class PlannedLook(Model):
    """A command that looks closer, with what it needs."""

    argv: Argv = Field(description=ARGV_WORDS)
    run_on: Name | None = Field(None, description="the host of `hosts` on which it runs, else that of the entry")
    env: Env = Field(default_factory=dict, description="variables of the command, besides those of the entry")

    @property
    def command(self) -> str:
        """The command as a person reads it."""
        return command_text(None, self.argv)


def _looked_how(value: Any) -> str:
    return "(more)" if isinstance(value, PlannedLook | dict) else "(word)"


AnyLook = Annotated[Annotated[PlannedLook, Tag("(more)")] | Annotated[str, Tag("(word)")], Discriminator(_looked_how)]


class Solution(Model):
    """One thing that may help, with its own effect and confirmation."""

    text: Text = Field(description="what it does, in words")
    run: str | None = Field(None, description="the command; without it, a person follows the text")
    ask: dict[EnvName, Text] = Field(
        default_factory=dict,
        description="what a person is asked before it runs: NAME: the question; the command gets it as $NAME",
    )
    env: Env = Field(default_factory=dict, description="variables of the command; secrets belong here")
    timeout: Timeout = Field(300.0, description="it is ended after that time: 30s, 1h30m")
    effect: StepEffect = Field(
        "changes", description="what it changes; one that only reads runs at once, one that destroys needs `confirm`"
    )
    confirm: Confirm | None = Field(None, description="what must be typed before it runs")

    @property
    def irreversible(self) -> bool:
        """Whether it cannot be undone."""
        return self.effect == "destroys"


class TroubleshootingEntry(Model):
    """A known issue: how it shows, how to look closer, what to do."""

    symptom: Text = Field(description="how it shows")
    when: str | None = Field(
        None, description="CHECK == STATUS, also `A == CRIT or B == CRIT for 1m`: proposed by itself when this holds"
    )
    diagnose: tuple[AnyLook, ...] = Field(
        (), description="commands that only read, run when the entry is opened: text, or {argv, run_on, env}"
    )
    run_on: Name | None = Field(None, description="the host of `hosts` on which its commands run, else this one")
    cwd: str | None = Field(None, description="the folder in which they run, else that of the plan, or the home there")
    env: Env = Field(default_factory=dict, description="variables of all its commands; secrets belong here")
    solutions: tuple[Solution, ...] = Field((), description="what may help")

    @property
    def looks(self) -> tuple[str, ...]:
        """The commands that look closer, as a person reads them."""
        return tuple(look if isinstance(look, str) else look.command for look in self.diagnose)
