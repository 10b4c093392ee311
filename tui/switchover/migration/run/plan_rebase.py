"""An edited plan and the run of its older text: what differs, what stands in the way, and adopting it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from switchover.errors import PlanError, RefusedError, UsageError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.run.actions.frozen_files import changed_files, files_of
from switchover.migration.run.run_store import RunStore
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.members.member_names import base_name
from switchover.plan.model import Plan
from switchover.plan.plan_difference import PlanPartChange, changed_keys, compare, unified
from switchover.plan.variables import Resolution, Scope, resolve_variables
from switchover.snapshot import PlanChange, PlanDifference

__all__ = ["adopt", "examine_difference", "in_the_way"]

_LINES = 5000
_MAY_CHANGE = (Stage.FAILED, Stage.PENDING)  # a step that failed is mended and runs again; the rest is history
_WORDS = {
    Stage.DONE: "is finished",
    Stage.RUNNING: "runs",
    Stage.UNKNOWN: "has an unknown outcome",
    Stage.WAITING: "has been begun",
    Stage.SKIPPED: "is over",
    Stage.ROLLED_BACK: "is rolled back",
}
_AFTER = "only what has not begun can change; new steps come after what has"


async def examine_difference(run_store: RunStore) -> PlanDifference:
    """Compare the file, as it is now, with the plan in force. Changes nothing."""
    state = run_store.state
    is_open = state.exists and not state.finished
    try:
        edited = await run_store.read_file()
    except PlanError as error:
        problems = tuple(run_store.clean(str(problem)) for problem in error.problems)
        return PlanDifference(same=False, run_id=state.run_id, run_open=is_open, problems=problems)
    before = run_store.loaded
    files = await changed_files(state, edited.plan, edited.directory) if is_open else ()
    if edited.digest == before.digest and not files:
        return PlanDifference(same=True, run_id=state.run_id, run_open=is_open, digest=edited.digest)
    changes = compare(before.plan, edited.plan)
    refused = list(in_the_way(before.plan, edited.plan, state)) if is_open else []
    needed: tuple[tuple[str, str, str], ...] = ()
    try:
        missing = _resolve(run_store, edited, {}).missing if is_open else ()
        variables = edited.plan.vars
        needed = tuple((name, variables[name].type, variables[name].ask or name) for name in missing)
    except UsageError as error:
        refused.append(error.title)
    return PlanDifference(
        same=False,
        run_id=state.run_id,
        run_open=is_open,
        digest=edited.digest,
        changes=(*(_shown(run_store, change, state) for change in changes), *files),
        refused=tuple(run_store.clean(text) for text in refused),
        needed=needed,
        unified=tuple(run_store.clean(line) for line in unified(before.text, edited.text)[:_LINES]),
    )


async def adopt(
    run_store: RunStore, operator: Operator, variables: Mapping[str, str], reason: str, digest: str = ""
) -> tuple[str, ...]:
    """Let the open run go by the plan as its file has it now; return what changed. The caller drives the run.

    `digest` is that of the text that the operator has seen. Without an open run the file's plan is taken for the next.
    Raise `PlanError` for a plan with errors, `RefusedError` where it touches what has begun. Raise `UsageError` where
    it asks for more values.
    """
    state = run_store.state
    edited = await run_store.read_file()
    if digest and edited.digest != digest:
        raise RefusedError("the file was edited again since it was looked at", "look at the difference again")
    if not state.exists or state.finished:
        run_store.take_file(edited)
        return ()
    before = run_store.loaded
    files = await changed_files(state, edited.plan, edited.directory)
    if edited.digest == state.plan_digest and not files:
        raise RefusedError("the run goes by this plan already", "edit the file first")
    if state.rollback is not None:
        raise RefusedError("a rollback was begun, which goes by the plan as it is", "finish it, then begin another run")
    if refused := tuple(in_the_way(before.plan, edited.plan, state)):
        raise RefusedError("; ".join(refused), _AFTER)
    known = run_store.values.resolve().values
    resolution = _resolve(run_store, edited, variables)
    for name in variables:
        if name in known and known[name] != resolution.values[name]:
            raise RefusedError(f"{name} is {known[name]!r} and frozen for this run", "abort it to start another")
    if resolution.missing:
        hint = " ".join(f"--var {name}=VALUE" for name in resolution.missing)
        raise UsageError(f"the edited plan asks for {', '.join(resolution.missing)}", hint)
    if resolution.refused:
        raise RefusedError("; ".join(resolution.refused.values()), "give it with --var, or mend the plan")
    changes = compare(before.plan, edited.plan)
    checks = {change.name for change in changes if change.what == "check"}
    event = ev.PlanRebased(
        by=operator,
        reason=run_store.clean(reason).strip(),
        before_digest=state.plan_digest,
        plan_digest=edited.digest,
        plan_text=edited.text,
        variables={
            name: value
            for name, value in resolution.values.items()
            if name in state.variables or name in variables or name not in edited.plan.late_variables
        },
        changes=(
            *(run_store.clean(change.text) for change in changes),
            *(run_store.clean(f"file {change.name} {change.kind}") for change in files),
        )
        or ("comments or layout only",),
        files=await files_of(state, edited.plan, edited.directory),
        gates=_to_look_at_again(edited.plan, state, changes, checks),
        checks=tuple(sorted(checks)),
    )
    run_store.file = edited
    await run_store.record(event)
    return event.changes


def in_the_way(before: Plan, after: Plan, state: RunState) -> Iterator[str]:
    """Tell, in words, how the edited plan touches what has begun. Nothing where it does not."""
    if before.id != after.id:
        yield f"the plan's id is another: {after.id}, not {before.id}"
    if before.target != after.target:
        yield f"the plan's target is another: {after.target or 'none'}, not {before.target or 'none'}"
    old, new = _items(before), _items(after)
    began = [item for item in old if _began(item, state)]
    fixed = old[: old.index(began[-1]) + 1] if began else []
    missing = [item for item in fixed if item not in new]
    yield from (f"{_name(item)} {_stands(item, state)} and cannot be removed" for item in missing)
    kept = [item for item in fixed if item in new]
    for place, item in enumerate(kept):
        if intruders := [i for i in new[: new.index(item)] if i not in fixed]:
            yield f"{_name(intruders[0])} stands before {_name(item)}, which {_stands(item, state)}"
            break
        if [i for i in new if i in kept][place] != item or _phase(before, item) != _phase(after, item):
            yield f"{_name(item)} {_stands(item, state)} and cannot be moved"
            break
    for item in kept:
        if _may_change(item, state):
            continue
        if keys := changed_keys(_definition(before, item), _definition(after, item)):
            yield f"{_name(item)} {_stands(item, state)} and cannot change ({', '.join(key for key, _, _ in keys)})"


_Item = tuple[str, str]


def _items(plan: Plan) -> list[_Item]:
    """Return steps and gates in the order in which the run comes to them."""
    items: list[_Item] = []
    for phase in plan.phases:
        items += [("step", step.id) for step in phase.steps]
        items += [("gate", phase.id)] if phase.gate is not None else []
    return items


def _began(item: _Item, state: RunState) -> bool:
    kind, name = item
    return state.unit(name).began if kind == "step" else state.gate(name).stage is Stage.DONE


def _may_change(item: _Item, state: RunState) -> bool:
    kind, name = item
    return kind == "step" and state.unit(name).stage in _MAY_CHANGE


def _stands(item: _Item, state: RunState) -> str:
    kind, name = item
    if kind == "gate":
        return "has passed"
    return _WORDS.get(state.unit(name).stage, "has begun")


def _name(item: _Item) -> str:
    return " ".join(item)


def _phase(plan: Plan, item: _Item) -> str:
    kind, name = item
    return name if kind == "gate" else plan.phase_of(name).id


def _definition(plan: Plan, item: _Item):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a step or a gate
    kind, name = item
    return plan.step(name) if kind == "step" else next(p.gate for p in plan.phases if p.id == name)


def _resolve(run_store: RunStore, edited: LoadedPlan, given: Mapping[str, str]) -> Resolution:
    state, plan = run_store.state, edited.plan
    kept = {name: value for name, value in state.variables.items() if name in plan.vars}
    outputs = {name: values for name, values in state.outputs.items() if any(s.id == name for s in plan.all_steps)}
    return resolve_variables(plan, {**kept, **given}, outputs, Scope.of(plan, edited.directory, state.run_id))


def _to_look_at_again(
    plan: Plan, state: RunState, changes: tuple[PlanPartChange, ...], checks: set[str]
) -> tuple[str, ...]:
    """Return the gates that need something else now, except for those that have passed."""
    changed = {change.name for change in changes if change.what == "gate"}
    needing = {
        p.id for p in plan.phases if p.gate and {n for name in p.gate.require for n in (name, base_name(name))} & checks
    }
    return tuple(sorted(g for g in changed | needing if state.gate(g).stage not in (Stage.DONE, Stage.PENDING)))


def _shown(run_store: RunStore, change: PlanPartChange, state: RunState) -> PlanChange:
    item = (change.what, change.name)
    touches = (
        change.what in ("step", "gate")
        and _began(item, state)
        and not (change.kind == "changed" and _may_change(item, state))
    )
    return PlanChange(
        kind=change.kind,
        what=change.what,
        name=change.name,
        details=tuple((key, run_store.clean(a), run_store.clean(b)) for key, a, b in change.details),
        touches=_stands(item, state) if touches and state.exists else "",
    )
