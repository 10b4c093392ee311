"""Stops a run, and takes it back: both may break in on what goes on."""

from __future__ import annotations

from collections.abc import Collection

from switchover.errors import RefusedError
from switchover.hosts.host_line import LineError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.run.action_runner import ActionRunner
from switchover.migration.run.other_runs.elsewhere import refuse_open_elsewhere
from switchover.migration.run.rollback_runner import (
    open_rollback_path,
    refuse_loss,
    roll_back,
    rollback_path_named,
    unit_of,
)

__all__ = ["abort", "take_rollback_path"]


async def take_rollback_path(
    runner: ActionRunner, name: str | None, op: Operator, accept: Collection[str], again: Collection[str]
) -> None:
    """Take a rollback path, or go on with the one that was begun."""
    run_store = runner.run_store
    if name is None and run_store.state.rollback is not None and not run_store.state.finished:
        name = run_store.state.rollback.name  # the one that was begun
    runner.refuse_read_only()
    if run_store.state.rollback is None and (way := rollback_path_named(run_store, name or "")).available:
        refuse_loss(run_store, way, accept)
    runner.to_gate = False
    if runner.busy:
        if runner.busy == "rollback":
            raise RefusedError("a rollback is going on", "wait for it, or abort it")
        await runner.stop(op, "a rollback was asked for")
        await runner.idle()
    async with runner.acting(op, "rollback"):
        if run_store.state.rollback is None:
            open_rollback_path(run_store, name or "")
        if run_store.state.finished:
            refuse_open_elsewhere(run_store.workspace, run_store.plan, run_store.journal_id)
        runner.accept()
        units = [unit_of(run_store.state.rollback, action) for action in again]
        await roll_back(run_store, runner.executor, op, name or "", accept, units)


async def abort(runner: ActionRunner, op: Operator, reason: str) -> None:
    """Stop what goes on: a step (ended with all its processes), a gate, else the whole run."""
    runner.refuse_read_only()
    between, runner.to_gate = runner.to_gate and not runner.busy, False
    if between:
        return  # no other step begins; the run itself goes on
    if runner.busy:
        await runner.stop(op, reason)
        return
    async with runner.acting(op, "abort"):
        action, run_store = runner.action, runner.run_store
        reason = run_store.clean(reason)
        last = run_store.state.unit(action.unit).last if action.kind == "resolve" else None
        if last is not None:
            attempt = runner.executor.attempt(action.unit, last.number)
            if runner.executor.there.is_there(action.unit, last.number):
                ended = await _end_there(runner, action.unit, last.number)
            else:
                ended = bool(attempt.kill_rest(run_store.tools.clock.boot_id()))
            if ended:
                await run_store.record(ev.AbortRequested(action.unit, reason, op))
                return
        if not run_store.state.exists or run_store.state.finished:
            raise RefusedError("nothing runs that could be stopped")
        await run_store.record(ev.AbortRequested("run", reason, op))
        why = f"stopped by {op.who}" + (f": {reason}" if reason else "")
        await run_store.record(ev.RunEnded("aborted", op, why))


async def _end_there(runner: ActionRunner, unit: str, number: int) -> bool:
    """End what is left of a unit on other machines; return whether there was anything. Raise `RefusedError`."""
    there = runner.executor.there
    try:
        if not await there.ask_alive(unit, number):
            return False
        await there.ask_alive(unit, number, end=True)
    except LineError as error:
        raise RefusedError(
            f"whether {unit} still runs cannot be asked: {error}", "say how it ended, or try again"
        ) from error
    return True
