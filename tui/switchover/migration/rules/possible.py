"""What may follow what in a run. A record that no run could have written was written by something else. Pure."""

from __future__ import annotations

from switchover.migration.facts import events as ev
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.rules.next_action import may_begin, may_repeat, may_still_tick, next_action
from switchover.migration.rules.rollback_paths import planned_rollback_path
from switchover.plan.model import Plan

__all__ = ["why_impossible", "why_not_next"]


def why_impossible(state: RunState, event: ev.Event) -> str:
    """Say why an event cannot follow what is on record; empty where it can."""
    if isinstance(event, ev.RunStarted):
        return "the run had begun before" if state.exists else ""
    if not state.exists:
        return "no run had begun"
    if isinstance(event, ev.RollbackStarted):
        return _rollback_begins(state, event)
    if isinstance(event, ev.StepEndedLate):
        attempt = next((a for a in state.unit(event.unit).attempts if a.number == event.attempt), None)
        owed = attempt is not None and attempt.may_end_late
        return "" if owed else f"nobody was still to learn how attempt {event.attempt} at {event.unit} had ended"
    if isinstance(event, ev.OutputsPruned):
        return "" if state.finished else "the run was not over"
    if state.finished:
        return f"the run was over before it ({state.stage.value.replace('_', ' ')})"
    if isinstance(event, _OF_UNITS):
        return _of_unit(state, event)
    if isinstance(event, _OF_GATES):
        return _of_gate(state, event)
    match event:
        case ev.RollbackEnded():
            return _rollback_ends(state, event)
        case ev.RunEnded():
            return _run_ends(state, event)
        case ev.BaselineMeasured() if state.baseline is not None or state.units or state.gates:
            return "it is measured once, before anything begins"
        case ev.PlanRebased() if event.before_digest != state.plan_digest:
            return "the plan that it changes was not in force"
        case ev.PlanRebased() if state.rollback is not None or state.open_units:
            return "no plan is changed while something runs or is rolled back"
        case ev.AcknowledgementEnded() if (event.place, event.check) not in state.acknowledgements:
            return "nobody had acknowledged that"
    return ""


def why_not_next(plan: Plan, state: RunState, event: ev.Event) -> str:
    """Say why an event's subject was not due, by the plan in force. Empty where it was."""
    match event:
        case ev.StepSkipped():
            action = next_action(plan, state)
            its_turn = action.unit == event.unit and bool(plan.step(event.unit).only_if)
            return "" if its_turn else f"{event.unit} was not to be skipped"
        case ev.StepStarted() if state.rollback is None:
            due = next_action(plan, state).unit == event.unit.partition("@")[0] or may_begin(plan, state, event.unit)
            return "" if due else f"it was not the turn of {event.unit}"
        case ev.Ticked() if event.item in may_still_tick(plan, state, event.step):
            return ""
        case ev.Ticked() | ev.ConfirmationGiven():
            return "" if next_action(plan, state).unit == event.step else f"it was not the turn of {event.step}"
        case ev.GateOpened() | ev.GatePassed():
            action = next_action(plan, state)
            its_turn = action.phase == event.phase and action.kind in ("gate", "human", "decide")
            if not its_turn:
                return f"it was not the turn of gate {event.phase}"
            return _why_alone(plan, state, event) if isinstance(event, ev.GatePassed) else ""
        case ev.GateAnswered():
            return "" if next_action(plan, state).phase == event.phase else f"gate {event.phase} asked nobody"
        case ev.StepRetried() if event.gate or event.again:
            return "" if event.unit in may_repeat(plan, state) else f"{event.unit} was not to be done once more"
        case ev.RollbackStarted():
            return _why_other_way(plan, state, event)
        case ev.RunEnded(state="done"):
            return "" if next_action(plan, state).kind == "done" else "not everything was done"
    return ""


def _why_alone(plan: Plan, state: RunState, event: ev.GatePassed) -> str:
    """Say where a gate that asks two people passed on the word of one."""
    gate = next(phase.gate for phase in plan.phases if phase.id == event.phase)
    if gate is None or gate.persons < 2:
        return ""
    people = [by for by, _ in state.gate(event.phase).answers]
    two = any(one.is_another_than(other) for one in people for other in people)
    return "" if two else f"gate {event.phase} asks two people, and one had said go"


def _why_other_way(plan: Plan, state: RunState, event: ev.RollbackStarted) -> str:
    """Say where a way back is not the plan's. What began under another text of the plan is undone as that says."""
    if event.name and event.name not in plan.rollbacks:
        return f"the plan has no rollback {event.name!r}"
    began = {attempt.plan_digest for unit in state.units.values() for attempt in unit.attempts}
    if began - {"", state.plan_digest}:
        return ""
    wanted = [(item.undoes, item.run, item.argv) for item in planned_rollback_path(plan, state, event.name).items]
    same = wanted == [(item.undoes, item.run, item.argv) for item in event.items]
    return "" if same else "its actions are not those that the plan has for it"


_OF_UNITS = (
    *(ev.StepStarted, ev.StepEnded, ev.StepUnknown, ev.StepNotStarted, ev.StepResolved, ev.StepRetried),
    *(ev.Ticked, ev.ConfirmationGiven, ev.StepReady, ev.StepNotReady, ev.StepSkipped),
)
_OF_GATES = (
    *(ev.GateOpened, ev.GateGreen, ev.GateHeld, ev.GateBroken, ev.GateWaits, ev.GateUndecided),
    *(ev.GateWaitsForHuman, ev.GateAnswered, ev.GatePassed, ev.GateFailed),
)


