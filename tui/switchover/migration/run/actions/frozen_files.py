"""The files that steps execute, as they were when the run began or went over to another plan."""

from __future__ import annotations

import asyncio
from pathlib import Path

from switchover.errors import RefusedError
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.run.run_store import RunStore
from switchover.migration.steps.step_files import edits, file_digests
from switchover.plan.model import Plan, Step
from switchover.snapshot import PlanChange

__all__ = ["changed_files", "files_of", "freeze_files", "refuse_edited_files"]

_OVER = (Stage.DONE, Stage.SKIPPED, Stage.ROLLED_BACK)


async def freeze_files(plan: Plan, directory: Path) -> dict[str, dict[str, str]]:
    """Return the digests of what each step executes, as it lies there now."""
    steps = [step for step in plan.all_steps if step.files]
    return await asyncio.to_thread(lambda: {step.id: file_digests(directory, step.files) for step in steps})


async def files_of(state: RunState, plan: Plan, directory: Path) -> dict[str, dict[str, str]]:
    """Return what holds from now on: as it lies there, and for what is over as it was."""
    now = await freeze_files(plan, directory)
    over = {step: dict(files) for step, files in state.files.items() if state.unit(step).stage in _OVER}
    return {**now, **over}


async def changed_files(state: RunState, plan: Plan, directory: Path) -> tuple[PlanChange, ...]:
    """Return which files were edited since they were frozen, of steps that are not over."""
    now = await files_of(state, plan, directory)
    found = {}
    for step in now:
        frozen = state.files.get(step, {})
        for name, kind in edits(frozen, now[step]) if step in state.files else ():
            digests = (("sha256", frozen.get(name, "")[:12], now[step].get(name, "")[:12]),)
            found[name] = PlanChange(kind=kind, what="file", name=name, details=digests)
    return tuple(found[name] for name in sorted(found))


async def refuse_edited_files(run_store: RunStore, step: Step) -> None:
    """Raise `RefusedError` that names what a step would execute and was edited since it was frozen."""
    frozen = run_store.state.files.get(step.id)
    if not step.files or frozen is None:
        return
    now = await asyncio.to_thread(file_digests, run_store.loaded.directory, step.files)
    if edited := [f"{name} was {kind}" for name, kind in edits(frozen, now)]:
        raise RefusedError(
            f"{step.id} was not started: since the run began, {', '.join(edited)}",
            f"see `{run_store.workspace.command('diff')}`; let the run go by them with "
            f"`{run_store.workspace.command('rebase')}`, or bring them back",
        )
