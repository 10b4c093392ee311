"""The state of a run: a pure fold over its records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from switchover.migration.facts import events as ev
from switchover.migration.facts.beside import is_beside_a_failure
from switchover.migration.facts.run_state import (
    Acknowledgement,
    GateState,
    Impossible,
    RollbackState,
    RunState,
    Stage,
    Timestamp,
    UnitState,
    Waiver,
)
from switchover.migration.facts.unit_fold import UnitEvent, attempt_changed, unit_after

__all__ = ["fold"]


def fold(
    records: Iterable[ev.Record],
    state: RunState | None = None,
    refuse: Callable[[RunState, ev.Event], str] | None = None,
) -> RunState:
    """Return the state after `records`, which belong to one run and are in order.

    `refuse` says why an event cannot follow a state: such a one is left out, and kept as impossible.
    """
    before = state or RunState()
    state = replace(before, units=_Own(before.units))
    last: ev.Record | None = None
    for last in records:
        if refuse is not None and (why := refuse(state, last.event)):
            wrong = Impossible(last.seq, type(last.event).__name__, why)
            state = replace(state, impossible=(*state.impossible, wrong))
        else:
            state = _apply(state, last)
    if last is None:
        return before
    return replace(state, units=dict(state.units), seq=last.seq, last_moment=_moment(last))


class _Own(dict[str, UnitState]):
    """Units that only one fold knows and may change in place. So a long run is not copied with each record."""


def _moment(record: ev.Record) -> Timestamp:
    return Timestamp(record.at, record.mono, record.boot_id)


def _apply(state: RunState, record: ev.Record) -> RunState:
    now = _moment(record)
    event = record.event
    match event:
        case ev.RunStarted():
            return replace(
                state,
                run_id=event.run_id,
                stage=Stage.RUNNING,
                started=now,
                by=event.by,
                plan_id=event.plan_id,
                plan_path=event.plan_path,
                plan_digest=event.plan_digest,
                plan_text=event.plan_text,
                plans={event.plan_digest: event.plan_text},
                variables=dict(event.variables),
                files=dict(event.files),
            )
        case ev.PlanRebased():
            return _rebased(state, event)
        case ev.BaselineMeasured() | ev.PromisesMeasured():
            return state.with_promises(event)
        case ev.VariablesGiven():
            return replace(state, variables={**state.variables, **event.values})
        case ev.RollbackStarted():
            rollback = RollbackState(
                event.number, event.name, event.items, event.cannot_undo, now, within_s=event.within_s, begun=event
            )
            return replace(state, rollback=rollback, stage=Stage.RUNNING, reason="")
        case ev.RollbackEnded():
            return _rollback_ended(state, event, now)
        case ev.StepEndedLate():
            return _ended_late(state, event)
        case ev.RunEnded():
            return replace(state, stage=Stage(event.state), ended=now, reason=event.reason)
        case ev.AbortRequested() | ev.TakeoverAsked() | ev.TakeoverAnswered() | ev.OutputsPruned():
            return state
        case ev.DriverChanged():
            return replace(state, driver=event.by)
        case ev.WarningAcknowledged() | ev.AcknowledgementEnded() | ev.RequirementWaived():
            return _exception(state, event, now)
        case ev.GateGreen() | ev.GateHeld() | ev.GateBroken() | ev.GateWaits():
            return _hold(state, event, now)
        case (
            ev.GateOpened()
            | ev.GateWaitsForHuman()
            | ev.GateAnswered()
            | ev.GatePassed()
            | ev.GateFailed()
            | ev.GateUndecided()
        ):
            return _gate(state, event, now)
        case _:
            return _unit(state, event, now, record.hash)


def _ended_late(state: RunState, event: ev.StepEndedLate) -> RunState:
    """Add a result that came late to what is known of a unit. What was decided without it stays."""
    unit = state.unit(event.unit)
    code = "" if event.exit_code is None else f" with exit code {event.exit_code}"
    late = f"attempt {event.attempt} ended after all, as was known too late: {event.outcome}{code}"
    reason = f"{unit.reason}; {late}" if unit.reason else late
    told = next((a.reason for a in unit.attempts if a.number == event.attempt), "")
    attempts = attempt_changed(unit, event.attempt, late=late, reason=f"{told}; {late}" if told else late)
    units = state.units if isinstance(state.units, _Own) else _Own(state.units)
    units[event.unit] = replace(unit, reason=reason, attempts=attempts)
    return replace(state, units=units)


def _rebased(state: RunState, event: ev.PlanRebased) -> RunState:
    """Go by another plan. A gate with other needs is judged again, and who confirmed confirms anew."""
    gates = {phase: gate for phase, gate in state.gates.items() if phase not in event.gates}
    again = len(gates) < len(state.gates) and state.stage is Stage.WAITING
    return replace(
        state,
        plan_digest=event.plan_digest,
        plan_text=event.plan_text,
        plans={**state.plans, event.plan_digest: event.plan_text},
        variables=dict(event.variables),
        files=dict(event.files),
        units={name: replace(unit, confirmations=()) for name, unit in state.units.items()},
        gates=gates,
        acknowledgements={k: a for k, a in state.acknowledgements.items() if k[1] not in event.checks},
        waivers={k: w for k, w in state.waivers.items() if k[1] not in event.checks},
        stage=Stage.RUNNING if again else state.stage,
        reason="" if again else state.reason,
    )


def _rollback_ended(state: RunState, event: ev.RollbackEnded, now: Timestamp) -> RunState:
    if state.rollback is None:
        return state
    rollback = replace(
        state.rollback,
        stage=Stage.DONE,
        ended=now,
        duration_s=event.duration_s,
        within_time=event.within_time,
        evidence=event.evidence,
    )
    return replace(state, rollback=rollback)


GateEvent = ev.GateOpened | ev.GateWaitsForHuman | ev.GateAnswered | ev.GatePassed | ev.GateFailed | ev.GateUndecided


def _unit(state: RunState, event: UnitEvent, now: Timestamp, record: str) -> RunState:
    name = event.step if isinstance(event, ev.Ticked | ev.ConfirmationGiven) else event.unit
    before = state.unit(name)
    after = unit_after(before, event, now, record)
    order = state.order
    if after.began and not before.began:
        order = (*order, name)
    elif before.began and not after.began:
        order = tuple(n for n in order if n != name)
    units = state.units if isinstance(state.units, _Own) else _Own(state.units)
    units[name] = after
    for undone in _undone_by(state, name) if after.stage is Stage.DONE else ():
        units[undone] = replace(state.unit(undone), stage=Stage.ROLLED_BACK)
    stage, reason = state.stage, state.reason
    if not (isinstance(event, ev.ConfirmationGiven) or state.finished or is_beside_a_failure(state, before, event)):
        stage = {Stage.FAILED: Stage.FAILED, Stage.UNKNOWN: Stage.UNKNOWN}.get(after.stage, Stage.RUNNING)
        reason = after.reason if stage is not Stage.RUNNING else ""
    if isinstance(event, ev.StepRetried) and event.gate in state.gates:
        state = replace(state, gates={phase: gate for phase, gate in state.gates.items() if phase != event.gate})
    rollback = state.rollback
    if rollback is not None and rollback.stage is not Stage.DONE and _undo_item(rollback, name):
        rollback = replace(rollback, stage=stage if stage in (Stage.FAILED, Stage.UNKNOWN) else Stage.RUNNING)
    same = units is state.units and order is state.order and (stage, reason) == (state.stage, state.reason)
    if same and rollback is state.rollback:
        return state
    return replace(state, units=units, order=order, stage=stage, reason=reason, rollback=rollback)


def _undo_item(rollback: RollbackState, unit: str) -> ev.RollbackItem | None:
    return next((item for item in rollback.items if item.unit == unit), None)


def _undone_by(state: RunState, unit: str) -> tuple[str, ...]:
    item = _undo_item(state.rollback, unit) if state.rollback else None
    return (item.undoes, *item.also) if item and item.undoes else ()


def _gate(state: RunState, event: GateEvent, now: Timestamp) -> RunState:
    gate = state.gate(event.phase)
    stage, reason = Stage.RUNNING, ""
    measured = dict(state.measurements)
    match event:
        case ev.GateOpened():
            gate = GateState(stage=Stage.RUNNING, by=event.by, opened=now, answered_by=gate.answered_by, note=gate.note)
        case ev.GateWaitsForHuman():
            gate = replace(gate, stage=Stage.WAITING, evidence=event.evidence, held_s=event.held_s)
            stage = Stage.WAITING
        case ev.GateAnswered():
            answers = (*gate.answers, (event.by, now)) if event.yes else ()
            said = dict.fromkeys(by.who for by, _ in answers) or [event.by.who]
            gate = replace(gate, answered_by=" and ".join(said), note=event.note or gate.note, answers=answers)
            stage = state.stage if event.yes else stage
        case ev.GatePassed():
            gate = replace(
                gate,
                stage=Stage.DONE,
                ended=now,
                held_s=event.held_s,
                evidence=event.evidence,
                measurements=event.measurements,
            )
            measured.update({m.promise: m for m in event.measurements})
        case ev.GateFailed():
            gate = replace(
                gate,
                stage=Stage.FAILED,
                ended=now,
                reason=event.reason,
                evidence=event.evidence,
                measurements=event.measurements,
            )
            measured.update({m.promise: m for m in event.measurements})
            stage, reason = Stage.WAITING, event.reason
        case ev.GateUndecided():
            gate = replace(
                gate,
                stage=Stage.WAITING,
                ended=now,
                reason=event.reason,
                evidence=event.evidence,
                undecided=event.checks,
            )
            stage, reason = Stage.WAITING, event.reason
    return replace(state, gates={**state.gates, event.phase: gate}, stage=stage, reason=reason, measurements=measured)


def _hold(
    state: RunState, event: ev.GateGreen | ev.GateHeld | ev.GateBroken | ev.GateWaits, now: Timestamp
) -> RunState:
    gate = state.gate(event.phase)
    match event:
        case ev.GateWaits():
            gate = replace(gate, waits_for=event.reason, until=event.until, evidence=event.evidence)
        case ev.GateGreen():
            gate = replace(gate, green=now, looked=now, held_s=0.0, waits_for="")
        case ev.GateHeld():
            gate = replace(gate, looked=now, held_s=event.held_s)
        case ev.GateBroken():
            broken = replace(gate, green=None, looked=None, held_s=0.0, broken=now, broken_why=event.reason)
            gate = replace(broken, waits_for=event.reason, evidence=event.evidence or gate.evidence)
    return replace(state, gates={**state.gates, event.phase: gate})


def _exception(
    state: RunState, event: ev.WarningAcknowledged | ev.AcknowledgementEnded | ev.RequirementWaived, now: Timestamp
) -> RunState:
    key = (event.place, event.check)
    match event:
        case ev.AcknowledgementEnded():
            left = {k: a for k, a in state.acknowledgements.items() if k != key}
            return replace(state, acknowledgements=left)
        case ev.WarningAcknowledged():
            given = Acknowledgement(event.by, event.reason, now)
            state = replace(state, acknowledgements={**state.acknowledgements, key: given})
        case ev.RequirementWaived():
            waiver = Waiver(event.by, event.reason, now, event.for_s, event.until)
            state = replace(state, waivers={**state.waivers, key: waiver})
    kind, _, phase = event.place.partition(":")
    if kind != "gate" or event.check not in (gate := state.gate(phase)).undecided:
        return state
    undecided = tuple(check for check in gate.undecided if check != event.check)
    if undecided:
        gate = replace(gate, undecided=undecided)
    else:
        gate = replace(gate, undecided=(), stage=Stage.PENDING, reason="")
    return replace(state, gates={**state.gates, phase: gate})
