"""A plan that was edited, beside the one in force."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.snapshot.states import PlanChangeKind

__all__ = ["PlanChange", "PlanDifference"]


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A part of a plan that was edited. `kind`: added removed changed moved. `details`: key, before, after.

    `touches` says how a step or gate stands that has begun already; empty where nothing has.
    """

    kind: PlanChangeKind
    what: str
    name: str
    details: tuple[tuple[str, str, str], ...] = ()
    touches: str = ""


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """The plan's file as it is now, beside the plan that the run goes by. Asked for, never part of a Snapshot.

    `problems` are the errors of a file that cannot be used. `refused` says why a run cannot go by it. `needed` are the
    variables that it asks for beyond the known ones.
    """

    same: bool
    run_id: str = ""
    run_open: bool = False
    digest: str = ""
    problems: tuple[str, ...] = ()
    changes: tuple[PlanChange, ...] = ()
    refused: tuple[str, ...] = ()
    needed: tuple[tuple[str, str, str], ...] = ()
    unified: tuple[str, ...] = ()
