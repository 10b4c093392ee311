"""Every error that a caller can meet, in one tree.

SwitchoverError                 title for the user, hint what to do; exit code for the command line
├── UsageError              2   the command line is wrong
├── PlanError               2   the plan cannot be used; carries every problem with file, line and column
├── NotTrustedError         2   a plan found by itself has not been trusted yet
├── StateError              1   the state directory cannot be used (full, read-only, damaged)
│   └── JournalError        1   the journal cannot be written or read: no step starts
│       ├── JournalAwayError 1  its server does not answer, or others drive: what is owed is recorded later
│       └── JournalDiffersError 1  it is not the journal, or does not hold the records, that were known before
├── LockedError             5   another operator or process drives this run; carries who
├── RefusedError            1   the engine refuses an action (gate shut, wrong confirmation, read-only, …)
└── AgentError              1   the agent cannot be reached or started
    ├── AgentStoppedError   1   somebody has stopped the agent: nothing is watched until it is started
    ├── LineLostError       1   the line broke while an answer was awaited: whether it was done is not known
    └── VersionMismatchError 1  the agent is of another version and a step runs, so it cannot be replaced now
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "AgentError",
    "AgentStoppedError",
    "JournalAwayError",
    "JournalDiffersError",
    "JournalError",
    "LineLostError",
    "LockedError",
    "NotTrustedError",
    "PlanError",
    "PlanProblem",
    "RefusedError",
    "StateError",
    "SwitchoverError",
    "UsageError",
    "VersionMismatchError",
]


class SwitchoverError(Exception):
    """Something went wrong that the user should read: `title` says what, `hint` what to do about it."""

    exit_code = 1

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint


class UsageError(SwitchoverError):
    """The command line asks for something that does not exist or does not fit."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """One thing that is wrong in a plan file. Line and column count from 1; 0 where there is no place to point at."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class PlanError(SwitchoverError):
    """The plan cannot be used. `problems` holds all that is wrong with it, in the order of the file."""

    exit_code = 2

    def __init__(self, problems: list[PlanProblem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


class NotTrustedError(SwitchoverError):
    """A plan was found, not named, and nobody has trusted this version of it yet."""

    exit_code = 2


class StateError(SwitchoverError):
    """The state directory cannot be used."""


class JournalError(StateError):
    """The journal cannot be written or read; nothing may be started."""


class JournalAwayError(JournalError):
    """The journal's server does not answer, or somebody else took the run over. What ended meanwhile waits for it."""


class JournalDiffersError(JournalError):
    """The journal is another one, or has lost or changed records that were known. Nothing more is written to it."""


class LockedError(SwitchoverError):
    """Somebody else drives this run; the title names who, where and since when."""

    exit_code = 5


class RefusedError(SwitchoverError):
    """The engine refuses an action, and says why."""


class AgentError(SwitchoverError):
    """The agent cannot be reached or started."""


class AgentStoppedError(AgentError):
    """Somebody has stopped the agent on purpose; it stays stopped until somebody starts it."""


class LineLostError(AgentError):
    """The line broke while an answer was waited for: nobody knows here whether it was done."""


class VersionMismatchError(AgentError):
    """The agent is of another version and cannot be replaced while a step runs."""
