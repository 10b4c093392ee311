"""Removes what the steps of runs that are over wrote. The journal keeps what happened, and that it was removed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress

from switchover.errors import StateError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.run.action_runner import ActionRunner

__all__ = ["prune_outputs"]


async def prune_outputs(runner: ActionRunner, op: Operator, run_ids: Sequence[str]) -> None:
    """Remove the outputs of runs. It is on record before anything is removed. Raise `StateError` where one is open."""
    run_store = runner.run_store
    for run_id in run_ids:
        event = ev.OutputsPruned(op)
        if run_id == run_store.state.run_id:
            await run_store.record(event)
        elif (await run_store.state_of(run_id)).finished:
            await run_store.append_past(run_id, event)
        else:
            raise StateError(f"run {run_id} is not over", runner.see_status)
        directory = run_store.workspace.run_directory(run_id)
        with suppress(FileNotFoundError):
            shutil.rmtree(directory)
