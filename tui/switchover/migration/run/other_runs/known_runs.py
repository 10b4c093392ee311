"""The runs whose state lies below one state directory, whatever file and folder their plans came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from switchover.clock import SystemClock
from switchover.locations import Workspace
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_fold import fold
from switchover.migration.facts.run_state import RunState
from switchover.migration.journal.sqlite_journal import Journal
from switchover.migration.rules.possible import why_impossible

__all__ = ["KnownRun", "read_runs"]


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run that is on record."""

    workspace: Workspace
    began: ev.RunStarted
    state: RunState
    is_newest: bool


def read_runs(directory: Path) -> tuple[KnownRun, ...]:
    """Return the runs of a workspace, oldest first. Raise `StateError` where its journal cannot be read."""
    journal = Journal.open(directory / "journal.sqlite", SystemClock(), create=False)
    if journal is None:
        return ()
    with journal:
        found = [(run, journal.records(run)) for run in journal.runs()]
    runs = []
    for _, records in found:
        began = next((record.event for record in records if isinstance(record.event, ev.RunStarted)), None)
        if began is not None:
            workspace = _workspace(directory, began.plan_path)
            runs.append(KnownRun(workspace, began, fold(records, None, why_impossible), is_newest=False))
    return (*runs[:-1], *(replace(run, is_newest=True) for run in runs[-1:]))


def _workspace(directory: Path, plan_path: str) -> Workspace:
    return Workspace(directory.parent.parent, Path(plan_path) if plan_path else None, folder=directory.name)
