"""What a step's exit codes and its timeout mean, as the plan said when it was begun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["OutcomeRules"]


@dataclass(frozen=True, slots=True)
class OutcomeRules:
    """Exit codes in `ok` end a step well, those in `unknown` leave open what it did.

    `unknown` None stands for 255 of a program that hands work to another machine. An empty `timeout_means` leaves it to
    what was seen in the step. A step that ended well is done once the checks in `ready` are fine, which may take
    `ready_within_s`.
    """

    ok: tuple[int, ...] = (0,)
    unknown: tuple[int, ...] | None = None
    timeout_means: Literal["", "unknown", "failed"] = ""
    ready: tuple[str, ...] = ()
    ready_within_s: float = 0.0
