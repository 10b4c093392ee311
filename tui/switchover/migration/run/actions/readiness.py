"""What is judged around a step: whether it is to run, and whether what it brings about is there."""

from __future__ import annotations

from typing import Any

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import RunState
from switchover.migration.rules.confirmations import elapsed
from switchover.migration.run.action_runner import ActionRunner
from switchover.plan.conditions import checks_in, read_condition
from switchover.plan.model import Plan, Step
from switchover_checks.api import Status
from switchover_checks.language.units import format_duration

__all__ = ["await_ready", "judge_condition", "seconds_of"]

_EVERY_S = 1.0


async def await_ready(runner: ActionRunner, step_id: str) -> None:
    """Look until the step's `ready` is fine. The time counts from its end, also over restarts."""
    store = runner.run_store
    unit = store.state.unit(step_id)
    last, since = unit.last, unit.ended
    if last is None or since is None:  # pragma: no cover - it has ended
        return

    def is_owed(state: RunState) -> bool:
        return state.unit(step_id).awaits_ready

    rules = last.rules
    runner.accept()
    while True:
        seen = await store.look(rules.ready)
        waited = elapsed(since, store.moment())
        event: ev.StepReady | ev.StepNotReady | None = None
        if not seen.problems:
            event = ev.StepReady(step_id, last.number, waited, seen.evidence)
        elif runner.executor.stopped_because:
            event = ev.StepNotReady(step_id, last.number, runner.executor.stopped_because, seen.evidence)
        elif waited >= rules.ready_within_s:
            why = f"not ready within {format_duration(rules.ready_within_s)}: {'; '.join(seen.problems)}"
            event = ev.StepNotReady(step_id, last.number, store.clean(why), seen.evidence)
        if event is not None:
            await store.record_when_back(event, is_owed)
            return
        await runner.pause(min(_EVERY_S, rules.ready_within_s - waited))


async def judge_condition(runner: ActionRunner, step: Step, op: Operator) -> str:
    """Return what made a step's `only_if` hold; empty where it does not, which is put on record.

    Raise `RefusedError` where it cannot be judged.
    """
    store, text = runner.run_store, step.only_if or ""
    plan = store.plan
    condition = read_condition(plan, text)
    names = checks_in(plan, condition)
    seen = await store.look(names)
    facts = _facts(plan, store.state, store.values.scope().values)
    facts |= {evidence.check: evidence.status.upper() for evidence in seen.evidence}
    finding = condition.check(facts)
    found = store.clean(finding.observed)
    if finding.status is Status.OK:
        return f"{text}: {found}"
    if finding.status is Status.UNKNOWN:
        raise RefusedError(f"{step.id} was not started: {text} cannot be judged: {found}", "see to it, then go on")
    runner.accept()
    await store.record(ev.StepSkipped(step.id, text, found, op))
    return ""


def seconds_of(state: RunState, step_id: str) -> float | None:
    """Return how long a step took when it was done last, with the wait for what it brings about."""
    last = state.unit(step_id).last
    return None if last is None or last.duration_s is None else last.duration_s + last.ready_s


def _facts(plan: Plan, state: RunState, values: Any) -> dict[str, Any]:
    steps: dict[str, Any] = {}
    for step in plan.all_steps:
        unit = state.unit(step.id)
        kinds = {name: output.type for name, output in step.captures.items()}
        steps[step.id] = {name: _typed(kinds.get(name, "str"), value) for name, value in unit.outputs.items()}
        steps[step.id]["state"] = unit.stage.value
        if (seconds := seconds_of(state, step.id)) is not None:
            steps[step.id]["seconds"] = seconds
    known = {name: _typed(plan.vars[name].type, value) for name, value in values.items() if name in plan.vars}
    return {**{status.name: status.name for status in Status}, **known, "step": steps}


def _typed(kind: str, value: str) -> Any:
    if kind in ("int", "float", "port"):
        return float(value)
    return value == "true" if kind == "bool" else value
