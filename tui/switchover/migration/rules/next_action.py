"""What comes next: pure, from the plan and the state. Screen and command line ask the same question here."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.migration.facts.run_state import RunState, Stage
from switchover.plan.model import Phase, Plan
from switchover.snapshot.states import ActionKind

__all__ = ["Action", "ActionKind", "may_begin", "may_repeat", "may_still_tick", "next_action", "reached"]


@dataclass(frozen=True, slots=True)
class Action:
    """The next thing: `unit` is the step (or rollback action) it is about, `phase` where it stands."""

    kind: ActionKind
    phase: str = ""
    unit: str = ""
    reason: str = ""

    @property
    def in_words(self) -> str:
        """What the run waits for."""
        words = {
            "start": "there is no run yet",
            "wait": f"{self.unit} runs",
            "failed": f"{self.unit} failed",
            "resolve": f"the outcome of {self.unit} is unknown",
            "checklist": f"{self.unit} has items for a person to tick",
            "confirm": f"{self.unit} comes next",
            "step": f"{self.unit} comes next",
            "gate": f"gate {self.phase} comes next",
            "human": f"gate {self.phase} waits for a person's go",
            "decide": f"gate {self.phase} waits for a person to decide: {self.reason}",
            "rollback": "a rollback was begun",
            "done": "all is done",
        }
        return words.get(self.kind) or self.reason or "this run is over"


def next_action(plan: Plan, state: RunState) -> Action:
    """Return what has to happen next for this run."""
    if not state.exists:
        return Action("start")
    if state.stage is Stage.DONE:
        return Action("done")
    if state.finished:
        return Action("none", reason=state.reason)
    if state.open_units:
        unit = state.open_units[0]
        return Action("wait", _phase_of(plan, unit), unit)
    if state.rollback is not None:
        return _in_rollback(state)
    for phase in plan.phases:
        action = _in_phase(phase, state)
        if action is not None:
            return action
    return Action("done")


def reached(plan: Plan, state: RunState, phase_id: str) -> bool:
    """Whether the phase is through: its steps done, its gate passed."""
    for phase in plan.phases:
        if _in_phase(phase, state) is not None:
            return False
        if phase.id == phase_id:
            return True
    return False


def may_begin(plan: Plan, state: RunState, unit: str) -> bool:
    """Whether a step may begin: it comes next, or runs beside others and all before them is through."""
    if next_action(plan, state).unit == unit:
        return True
    for phase in plan.phases:
        if any(step.id == unit for step in phase.steps):
            beside = phase.beside(unit)
            first = phase.steps.index(beside[0])
            through = (Stage.DONE, Stage.SKIPPED)
            return len(beside) > 1 and all(state.unit(step.id).stage in through for step in phase.steps[:first])
        if _in_phase(phase, state) is not None:
            return False
    return False


def may_repeat(plan: Plan, state: RunState) -> tuple[str, ...]:
    """Return the done steps that may run again on a person's word: their gate still needs what they do.

    Those are the steps of the phase in which the run stands, while its gate is not passed. To them come all that the
    plan marks `again`. What is irreversible never runs twice.
    """
    action = next_action(plan, state)
    if state.rollback is not None or action.kind not in ("step", "confirm", "checklist", "gate", "human", "decide"):
        return ()
    return tuple(
        step.id
        for phase in plan.phases
        for step in phase.steps
        if (step.again or (phase.id == action.phase and phase.gate is not None))
        and not step.irreversible
        and state.unit(step.id).stage is Stage.DONE
    )


def may_still_tick(plan: Plan, state: RunState, step_id: str) -> tuple[int, ...]:
    """Return the optional items of a checklist that is done which nobody has ticked yet."""
    unit = state.unit(step_id)
    step = next((step for step in plan.all_steps if step.id == step_id), None)
    if step is None or unit.stage is not Stage.DONE or state.finished or state.rollback is not None:
        return ()
    return tuple(n for n, item in enumerate(step.checklist) if item.optional and n not in unit.ticks)


def _in_phase(phase: Phase, state: RunState) -> Action | None:
    for step in phase.steps:
        unit = state.unit(step.id)
        match unit.stage:
            case Stage.DONE | Stage.SKIPPED:
                continue
            case Stage.FAILED:
                return Action("failed", phase.id, step.id, unit.reason)
            case Stage.UNKNOWN:
                return Action("resolve", phase.id, step.id, unit.reason)
            case Stage.PENDING if (ended := _ended_badly_beside(phase, step.id, state)) is not None:
                return ended
            case _ if unit.awaits_ready:
                return Action("step", phase.id, step.id)
            case _:
                kind: ActionKind = "checklist" if step.checklist else "confirm" if step.confirm else "step"
                return Action(kind, phase.id, step.id)
    if phase.gate is None:
        return None
    gate = state.gate(phase.id)
    if gate.stage is Stage.DONE:
        return None
    if gate.undecided:
        return Action("decide", phase.id, "", gate.reason)
    return Action("human" if gate.stage is Stage.WAITING else "gate", phase.id, "", gate.reason)


def _ended_badly_beside(phase: Phase, step_id: str, state: RunState) -> Action | None:
    """Return what a step waits for that has not begun, because one beside it ended badly."""
    for other in phase.beside(step_id):
        unit = state.unit(other.id)
        if unit.stage is Stage.FAILED:
            return Action("failed", phase.id, other.id, unit.reason)
        if unit.stage is Stage.UNKNOWN:
            return Action("resolve", phase.id, other.id, unit.reason)
    return None


def _in_rollback(state: RunState) -> Action:
    rollback = state.rollback
    if rollback is None:  # pragma: no cover - asked only where there is one
        return Action("none")
    for item in rollback.items:
        unit = state.unit(item.unit)
        if unit.stage is Stage.FAILED:
            return Action("failed", "", item.unit, unit.reason)
        if unit.stage is Stage.UNKNOWN:
            return Action("resolve", "", item.unit, unit.reason)
        if unit.stage not in (Stage.DONE, Stage.SKIPPED):
            return Action("rollback", "", item.unit)
    return Action("rollback")


def _phase_of(plan: Plan, unit: str) -> str:
    try:
        return plan.phase_of(unit).id
    except KeyError:
        return ""
