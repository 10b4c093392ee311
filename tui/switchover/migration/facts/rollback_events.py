"""What happened to a rollback as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field

from switchover.migration.facts.gate_events import Evidence
from switchover.migration.facts.operator import Operator

__all__ = ["RollbackEnded", "RollbackItem", "RollbackStarted"]


@dataclass(frozen=True, slots=True)
class RollbackItem:
    """One action of a rollback, whole, so that it can be gone on with from here alone. `env` still holds its templates.

    `undoes` is the step that it undoes, empty for an action of a named plan. `also` are steps undone with it.
    It runs on the host `run_on`, called `ssh` where the undone step ran there. `run` is the command as a person reads
    it. Where no shell reads it, `argv` are its words, still with their templates. The way back goes on without one that
    is `optional` and failed.
    """

    unit: str
    run: str
    undoes: str = ""
    env: dict[str, str] = field(default_factory=dict)
    cwd: str = ""
    timeout_s: float = 600.0
    expect_s: float | None = None
    also: tuple[str, ...] = ()
    run_on: str = ""
    ssh: str = ""
    argv: tuple[str, ...] = ()
    title: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class RollbackStarted:
    """A rollback path is begun: what it will do, in order, and what it cannot undo."""

    number: int
    name: str
    by: Operator
    items: tuple[RollbackItem, ...]
    cannot_undo: tuple[str, ...] = ()
    within_s: float | None = None
    title: str = ""
    verify: tuple[str, ...] = ()
    data_loss: str = ""
    loses_since: float | None = None
    loses_after: str = ""


@dataclass(frozen=True, slots=True)
class RollbackEnded:
    """The rollback path has been taken; its verify checks are reported, whatever they say."""

    number: int
    duration_s: float
    within_time: bool | None = None
    evidence: tuple[Evidence, ...] = ()
