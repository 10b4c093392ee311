"""How far each phase and step of a run is, as far as it decides what is watched."""

from __future__ import annotations

from switchover.health.watched_phases import PhaseMark
from switchover.snapshot import MigrationView, PhaseView, StepView

__all__ = ["run_marks"]

_OVER = ("done", "skipped")
_AT_A_GATE = ("gate", "human", "decide")


def run_marks(view: MigrationView) -> dict[str, PhaseMark]:
    """Return the mark of each phase (PHASE) and step (PHASE.STEP).

    What was rolled back has not begun: what was watched from there on is watched no longer.
    """
    if view.state == "rolled_back":
        return {}
    marks: dict[str, PhaseMark] = {}
    for phase in view.phases:
        back = phase.state == "rolled_back"
        marks[phase.id] = PhaseMark(
            phase.started_at is not None and not back,
            phase.ended_at is not None,
            not back and _gate_has_turn(phase, view),
        )
        before_are_over = phase.started_at is not None
        for step in phase.steps:
            marks[f"{phase.id}.{step.id}"] = _step_mark(step, view, before_are_over=before_are_over)
            before_are_over = before_are_over and step.state in _OVER
    return marks


def _step_mark(step: StepView, view: MigrationView, *, before_are_over: bool) -> PhaseMark:
    started = step.started_at is not None and step.state != "rolled_back"
    asked = view.action.target == step.id and view.action.kind not in ("start", *_AT_A_GATE)
    turn = started or step.state in _OVER or asked or (before_are_over and step.state != "rolled_back")
    return PhaseMark(started, step.state == "done", turn)


def _gate_has_turn(phase: PhaseView, view: MigrationView) -> bool:
    if phase.ended_at is not None or (view.action.kind in _AT_A_GATE and view.action.target == phase.id):
        return True
    return phase.started_at is not None and all(step.state in _OVER for step in phase.steps)
