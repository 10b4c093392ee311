"""The state of a step, or of an undoing, after an event of its own."""

from __future__ import annotations

from dataclasses import replace

from switchover.migration.facts import events as ev
from switchover.migration.facts.run_state import Attempt, Stage, Tick, Timestamp, UnitState

__all__ = ["UnitEvent", "attempt_changed", "unit_after"]

UnitEvent = (
    ev.StepStarted
    | ev.StepEnded
    | ev.StepUnknown
    | ev.StepNotStarted
    | ev.StepResolved
    | ev.StepRetried
    | ev.StepReady
    | ev.StepNotReady
    | ev.StepSkipped
    | ev.Ticked
    | ev.ConfirmationGiven
)

_BY_OUTCOME = {"done": Stage.DONE, "unknown": Stage.UNKNOWN}


def unit_after(unit: UnitState, event: UnitEvent, now: Timestamp, record: str) -> UnitState:
    """Return a unit after an event of its own. `record` is the hash of the record, kept with an attempt."""
    match event:
        case ev.StepStarted():
            return _started(unit, event, now, record)
        case ev.StepEnded():
            return _unit_ended(unit, event, now)
        case ev.StepUnknown():
            remote = event.remote or (unit.last.remote if unit.last else ())
            attempts = attempt_changed(unit, event.attempt, outcome="unknown", reason=event.reason, remote=remote)
            return replace(unit, stage=Stage.UNKNOWN, reason=event.reason, attempts=attempts)
        case ev.StepNotStarted():
            attempts = attempt_changed(unit, event.attempt, ended=now, outcome="not started", reason=event.reason)
            began = any(a.outcome != "not started" or a.members for a in attempts)
            return replace(unit, stage=Stage.PENDING, began=began, attempts=attempts, reason="")
        case ev.StepResolved():
            return _resolved(unit, event, now)
        case ev.StepReady():
            attempts = attempt_changed(unit, event.attempt, ready_s=event.waited_s)
            return replace(unit, stage=Stage.DONE, reason=attempts[-1].reason, ended=now, attempts=attempts)
        case ev.StepNotReady():
            return replace(unit, stage=Stage.FAILED, reason=event.reason)
        case ev.StepSkipped():
            return replace(unit, stage=Stage.SKIPPED, reason=f"{event.condition} does not hold: {event.found}")
        case ev.StepRetried():
            return replace(unit, stage=Stage.PENDING, reason="", ended=None, confirmations=(), ticks={})
        case ev.Ticked():
            return _ticked(unit, event, now)
        case ev.ConfirmationGiven():
            return replace(unit, confirmations=(*unit.confirmations, (event.by, now)))


def _started(unit: UnitState, event: ev.StepStarted, now: Timestamp, record: str) -> UnitState:
    attempt = Attempt(
        event.attempt,
        now,
        event.by,
        event.argv,
        event.place,
        plan_digest=event.plan_digest,
        record=record,
        prepared=event.prepared,
        rules=event.rules,
        timeout_s=event.timeout_s,
        far=event.far,
        members=event.members,
    )
    return replace(unit, stage=Stage.RUNNING, began=True, attempts=(*unit.attempts, attempt), reason="", ended=None)


def _unit_ended(unit: UnitState, event: ev.StepEnded, now: Timestamp) -> UnitState:
    stage = _BY_OUTCOME.get(event.outcome, Stage.FAILED)
    ready = unit.last.rules.ready if unit.last is not None and stage is Stage.DONE else ()
    until = f"ended well, and waits until {', '.join(ready)} is fine" if ready else ""
    return replace(
        unit,
        stage=Stage.WAITING if ready else stage,
        reason="; ".join(filter(None, (event.reason, until))),
        ended=now,
        outputs=dict(event.outputs) if stage is Stage.DONE else {**unit.outputs, **event.outputs},
        sealed=_sealed(unit, event, keep=stage is not Stage.DONE),
        confirmations=(),
        attempts=attempt_changed(
            unit,
            event.attempt,
            ended=now,
            outcome=event.outcome,
            exit_code=event.exit_code,
            duration_s=event.duration_s,
            output_bytes=event.output_bytes,
            reason=event.reason,
            remote=event.remote,
            kept=event.kept,
        ),
    )


def _resolved(unit: UnitState, event: ev.StepResolved, now: Timestamp) -> UnitState:
    if event.choice == "done" and event.policy and unit.last is not None and unit.last.rules.ready:
        return replace(unit, stage=Stage.WAITING, reason=event.reason, ended=now, confirmations=())
    stages = {"done": Stage.DONE, "retry": Stage.PENDING, "skip": Stage.SKIPPED}
    stage = stages.get(event.choice, Stage.FAILED)
    return replace(unit, stage=stage, reason=event.reason, ended=now if stage is Stage.DONE else None, confirmations=())


def _ticked(unit: UnitState, event: ev.Ticked, now: Timestamp) -> UnitState:
    ticks = {**unit.ticks, event.item: Tick(event.by.who, now.at, event.evidence, event.file, event.seen)}
    if unit.stage is Stage.DONE:
        return replace(unit, ticks=ticks)
    stage = Stage.DONE if event.complete else Stage.WAITING
    attempts = unit.attempts or (Attempt(1, now, event.by),)
    if event.complete:
        attempts = (*attempts[:-1], replace(attempts[-1], ended=now, outcome="done"))
    return replace(unit, stage=stage, began=True, ticks=ticks, ended=now if event.complete else None, attempts=attempts)


def attempt_changed(unit: UnitState, number: int, **changes: object) -> tuple[Attempt, ...]:
    """Return the attempts of a unit, the one of this number with changes."""
    return tuple(replace(a, **changes) if a.number == number else a for a in unit.attempts)  # type: ignore[arg-type]


def _sealed(unit: UnitState, event: ev.StepEnded, *, keep: bool) -> dict[str, str]:
    before = {name: value for name, value in unit.sealed.items() if keep and name not in event.outputs}
    return {**before, **event.sealed}
