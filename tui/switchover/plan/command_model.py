"""What is executed: shell text (`run`), or a program with its arguments and no shell (`argv`)."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, StringConstraints

from switchover.plan.field_types import Env, Model, Name, StepEffect, Text, Timeout, WrittenText

__all__ = ["ARGV_WORDS", "RUN_WORDS", "SHELL", "Argv", "UsefulCommand", "command_text"]

SHELL = ("/bin/sh", "-e", "-c")  # it ends at the first line that fails
Argv = Annotated[tuple[WrittenText, ...], Field(min_length=1)]

RUN_WORDS = "the command, as a shell reads it; no templates, values come through `env`"
ARGV_WORDS = "the command without a shell: a program and its arguments, each with its templates filled in"


def command_text(run: str | None, argv: Iterable[str] | None) -> str:
    """Return a command as a person reads it; empty where there is none."""
    if run is not None:
        return run.strip()
    return " ".join(word if "{{" in word else shlex.quote(word) for word in argv or ())


class UsefulCommand(Model):
    """A command that people need again and again. It has an end, and is on record as any action."""

    title: Text | None = Field(None, description="how it is called on the screen")
    key: Annotated[str, StringConstraints(pattern=r"^[!-~]$")] | None = Field(
        None, description="the key that runs it where the commands are listed"
    )
    run: str | None = Field(None, description=RUN_WORDS)
    argv: Argv | None = Field(None, description=ARGV_WORDS)
    env: Env = Field(default_factory=dict, description="variables of the command; secrets belong here")
    cwd: str | None = Field(None, description="the folder in which it runs, else that of the plan, or the home there")
    run_on: Name | None = Field(None, description="the host of `hosts` on which it runs, else this one")
    timeout: Timeout = Field(20.0, description="it is ended after that time: 5s, 2m")
    effect: StepEffect = Field(
        "changes", description="what it changes; one that only reads runs at once, others are asked about first"
    )

    @property
    def command(self) -> str:
        """The command as a person reads it."""
        return command_text(self.run, self.argv)
