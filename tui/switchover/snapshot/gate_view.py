"""What a gate needs, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.snapshot.states import GateWord, NamedStatus

__all__ = ["GateView", "Requirement"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a gate needs, as it stands.

    `allowed_by` let it pass although it is not fine; `can` says what a person may do: acknowledge, waive.
    """

    name: str
    status: NamedStatus
    summary: str = ""
    allowed_by: str = ""
    allowed_why: str = ""
    allowed_until: float | None = None
    can: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate. `who` is advice: nothing here knows who is what. `said_go` are those whose go still counts."""

    phase: str
    state: GateWord
    requirements: tuple[Requirement, ...] = ()
    hold_s: float = 0.0
    held_s: float = 0.0
    green_since: float | None = None
    human: str = ""
    answered_by: str = ""
    reason: str = ""
    deadline_at: float | None = None
    persons: int = 1
    said_go: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    broken_at: float | None = None
    broken_why: str = ""
