"""After a crash: what became of a unit that was announced and has no end on record."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import Stage
from switchover.migration.run.execution import Executor
from switchover.migration.run.group_runner import GroupRunner
from switchover.migration.run.run_store import RunStore
from switchover.migration.steps.attempt import AttemptRunning, Lost, Truth

__all__ = ["StillRunning", "apply_policy", "find_truth"]

_ANSWER_S = 3.0  # so long it is waited for another machine's word before the unit counts as running


@dataclass(frozen=True, slots=True)
class StillRunning:
    """A unit that goes on under its shim; whoever gets this attaches to it.

    `following` asks another machine, where that did not answer at once, or it goes on there. `group` does so of all
    machines of a group, and records the end.
    """

    unit: str
    attempt: int
    pidfd: int = -1
    following: asyncio.Task[Truth] | None = None
    group: asyncio.Task[Truth] | None = None


async def find_truth(
    run_store: RunStore, executor: Executor, groups: GroupRunner, operator: Operator
) -> list[StillRunning]:
    """Settle every open unit of this place. Return those that still run."""
    running: list[StillRunning] = []
    boot_id = run_store.tools.clock.boot_id()
    await executor.settle_late()
    for unit in run_store.state.open_units:
        last = run_store.state.unit(unit).last
        if last is None or run_store.elsewhere(unit) is not None:
            continue
        if run_store.state.unit(unit).stage is not Stage.RUNNING or unit.partition("@")[0] in {r.unit for r in running}:
            continue  # a part of one that was settled just now, or is waited for
        if last.members:
            whole = asyncio.ensure_future(groups.resume(unit))
            if not (await asyncio.wait({whole}, timeout=_ANSWER_S))[0]:
                running.append(StillRunning(unit, last.number, group=whole))
                continue
            await apply_policy(run_store, unit, whole.result(), operator)
            continue
        truth: Truth
        if last.far is not None:
            following = asyncio.ensure_future(executor.there.follow(unit, last.number))
            if not (await asyncio.wait({following}, timeout=_ANSWER_S))[0]:
                running.append(StillRunning(unit, last.number, following=following))
                continue
            truth = following.result()
        else:
            truth = executor.attempt(unit, last.number).find_out(boot_id, last.started.boot_id)
        if isinstance(truth, AttemptRunning):
            running.append(StillRunning(unit, last.number, truth.pidfd))
            continue
        await executor.settle(unit, last.number, truth)
        await apply_policy(run_store, unit, truth, operator)
    return running


async def apply_policy(run_store: RunStore, unit: str, truth: Truth, operator: Operator) -> None:
    """Do with an unknown outcome what the plan's `on_unknown` allows, and leave it to a person otherwise.

    While it may still run, only a person decides: nothing is run beside itself, and nothing is built on it. What was
    handed to another machine may still go on there: no policy begins that again.
    """
    state = run_store.state.unit(unit)
    step = next((step for step in run_store.plan.all_steps if step.id == unit), None)
    if state.stage is not Stage.UNKNOWN or state.last is None or step is None:
        return
    if isinstance(truth, Lost) and not truth.over:
        return
    number = state.last.number
    if step.verify:
        seen = await run_store.look(step.verify)
        if not seen.problems:
            reason = f"verified by {', '.join(step.verify)}"
            await run_store.record(ev.StepResolved(unit, number, "done", reason, operator, seen.evidence, "verify"))
        else:
            reason = f"{state.reason}; could not be verified: {'; '.join(seen.problems)}"
            await run_store.record(ev.StepUnknown(unit, number, reason))
    elif state.last.remote:
        return
    elif step.on_unknown == "rerun" and step.effect in ("read", "creates") and not step.irreversible:
        reason = f"{state.reason}; it may run again"
        await run_store.record(ev.StepResolved(unit, number, "retry", reason, operator, policy="rerun"))
