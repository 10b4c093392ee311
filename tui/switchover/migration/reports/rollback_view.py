"""Rollback paths, and the rollback that was begun, as a client shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from switchover.migration.facts.display import display
from switchover.migration.facts.events import RollbackItem
from switchover.migration.facts.run_state import RunState, Stage, UnitState
from switchover.migration.rules.next_action import Action
from switchover.migration.rules.rollback_paths import RollbackPath, phases_gone_over
from switchover.plan.model import Plan
from switchover.redaction import sanitize
from switchover.snapshot import PhaseView, Requirement, RollbackActionView, RollbackRun, RollbackView
from switchover.snapshot.states import RollbackWord

__all__ = ["action_name", "gone_over", "mark_gone_over", "rollback_path_view", "rollback_view"]


def rollback_path_view(way: RollbackPath, plan: Plan) -> RollbackView:
    """Return a rollback path as a client shows it."""
    return RollbackView(
        name=way.name,
        title=sanitize(way.title),
        available=way.available,
        reason=way.reason,
        steps=tuple(display(text) for text in (*(item.label for item in way.items), *way.cannot_undo)),
        expect_s=way.expect_s,
        within_s=way.within_s,
        data_loss=sanitize(way.data_loss),
        closed_by=_closed_by(way, plan),
        expect_from=way.expect_from,
        unknown_times=way.unknown_times,
        loses_since=way.loses_since.at if way.loses_since else None,
        loses_after=way.loses_after,
        cannot_undo=tuple(sanitize(text) for text in way.cannot_undo),
        verify=way.verify,
        irreversible=way.irreversible,
    )


def rollback_view(state: RunState, action: Action) -> RollbackRun | None:
    """Return where the newest rollback stands, action by action."""
    rollback = state.rollback
    if rollback is None or rollback.begun is None:
        return None
    begun = rollback.begun
    moving = any(state.unit(item.unit).stage is Stage.RUNNING for item in rollback.items)
    word: RollbackWord = rollback.stage.word
    if rollback.stage is Stage.RUNNING and not moving:
        word = "aborted" if state.finished else "stopped" if action.kind == "rollback" else word
    return RollbackRun(
        number=rollback.number,
        name=rollback.name,
        title=sanitize(begun.title or rollback.name or "step by step"),
        state=word,
        started_at=rollback.started.at,
        by=str(begun.by),
        actions=tuple(_rollback_action(item, state.unit(item.unit)) for item in rollback.items),
        cannot_undo=tuple(sanitize(text) for text in rollback.cannot_undo),
        within_s=rollback.within_s,
        expect_s=sum(known) if (known := [i.expect_s for i in rollback.items if i.expect_s is not None]) else None,
        took_s=rollback.duration_s,
        data_loss=sanitize(begun.data_loss),
        loses_since=begun.loses_since,
        loses_after=begun.loses_after,
        verify=tuple(Requirement(e.check, e.status, display(e.summary)) for e in rollback.evidence)
        or tuple(Requirement(name, "pending") for name in begun.verify),
    )


def _rollback_action(item: RollbackItem, unit: UnitState) -> RollbackActionView:
    last = unit.last
    return RollbackActionView(
        unit=item.unit,
        label=display(item.title or " ".join(item.run.split())),
        state=unit.stage.word,
        undoes=item.undoes,
        attempts=len(unit.attempts),
        exit_code=last.exit_code if last else None,
        started_at=last.started.at if last else None,
        took_s=last.duration_s if last else None,
        expect_s=item.expect_s,
        reason=display(unit.reason),
    )


def action_name(state: RunState, unit: str) -> str:
    """Name an action of the rollback for a person; empty where the unit is none."""
    items = state.rollback.items if state.rollback else ()
    for number, item in enumerate(items, 1):
        if item.unit == unit:
            return f"undoing {item.undoes}" if item.undoes else f"action {number} of the rollback"
    return ""


def gone_over(plan: Plan, state: RunState, phase: str) -> str:
    """Name the rollback path whose own commands undid a phase; empty where there was none."""
    rollback = state.rollback
    if rollback is None or rollback.stage is not Stage.DONE or phase not in phases_gone_over(plan, rollback.name):
        return ""
    if not any(not item.undoes and state.unit(item.unit).stage is Stage.DONE for item in rollback.items):
        return ""
    proved = all(seen.status == "ok" for seen in rollback.evidence)
    return f"rolled back by {sanitize(rollback.name)}" + ("" if proved else ", not proved")


def _closed_by(way: RollbackPath, plan: Plan) -> str:
    """Return the step after whose start this rollback path is closed; it is written as PHASE.STEP or STEP."""
    spec = plan.rollbacks.get(way.name)
    return (spec.valid_until or "").rpartition(".")[2] if spec is not None else ""


def mark_gone_over(phases: Iterable[PhaseView], plan: Plan, state: RunState) -> tuple[PhaseView, ...]:
    """Return the phases, with what the rollback's own commands went over marked as rolled back."""
    return tuple(_gone_back_over(phase, by) if (by := gone_over(plan, state, phase.id)) else phase for phase in phases)


def _gone_back_over(phase: PhaseView, by: str) -> PhaseView:
    """Nothing counts as done that a rollback went over. What only reads or cannot be undone stays what it is."""
    word: Final = "rolled_back"
    steps = tuple(
        replace(step, state=word, reason=by)
        if step.state == "done" and step.effect != "read" and not step.irreversible
        else step
        for step in phase.steps
    )
    gate = phase.gate
    if gate is not None and gate.state == "passed":
        gate = replace(gate, state=word, reason=by)
    undone = phase.state == "done" and (any(s.state == word for s in steps) or (gate and gate.state == word))
    return replace(phase, steps=steps, gate=gate, state=word if undone else phase.state)
