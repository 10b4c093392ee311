"""Puts a result on record that others did not wait for, though another run may have begun meanwhile."""

from __future__ import annotations

from contextlib import suppress

from switchover.errors import JournalAwayError
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_fold import fold
from switchover.migration.facts.run_state import RunState
from switchover.migration.rules.possible import why_impossible
from switchover.migration.run.run_store import RunStore

__all__ = ["record_late"]


async def record_late(run_store: RunStore, run_id: str, event: ev.StepEndedLate) -> None:
    """Record it on its own run. Where the journal is away, wait for it."""

    def is_owed(state: RunState) -> bool:
        return state.run_id == run_id and not why_impossible(state, event)

    await run_store.record_when_back(event, is_owed)
    while run_store.state.run_id != run_id:
        with suppress(JournalAwayError):
            await run_store.line.in_turn(lambda: _record_past(run_store, run_id, event))
            return
        await run_store.until_back()


async def _record_past(run_store: RunStore, run_id: str, event: ev.StepEndedLate) -> None:
    """Record it on a run that is over, if it is owed there, and tell it. The state stays that of the newest."""
    if not run_store.lock.held or not run_store.line.usable:
        raise JournalAwayError("the journal is not held")
    past = fold(await run_store.line.records(run_id), None, why_impossible)
    if not why_impossible(past, event):
        await run_store.append_past(run_id, event)
