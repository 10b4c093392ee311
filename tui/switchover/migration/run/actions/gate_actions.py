"""What a person does with a gate: lets it be watched, and answers it."""

from __future__ import annotations

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import Stage
from switchover.migration.rules.confirmations import answered_by, missing_word, second_person
from switchover.migration.rules.waivers import judge
from switchover.migration.run.action_runner import ActionRunner
from switchover.migration.run.measuring import measure_due, prove_promises
from switchover.plan.model import Gate

__all__ = ["answer_gate", "check_gate", "second_go", "unwatched_gate"]


async def check_gate(runner: ActionRunner, phase: str, op: Operator) -> bool:
    """Watch a gate until it opens, fails, or waits for a person. Return whether it is open."""
    run_store, action = runner.run_store, runner.action
    if action.phase != phase or action.kind not in ("gate", "human", "decide"):
        raise RefusedError(f"it is not gate {phase}'s turn: {action.in_words}", runner.see_status)
    await measure_due(runner.run_store)
    spec = next(p for p in run_store.plan.phases if p.id == phase)
    gate = spec.gate or Gate()
    is_timed = bool(gate.hold) or gate.within is not None
    if not is_timed or run_store.state.gate(phase).stage is not Stage.RUNNING:  # else its watcher died: go on
        await run_store.record(ev.GateOpened(phase, op, (*gate.require, *gate.prove)))
    runner.accept()
    return await runner.watch_gate(spec, op)


def unwatched_gate(runner: ActionRunner) -> str:
    """Return the phase whose gate is on record as being watched; empty where there is none, or somebody acts here."""
    state = runner.run_store.state
    if runner.busy or runner.read_only or not state.exists:
        return ""
    action = runner.action
    is_watched = action.kind == "gate" and state.gate(action.phase).stage is Stage.RUNNING
    return action.phase if is_watched else ""


async def answer_gate(runner: ActionRunner, phase: str, op: Operator, note: str, *, yes: bool) -> bool:
    """Say go or no-go. Go judges the gate once more, at this moment. Raise `RefusedError` where a person lacks."""
    run_store = runner.run_store
    gate = _asking(runner, phase)
    note = run_store.clean(note)
    if not yes:
        await run_store.record(ev.GateAnswered(phase, False, note, op))
        await run_store.record(ev.GateFailed(phase, f"{op.who} said no-go" + (f": {note}" if note else "")))
        return False
    lacking = _missing_at(runner, phase, gate, op)
    evidence, measurements = await _still_green(runner, phase, gate)
    await run_store.record(ev.GateAnswered(phase, True, note, op))
    if lacking:
        raise RefusedError(lacking, second_person(op, phase))
    await run_store.record(ev.GatePassed(phase, evidence, run_store.state.gate(phase).held_s, measurements))
    await runner.end_if_through(op)
    return True


async def second_go(runner: ActionRunner, phase: str, op: Operator, text: str) -> None:
    """Put one person's go at a gate that asks two on record. It passes once the driver says go as well."""
    gate = _asking(runner, phase)
    if gate.persons < 2:
        raise RefusedError(f"gate {phase} asks one person, who drives", f"--confirm {phase}=go of `run`")
    if text.strip().lower() != "go":
        raise RefusedError(f"gate {phase} waits for go", "type exactly: go")
    _missing_at(runner, phase, gate, op)
    await _still_green(runner, phase, gate)
    await runner.run_store.record(ev.GateAnswered(phase, True, "", op))


def _asking(runner: ActionRunner, phase: str) -> Gate:
    """Return the gate that waits for an answer. Raise `RefusedError` where it does not."""
    action = runner.action
    if action.kind != "human" or action.phase != phase:
        raise RefusedError(f"gate {phase} does not wait for an answer", runner.see_status)
    return next(p.gate for p in runner.run_store.plan.phases if p.id == phase) or Gate()


def _missing_at(runner: ActionRunner, phase: str, gate: Gate, op: Operator) -> str:
    given = answered_by(phase, runner.run_store.state, runner.run_store.moment())
    return missing_word(phase, given, op) if gate.persons > 1 else ""


async def _still_green(
    runner: ActionRunner, phase: str, gate: Gate
) -> tuple[tuple[ev.Evidence, ...], tuple[ev.Measurement, ...]]:
    """Return what the gate's checks and promises say now. Raise `RefusedError` where one does not let it pass."""
    run_store = runner.run_store
    seen = await run_store.look(gate.require if gate else ())
    measurements = await prove_promises(run_store, gate.prove, f"gate:{phase}") if gate and gate.prove else ()
    judged = judge(seen.evidence, run_store.state, f"gate:{phase}", run_store.moment())
    for check, status in judged.lapsed:
        await run_store.record(ev.AcknowledgementEnded(f"gate:{phase}", check, status))
    problems = [
        *judged.problems,
        *(f"{m.promise} is {m.state}" for m in measurements if m.state != "met" and not m.let_pass),
    ]
    if problems:
        text = "; ".join(problems)
        await run_store.record(ev.GateFailed(phase, text, seen.evidence, measurements))
        raise RefusedError(f"gate {phase} is no longer green: {text}", "mend it and check again")
    return seen.evidence, measurements
