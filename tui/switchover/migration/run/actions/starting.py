"""Begins a run: freezes its plan and its variables, and measures what its promises compare with."""

from __future__ import annotations

import os
from collections.abc import Mapping

from switchover import __version__
from switchover.errors import JournalError, RefusedError, UsageError
from switchover.locations import Workspace
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import RunState
from switchover.migration.rules.measured_promises import due_before
from switchover.migration.run.action_runner import ActionRunner
from switchover.migration.run.actions.frozen_files import freeze_files
from switchover.migration.run.measuring import measure_promises
from switchover.migration.run.other_runs.elsewhere import refuse_open_elsewhere, refuse_over_elsewhere
from switchover.migration.run.other_runs.forget import said_to_forget, take_word
from switchover.migration.run.run_store import RunStore
from switchover.plan.variables import Scope, resolve_variables

__all__ = ["give_variables", "start_run"]


async def start_run(runner: ActionRunner, op: Operator, variables: Mapping[str, str], *, new: bool) -> None:
    """Freeze the file as it is now and the variables, and put the beginning on record."""
    run_store = runner.run_store
    _refuse_second_run(run_store.state, new=new)
    file = run_store.file = await run_store.read_file()
    run_store.host_notes.hold_target_of(file.plan, op)
    refuse_open_elsewhere(run_store.workspace, file.plan, run_store.journal_id)
    if not new:
        refuse_over_elsewhere(run_store.workspace, file, run_store.journal_id)
    run_id = str(run_store.line.runs + 1)
    _refuse_what_another_left(run_store.workspace, run_id)
    event = ev.RunStarted(
        run_id=run_id,
        by=op,
        plan_id=file.plan.id,
        plan_title=file.plan.title,
        plan_path=str(file.path.absolute()),
        plan_digest=file.digest,
        plan_text=file.text,
        target=file.plan.target or "",
        variables=_freeze(run_store, run_id, variables),
        version=__version__,
        files=await freeze_files(file.plan, file.directory),
        given_up=run_store.clean(said_to_forget(run_store.workspace)),
    )
    await run_store.record(event, run_id=run_id)
    take_word(run_store.workspace)
    runner.accept()
    if file.plan.promises:
        units = {name: one.unit for name, one in file.plan.promises.items() if one.unit}
        values = await measure_promises(run_store, due_before(file.plan), "before")
        await run_store.record(ev.BaselineMeasured(values, units))


async def give_variables(runner: ActionRunner, op: Operator, variables: Mapping[str, str]) -> None:
    """Put values of variables that are still open on record. Raise `RefusedError` for one that is frozen."""
    run_store = runner.run_store
    checked = resolve_variables(run_store.plan, {**run_store.state.variables, **variables}, {}).values
    known = run_store.values.resolve().values
    for name in variables:
        if name in known and known[name] != checked[name]:
            raise RefusedError(f"{name} is {known[name]!r} and frozen for this run", "abort it to start another")
    fresh = {name: checked[name] for name in variables if name not in known}
    if fresh:
        await run_store.record(ev.VariablesGiven(fresh, op))


def _freeze(run_store: RunStore, run_id: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables as they are frozen at the start. Raise `RefusedError` for what has to be asked for."""
    plan = run_store.file.plan
    resolution = resolve_variables(plan, dict(given), {}, Scope.of(plan, run_store.file.directory, run_id))
    if resolution.missing:
        hint = " ".join(f"--var {name}=VALUE" for name in resolution.missing)
        raise UsageError(f"the plan asks for {', '.join(resolution.missing)}", hint)
    if resolution.refused:
        raise RefusedError("; ".join(resolution.refused.values()), "give it with --var, or mend the plan")
    return {n: v for n, v in resolution.values.items() if n in given or n not in plan.late_variables}


def _refuse_second_run(state: RunState, *, new: bool) -> None:
    if state.exists and not state.finished:
        raise RefusedError(f"run {state.run_id} goes on already", "go on with it, or abort it first")
    if state.finished and not new:
        raise RefusedError(f"run {state.run_id} is over ({state.stage})", "begin another with --new")


def _refuse_what_another_left(workspace: Workspace, run_id: str) -> None:
    """Raise `JournalError` where a run of this number has been here already, of which the journal knows nothing."""
    directory = workspace.run_directory(run_id)
    if os.path.lexists(directory):
        raise JournalError(
            f"{directory} tells of a run that the journal does not know: the journal has lost records",
            "bring the newest copy of the journal back; where it is lost, and you know what was done, say so: "
            f"`{workspace.command('run')} --forget --reason TEXT`",
        )
