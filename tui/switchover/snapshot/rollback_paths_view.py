"""The rollback paths."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.snapshot.gate_view import Requirement
from switchover.snapshot.states import RollbackWord, StageWord

__all__ = ["Rehearsal", "RehearsedAction", "RollbackActionView", "RollbackRun", "RollbackView"]


@dataclass(frozen=True, slots=True)
class RollbackView:
    """A rollback path as it stands now. `name` is empty for undoing the started steps one by one.

    `closed_by` is the step whose start closes it for good, empty where none does. `expect_s` is what is known of its
    time. `measured`: all of it was. `expected`: the plan says so. `partly`: `unknown_times` actions are not in it. What
    was written since `loses_since` is lost, when the step `loses_after` began. `irreversible` are the begun steps that
    it does not undo and that have to be accepted by name.
    """

    name: str
    title: str
    available: bool
    reason: str = ""
    steps: tuple[str, ...] = ()
    expect_s: float | None = None
    within_s: float | None = None
    data_loss: str = ""
    closed_by: str = ""
    expect_from: str = ""
    unknown_times: int = 0
    loses_since: float | None = None
    loses_after: str = ""
    cannot_undo: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    irreversible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RollbackActionView:
    """One action of a rollback. `state`: pending running done failed unknown skipped. `undoes` is a step, or empty."""

    unit: str
    label: str
    state: StageWord
    undoes: str = ""
    attempts: int = 0
    exit_code: int | None = None
    started_at: float | None = None
    took_s: float | None = None
    expect_s: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RollbackRun:
    """A rollback that was begun, action by action. `state`: running, stopped (nothing runs), failed, unknown, done.

    `took_s` is set once it is through; until then its time counts from `started_at`.
    """

    number: int
    name: str
    title: str
    state: RollbackWord
    started_at: float
    by: str = ""
    actions: tuple[RollbackActionView, ...] = ()
    cannot_undo: tuple[str, ...] = ()
    within_s: float | None = None
    expect_s: float | None = None
    took_s: float | None = None
    data_loss: str = ""
    loses_since: float | None = None
    loses_after: str = ""
    verify: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class RehearsedAction:
    """One action of a rollback path as it would be executed; `measured` says that its time was."""

    argv: tuple[str, ...]
    env_names: tuple[str, ...] = ()
    undoes: str = ""
    timeout_s: float = 0.0
    expect_s: float | None = None
    measured: bool = False
    run_on: str = ""
    title: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All that taking a rollback path would do. Asked for, never part of a Snapshot.

    `assumed`: nothing has begun yet, so it is worked out as if every step had. `verify` is what its checks say now.
    """

    way: RollbackView
    actions: tuple[RehearsedAction, ...] = ()
    assumed: bool = False
    verify: tuple[Requirement, ...] = ()
