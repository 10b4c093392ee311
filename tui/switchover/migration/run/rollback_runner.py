"""Carries out a rollback path: journalled and resumable like the steps, its time measured."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from switchover.errors import RefusedError
from switchover.hosts.host_line import LineError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import RollbackState, Stage, UnitState
from switchover.migration.reports.run_timeline import action_words
from switchover.migration.rules.confirmations import elapsed
from switchover.migration.rules.rollback_paths import RollbackPath, planned_rollback_path
from switchover.migration.run.execution import ExecutionUnit, Executor
from switchover.migration.run.run_store import RunStore

__all__ = ["open_rollback_path", "refuse_loss", "roll_back", "rollback_path_named", "unit_of"]

_FAILED_ALONE = frozenset(("failed", "timeout", "not started")).__contains__
_TRIES = 200
_PAUSE_S = 0.01


def rollback_path_named(run_store: RunStore, name: str) -> RollbackPath:
    """Return the rollback path of that name, open or not. Raise `RefusedError` where the plan has none of that name."""
    try:
        return planned_rollback_path(
            run_store.plan, run_store.state, name, run_store.registered, run_store.history.durations
        )
    except KeyError:
        known = ", ".join(run_store.plan.rollbacks) or "none"
        raise RefusedError(f"the plan has no rollback {name!r}", f"it has: {known}") from None


def open_rollback_path(run_store: RunStore, name: str) -> RollbackPath:
    """Return the rollback path of that name if it is open. Raise `RefusedError` that says why it is not."""
    way = rollback_path_named(run_store, name)
    if not way.available:
        label = name or "the rollback step by step"
        raise RefusedError(
            f"{label} is not open: {way.reason}", f"see `{run_store.workspace.command('status')}` for the ways back"
        )
    return way


def refuse_loss(run_store: RunStore, way: RollbackPath, accepted: Collection[str]) -> None:
    """Raise `RefusedError` while a begun step that cannot be undone has not been accepted by its name."""
    open_ = [step for step in way.irreversible if step not in accepted]
    if open_:
        options = " ".join(f"--accept-loss {step}" for step in open_)
        word = "cannot be undone: it is irreversible and has begun" if len(open_) == 1 else "cannot be undone"
        rollback = f"{run_store.workspace.command('rollback')}{f' {way.name}' if way.name else ''} {options}"
        hint = f"roll back all the same with `{rollback}`, or with R on the screen"
        raise RefusedError(f"{', '.join(open_)} {word}", hint)


def unit_of(rollback: RollbackState | None, name: str) -> str:
    """Return the action that a person means: by its number (from 1), its own name, or the step it undoes.

    Raise `RefusedError` where there is none of that name.
    """
    items = rollback.items if rollback is not None else ()
    for number, item in enumerate(items, 1):
        if name in (str(number), item.undoes or None, item.unit):
            return item.unit
    if not items:
        raise RefusedError("no rollback was begun", "begin one with `switchover rollback PLAN`")
    known = ", ".join(f"{n} ({i.undoes})" if i.undoes else str(n) for n, i in enumerate(items, 1))
    raise RefusedError(f"the rollback has no action {name!r}", f"it has: {known}")


async def roll_back(
    run_store: RunStore,
    executor: Executor,
    operator: Operator,
    name: str,
    accepted: Collection[str] = (),
    again: Collection[str] = (),
) -> bool:
    """Take a rollback path, or go on with it. Return whether it is through; where not, the state says what failed.

    `accepted` names the begun steps that cannot be undone; one that was begun already is not asked about again. An
    action that failed is not run again unless a person names it (`again`). Raise `RefusedError` that asks.
    """
    if not _goes_on(run_store.state.rollback, run_store, name):
        refuse_loss(run_store, rollback_path_named(run_store, name), accepted)
    rollback = run_store.state.rollback
    if rollback is None or not _goes_on(rollback, run_store, name):
        rollback = await _begin(run_store, operator, open_rollback_path(run_store, name))
    await _end_what_nobody_watches(run_store, executor, operator)
    for item in rollback.items:
        unit = run_store.state.unit(item.unit)
        if unit.stage in (Stage.DONE, Stage.SKIPPED):
            continue
        if unit.stage is Stage.UNKNOWN:
            raise RefusedError(
                f"{action_words(rollback.begun).get(item.unit, item.unit)} has an unknown outcome: {unit.reason}",
                f"say how it ended: `{run_store.workspace.command('run')} --resolve {item.unit}=done|failed|retry|skip "
                "--reason TEXT`",
            )
        if _may_be_left_out(unit, item) and item.unit not in again:
            await _leave_out(run_store, item, operator)
            continue
        if unit.stage is Stage.FAILED and item.unit not in again:
            number = rollback.items.index(item) + 1
            raise RefusedError(
                f"{action_words(rollback.begun).get(item.unit, item.unit)} failed: {unit.reason}",
                f"mend it, then `{run_store.workspace.command('rollback')} --retry {number}`, or leave it out with "
                f"`{run_store.workspace.command('rollback')} --skip {number} --reason TEXT`",
            )
        if unit.stage is Stage.FAILED:
            await run_store.record(ev.StepRetried(item.unit, operator))
        await executor.run(ExecutionUnit.of_item(item), operator)
        if _may_be_left_out(run_store.state.unit(item.unit), item):
            await _leave_out(run_store, item, operator)
        elif run_store.state.unit(item.unit).stage is not Stage.DONE:
            return False
    await _finish(run_store, operator, rollback)
    executor.there.sweep()
    return True


def _may_be_left_out(unit: UnitState, item: ev.RollbackItem) -> bool:
    """Whether it is optional and failed by itself. What a person stopped, or called failed, waits for a person."""
    return item.optional and unit.stage is Stage.FAILED and unit.last is not None and _FAILED_ALONE(unit.last.outcome)


async def _leave_out(run_store: RunStore, item: ev.RollbackItem, operator: Operator) -> None:
    """Put on record that the rollback goes on without an optional action that failed."""
    unit = run_store.state.unit(item.unit)
    number = unit.last.number if unit.last is not None else 0
    why = f"it is optional: {unit.reason}"
    await run_store.record(ev.StepResolved(item.unit, number, "skip", why, operator))


def _goes_on(rollback: RollbackState | None, run_store: RunStore, name: str) -> bool:
    return rollback is not None and not run_store.state.finished and rollback.name == name


async def _end_what_nobody_watches(run_store: RunStore, executor: Executor, operator: Operator) -> None:
    """End what is left of units that lost their watcher: nothing is undone while it is still being done.

    Raise `RefusedError` for what cannot be ended.
    """
    boot_id = run_store.tools.clock.boot_id()
    for name, unit in run_store.state.units.items():
        if unit.last is None or unit.last.outcome not in ("", "unknown"):
            continue
        attempt = executor.attempt(name, unit.last.number)
        if attempt.finished or unit.last.members:
            continue
        if unit.last.far is not None:
            await _end_there(run_store, executor, operator, name, unit)
            continue
        if attempt.kill_rest(boot_id):
            await run_store.record(ev.AbortRequested(name, "a rollback was asked for", operator))
        for _ in range(_TRIES):
            if not (alive := attempt.alive(boot_id)):
                break
            await asyncio.sleep(_PAUSE_S)
        else:
            pids = ", ".join(map(str, alive))
            raise RefusedError(f"{name} still runs and cannot be ended: pid {pids}", "end it, then roll back again")


async def _end_there(run_store: RunStore, executor: Executor, operator: Operator, name: str, unit: UnitState) -> None:
    """End what is left of a unit on another machine. Raise `RefusedError` where that cannot be, or not be asked.

    What a person has decided already is not asked for again where the machine is gone.
    """
    number = unit.last.number if unit.last is not None else 0
    try:
        if await executor.there.ask_alive(name, number):
            await run_store.record(ev.AbortRequested(name, "a rollback was asked for", operator))
        for _ in range(_TRIES):
            alive = await executor.there.ask_alive(name, number, end=True)
            if not alive:
                return
            await asyncio.sleep(_PAUSE_S)
    except LineError as error:
        if unit.stage not in (Stage.RUNNING, Stage.UNKNOWN):
            return
        raise RefusedError(
            f"{name} may still run on another machine, which cannot be asked: {error}",
            "see to the connection, or say how it ended, then roll back again",
        ) from error
    raise RefusedError(f"{name} still runs and cannot be ended: {', '.join(alive)}", "end it, then roll back again")


async def _begin(run_store: RunStore, operator: Operator, way: RollbackPath) -> RollbackState:
    before = run_store.state.rollback
    number = before.number + 1 if before else 1
    items = tuple(
        ev.RollbackItem(
            f"rollback:{number}:{index}",
            item.run,
            item.undoes,
            dict(item.env),
            item.cwd,
            item.timeout_s,
            item.expect_s,
            item.also,
            argv=item.argv,
            run_on=item.run_on,
            ssh=item.ssh,
            title=item.title,
            optional=item.optional,
        )
        for index, item in enumerate(way.items)
    )
    event = ev.RollbackStarted(
        number,
        way.name,
        operator,
        items,
        way.cannot_undo,
        way.within_s,
        title=way.title,
        verify=way.verify,
        data_loss=way.data_loss,
        loses_since=way.loses_since.at if way.loses_since else None,
        loses_after=way.loses_after,
    )
    await run_store.record(event)
    started = run_store.state.rollback
    if started is None:  # pragma: no cover - it was recorded just now
        raise RefusedError("the rollback could not be begun")
    return started


async def _finish(run_store: RunStore, operator: Operator, rollback: RollbackState) -> None:
    if rollback.stage is not Stage.DONE:
        took = elapsed(rollback.started, run_store.moment())
        within = None if rollback.within_s is None else took <= rollback.within_s
        verify = run_store.plan.rollbacks[rollback.name].verify if rollback.name else ()
        seen = await run_store.look(verify)
        await run_store.record(ev.RollbackEnded(rollback.number, took, within, seen.evidence))
    skipped = [item for item in rollback.items if run_store.state.unit(item.unit).stage is Stage.SKIPPED]
    what = f"rolled back by {rollback.name}" if rollback.name else "rolled back step by step"
    if skipped:
        what += f", without {', '.join(item.undoes or item.title or item.unit for item in skipped)}"
    done = run_store.state.rollback
    evidence = done.evidence if done is not None else ()
    bad = [f"{e.check} is {e.status}" for e in evidence if e.status != "ok"]
    what += (
        f", not proved: {', '.join(bad)}"
        if bad
        else f", proved by {', '.join(e.check for e in evidence)}"
        if evidence
        else ", without proof"
    )
    await run_store.record(ev.RunEnded("rolled_back", operator, what))