def _of_unit(state: RunState, event: ev.Event) -> str:
    name = event.step if isinstance(event, ev.Ticked | ev.ConfirmationGiven) else event.unit  # type: ignore[union-attr]
    undoing = {item.unit for item in state.rollback.items} if state.rollback is not None else set()
    if name.startswith("rollback:") and name not in undoing:
        return f"{name} is no action of the rollback that was under way"
    if state.rollback is not None and name not in undoing:
        return "a rollback was under way, and it is none of its actions"
    unit = state.unit(name)
    stage, last = unit.stage, unit.last.number if unit.last is not None else 0
    match event:
        case ev.StepStarted():
            return _starts(state, event, stage, last)
        case ev.StepEnded() | ev.StepNotStarted():
            return _ends(stage, last, event.attempt)
        case ev.StepReady() | ev.StepNotReady() if not unit.awaits_ready or event.attempt != last:
            return f"attempt {event.attempt} at {name} did not wait for anything"
        case ev.StepSkipped() if stage is not Stage.PENDING:
            return f"{name} was {stage.value} before"
        case ev.StepUnknown() if stage is Stage.UNKNOWN and event.attempt == last:
            return ""
        case ev.StepUnknown():
            return _ends(stage, last, event.attempt)
        case ev.StepResolved() if event.attempt != last or stage not in (Stage.UNKNOWN, Stage.FAILED):
            return f"attempt {event.attempt} at {name} was neither failed nor unknown"
        case ev.StepRetried() if stage is Stage.DONE and event.gate:
            return f"gate {event.gate} had passed before" if state.gate(event.gate).stage is Stage.DONE else ""
        case ev.StepRetried() if stage is not Stage.FAILED and not (stage is Stage.DONE and event.again):
            return f"{name} had not failed"
        case ev.Ticked() if stage is Stage.DONE and not event.complete:
            return f"item {event.item + 1} of {name} was ticked before" if event.item in unit.ticks else ""
        case ev.Ticked() if stage not in (Stage.PENDING, Stage.WAITING):
            return f"{name} was {stage.value} before"
        case ev.ConfirmationGiven() if stage is not Stage.PENDING:
            return f"{name} was {stage.value} before"
    return ""


def _starts(state: RunState, event: ev.StepStarted, stage: Stage, last: int) -> str:
    others = [
        unit for unit in state.open_units if unit not in event.beside and not _are_of_one(state, unit, event.unit)
    ]
    if others:
        return f"{others[0]} had no end yet"
    if stage is not Stage.PENDING:
        return f"{event.unit} was {stage.value.replace('_', ' ')}, and nobody had let it run again"
    if event.attempt <= last:
        return f"attempt {event.attempt} does not come after attempt {last}"
    return "" if event.plan_digest == state.plan_digest else "it goes by a plan that was not in force"


def _are_of_one(state: RunState, open_unit: str, unit: str) -> bool:
    """Whether both belong to one step on a group of machines, whose parts run beside each other."""
    whole = state.unit(unit.partition("@")[0])
    members = whole.last.members if whole.last is not None and whole.stage is Stage.RUNNING else ()
    return unit in members and open_unit in (unit.partition("@")[0], *members)


def _ends(stage: Stage, last: int, attempt: int) -> str:
    if attempt != last:
        return f"attempt {attempt} had not begun"
    return "" if stage is Stage.RUNNING else f"attempt {attempt} had an end before it"


def _of_gate(state: RunState, event: ev.Event) -> str:
    phase: str = event.phase  # type: ignore[union-attr]
    gate = state.gate(phase)
    if state.rollback is not None:
        return "a rollback was under way"
    match event:
        case ev.GateOpened():
            return f"gate {phase} had passed before" if gate.stage is Stage.DONE else ""
        case ev.GateAnswered():
            asked = gate.stage is Stage.WAITING and not gate.undecided
            return "" if asked else f"gate {phase} had not asked anybody"
        case ev.GatePassed() | ev.GateFailed() if gate.stage is Stage.WAITING and not gate.undecided:
            said = not isinstance(event, ev.GatePassed) or bool(gate.answered_by)
            return "" if said else f"nobody had said go at gate {phase}"
    if gate.stage is Stage.DONE:
        return f"gate {phase} had passed before"
    return "" if gate.stage is Stage.RUNNING else f"gate {phase} was not open"


def _rollback_begins(state: RunState, event: ev.RollbackStarted) -> str:
    number = state.rollback.number + 1 if state.rollback is not None else 1
    if state.open_units:
        return f"{state.open_units[0]} had no end yet"
    if event.number != number:
        return f"it is rollback {event.number}, and {number} would be the next"
    wrong = [item.unit for index, item in enumerate(event.items) if item.unit != f"rollback:{number}:{index}"]
    return f"{wrong[0]} is no name of one of its actions" if wrong else ""


def _rollback_ends(state: RunState, event: ev.RollbackEnded) -> str:
    rollback = state.rollback
    if rollback is None or event.number != rollback.number:
        return f"rollback {event.number} was not under way"
    if rollback.ended is not None:
        return f"rollback {event.number} had an end before it"
    left = [i.unit for i in rollback.items if state.unit(i.unit).stage not in (Stage.DONE, Stage.SKIPPED)]
    return f"{left[0]} was not done" if left else ""


def _run_ends(state: RunState, event: ev.RunEnded) -> str:
    if state.open_units:
        return f"{state.open_units[0]} had no end yet"
    if event.state == "done" and state.rollback is not None:
        return "a rollback was under way"
    gone = state.rollback is not None and state.rollback.ended is not None
    return "no rollback had been gone through" if event.state == "rolled_back" and not gone else ""
