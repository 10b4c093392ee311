"""A troubleshooting entry that ships with the program: how it is recognised, how to look closer, what may help.

The text of a command is fixed. What it is about reaches it through the environment alone. The names are SERVICE,
CONTAINER, UNIT, PID, PORT, HOST and PATH_ (a file or folder). A command is offered only where all that it needs is
known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from switchover.snapshot.states import StepEffect
from switchover.triage.evidence import ProblemEvidence

__all__ = ["DiagnosticCommand", "KnownIssue", "Match", "Remedy", "Sign", "Sort"]


class Sort(StrEnum):
    """Where a sign is searched: the service's own words, its check's observations, the last lines of its log."""

    SERVICE = "service"
    CHECK = "check"
    LOG = "log"
    ANY_LOG = "any log"  # also of what still runs


@dataclass(frozen=True, slots=True)
class Sign:
    """How an entry is recognised: a pattern in one of the `places`, or a `test` that says why it fits.

    Named groups of the pattern (PORT, HOST, PATH_) become values of the environment. `unless` takes the sign back.
    """

    pattern: re.Pattern[str] | None = None
    places: tuple[str, ...] = (Sort.SERVICE, Sort.CHECK, Sort.LOG)
    unless: re.Pattern[str] | None = None
    test: Callable[[ProblemEvidence], str] | None = None


@dataclass(frozen=True, slots=True)
class DiagnosticCommand:
    """A bounded command that changes nothing. `kinds` are those of services that it is for; for all where none is.

    It is for hosts that have `tool`, where one is named.
    """

    text: str
    command: str
    needs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing that may help. `action` is one of the service's own, `run` a command; a person does what has neither.

    `confirm` names the value of the environment that has to be typed before something that cannot be undone.
    """

    text: str
    action: str = ""
    run: str = ""
    effect: StepEffect = "changes"
    irreversible: bool = False
    confirm: str = ""
    needs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    timeout_s: float = 120.0
    tool: str = ""


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """An entry. `id` never changes: screens, scripts and the journal name it."""

    id: str
    symptom: str
    signs: tuple[Sign, ...]
    looks: tuple[DiagnosticCommand, ...] = ()
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that fits, why it does, and the values that the signs gave (PORT, HOST, PATH_).

    `back` is how many newer lines the log has after the matching one; 0 where no line has to match.
    """

    entry: KnownIssue
    because: str
    values: Mapping[str, str] = field(default_factory=dict)
    back: int = 0
