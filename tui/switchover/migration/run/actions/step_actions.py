"""What a person does with a step: runs it, says what became of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from switchover.errors import RefusedError
from switchover.hosts.host_line import LineError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import Stage
from switchover.migration.rules.next_action import may_repeat
from switchover.migration.run.action_runner import ActionRunner
from switchover.migration.run.actions.confirming import confirmed, refuse_other_text, refuse_too_early
from switchover.migration.run.actions.frozen_files import refuse_edited_files
from switchover.migration.run.actions.readiness import await_ready, judge_condition
from switchover.migration.run.execution import ExecutionUnit
from switchover.migration.run.measuring import measure_due, refuse_unmeasured
from switchover.migration.run.rollback_runner import open_rollback_path, refuse_loss
from switchover.plan.model import Step
from switchover.snapshot.states import ResolvedAs

__all__ = ["choice_named", "resolve_step", "retry_step", "run_step"]


async def run_step(runner: ActionRunner, step_id: str, op: Operator, confirmation: str | None) -> None:
    """Run a step, if it is its turn, to its end; with it those that run beside it."""
    runner.refuse_out_of_turn(step_id, "step", "confirm")
    run_store = runner.run_store
    steps = [
        step
        for step in run_store.plan.phase_of(step_id).beside(step_id)
        if run_store.state.unit(step.id).stage is Stage.PENDING or step.id == step_id
    ]
    units = [await _prepared(runner, step, op) for step in steps]
    text = ""
    evidence: tuple[ev.Evidence, ...] = ()
    step = run_store.plan.step(step_id)
    if (step.confirm is not None or step.irreversible) and units[0] is not None:
        text, evidence = await confirmed(runner, step, op, confirmation)
    begun = [unit for unit in units if unit is not None]
    for each in steps if begun else ():
        refuse_too_early(run_store, each)
    if len(steps) > 1:
        await runner.execute_beside(begun, op)
    elif begun:
        await runner.execute(begun[0], op, text, evidence)
    waiting = [step.id for step in steps if run_store.state.unit(step.id).awaits_ready]
    await asyncio.gather(*(await_ready(runner, name) for name in waiting))
    await runner.end_if_through(op)


async def _prepared(runner: ActionRunner, step: Step, op: Operator) -> ExecutionUnit | None:
    """Return what is to be executed of a step; None where it is skipped, or has ended and only waits."""
    if runner.run_store.state.unit(step.id).awaits_ready:
        return None
    condition = ""
    if step.only_if is not None:
        condition = await judge_condition(runner, step, op)
        if not condition:
            return None
    await refuse_edited_files(runner.run_store, step)
    await measure_due(runner.run_store)
    await refuse_unmeasured(runner.run_store, step)
    beside = tuple(other.id for other in runner.run_store.plan.phase_of(step.id).beside(step.id) if other is not step)
    return replace(ExecutionUnit.of_step(step), condition=condition, beside=beside)


async def resolve_step(runner: ActionRunner, step_id: str, chosen: ResolvedAs, reason: str, op: Operator) -> None:
    """Put on record what an unknown outcome counts as. A failed step that was mended by hand may be called done."""
    run_store = runner.run_store
    unit = run_store.state.unit(step_id)
    lost = run_store.elsewhere(step_id) if unit.stage is Stage.RUNNING else None
    if (unit.stage not in (Stage.UNKNOWN, Stage.FAILED) and lost is None) or unit.last is None:
        raise RefusedError(f"{step_id} has no unknown outcome: it is {unit.stage}", runner.see_status)
    if runner.action.unit != step_id:
        raise RefusedError(f"{step_id} is not what the run waits for", runner.see_status)
    undoes = step_id.startswith("rollback:")
    if chosen == "skip" and not undoes:
        raise RefusedError(f"{step_id} cannot be skipped: only an action of a rollback can")
    if chosen == "rollback" and undoes:
        raise RefusedError(f"{step_id} is part of a rollback already", "choose done, failed, retry or skip")
    reason = run_store.clean(reason).strip()
    if not reason:
        raise RefusedError("a reason is needed", "say how you know: --reason TEXT")
    if chosen != "failed":
        await _refuse_what_runs(runner, step_id, unit.last.number)
    if chosen == "rollback" and run_store.state.rollback is None:
        refuse_loss(run_store, open_rollback_path(run_store, ""), ())
    if lost is not None:
        why = f"it ran on {lost}, which {op.who} says is lost"
        await run_store.record(ev.StepUnknown(step_id, unit.last.number, why))
    await run_store.record(ev.StepResolved(step_id, unit.last.number, chosen, reason, op))
    await runner.end_if_through(op)


async def _refuse_what_runs(runner: ActionRunner, step_id: str, number: int) -> None:
    """Raise `RefusedError` where something of it is found running, here or on another machine.

    A machine that cannot be asked is no hindrance: then the person has said how they know.
    """
    alive: tuple[str, ...] = ()
    if runner.executor.there.is_there(step_id, number):
        with suppress(LineError):
            alive = await runner.executor.there.ask_alive(step_id, number)
    elif pids := runner.executor.attempt(step_id, number).alive(runner.run_store.tools.clock.boot_id()):
        alive = ("pid " + ", ".join(map(str, pids)),)
    if alive:
        raise RefusedError(f"{step_id} still runs without its watcher: {', '.join(alive)}", "wait for it, or abort it")


async def retry_step(runner: ActionRunner, step_id: str, op: Operator, confirmation: str | None) -> None:
    """Put on record that a failed unit runs again, or a done step whose gate is not passed yet."""
    run_store, action = runner.run_store, runner.action
    failed = action.kind == "failed" and action.unit == step_id
    if not failed and step_id not in may_repeat(run_store.plan, run_store.state):
        raise RefusedError(f"{step_id} has not failed: it is {run_store.state.unit(step_id).stage}", runner.see_status)
    if run_store.state.rollback is not None:
        return  # the rollback says itself which of its actions runs again
    step = run_store.plan.step(step_id)
    if step.confirm is not None or step.irreversible:
        refuse_other_text(runner, step, confirmation)
    here = not failed and run_store.plan.phase_of(step_id).id == action.phase
    await run_store.record(ev.StepRetried(step_id, op, action.phase if here else "", again=not failed and not here))


def choice_named(text: str) -> ResolvedAs:
    """Return the choice of this name. Raise `RefusedError` where there is none."""
    match text:
        case "done" | "failed" | "retry" | "rollback" | "skip":
            return text
        case _:
            raise RefusedError(f"{text!r} is no choice", "choose done, failed, retry or rollback")
