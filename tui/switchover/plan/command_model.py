"""What is executed: shell text (`run`), or a program with its arguments and no shell (`argv`)."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from switchover.plan.field_types import WrittenText

__all__ = ["ARGV_WORDS", "RUN_WORDS", "SHELL", "Argv", "command_text"]

SHELL = ("/bin/sh", "-e", "-c")  # it ends at the first line that fails
Argv = Annotated[tuple[WrittenText, ...], Field(min_length=1)]

RUN_WORDS = "the command, as a shell reads it; no templates, values come through `env`"
ARGV_WORDS = "the command without a shell: a program and its arguments, each with its templates filled in"


def command_text(run: str | None, argv: Iterable[str] | None) -> str:
    """Return a command as a person reads it; empty where there is none."""
    if run is not None:
        return run.strip()
    return " ".join(word if "{{" in word else shlex.quote(word) for word in argv or ())
