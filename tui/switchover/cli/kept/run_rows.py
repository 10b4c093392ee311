"""The runs of this host, one row each: those below the state directory, and those that others note."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from switchover.errors import StateError
from switchover.migration.facts.run_state import Stage
from switchover.migration.journal.host_registry import RunNote, account_name, all_notes, is_gone
from switchover.migration.journal.run_lock import read_holder
from switchover.migration.run.other_runs.known_runs import KnownRun, read_runs
from switchover.migration.run.other_runs.moved_plans import known_workspaces
from switchover.migration.run.store.far_left import LeftThere, list_left
from switchover.snapshot import Holder
from switchover.snapshot.states import StageWord

__all__ = ["RunRow", "left_elsewhere", "list_runs"]


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. Times are epoch seconds. Where only a note tells of it, `state` is `open` or `over`."""

    run: str
    plan: str
    state: StageWord | Literal["open", "over"]
    is_open: bool
    plan_path: str
    plan_is_there: bool
    target: str
    began_at: float | None
    ended_at: float | None
    by: str
    driver: str  # who drives it now
    directory: str
    journal: str
    account: str = ""  # whose it is, where it is not ours to read


def list_runs(root: Path, registry: Path | None) -> tuple[list[RunRow], list[str]]:
    """Return all runs, open ones and the newest first, and what could not be read."""
    rows: list[RunRow] = []
    unreadable: list[str] = []
    read: set[str] = set()
    for directory in known_workspaces(root):
        read.add(str(directory))
        try:
            rows += [_row(run) for run in read_runs(directory)]
        except StateError as error:
            unreadable.append(f"{directory}: {error.title}")
    if registry is not None:
        rows += _noted(registry, read)
    return sorted(rows, key=lambda row: (not row.is_open, -(row.began_at or row.ended_at or 0.0))), unreadable


def left_elsewhere(root: Path, rows: Iterable[RunRow]) -> tuple[LeftThere, ...]:
    """Return what lies on other machines, also of runs whose journal cannot be read."""
    directories = {*(root / "workspaces").glob("*"), *(Path(row.directory) for row in rows)}
    return tuple(left for directory in sorted(directories) for left in list_left(directory))


def _row(run: KnownRun) -> RunRow:
    state = run.state
    holder = read_holder(run.workspace.lock) if run.is_newest else None
    goes_on = holder is not None or state.open_units or state.rollback is not None
    stage = Stage.WAITING if state.stage is Stage.RUNNING and not goes_on else state.stage  # nothing runs between steps
    return RunRow(
        run=state.run_id,
        plan=state.plan_id,
        state=stage.word,
        is_open=not state.finished,
        plan_path=state.plan_path,
        plan_is_there=not is_gone(state.plan_path),
        target=run.began.target,
        began_at=state.started.at if state.started is not None else None,
        ended_at=state.ended.at if state.ended is not None else None,
        by=f"{run.began.by.who}@{run.began.by.host}",
        driver=_named(holder),
        directory=str(run.workspace.directory),
        journal=run.workspace.journal_name,
    )


def _noted(registry: Path, read: set[str]) -> Iterator[RunRow]:
    newest: dict[str, tuple[int, RunNote]] = {}
    drivers: dict[str, Holder] = {}
    for uid, notes in all_notes(registry):
        if notes.holder is not None:
            drivers[notes.holds] = notes.holder
        for note in notes.runs:
            known = newest.get(note.directory)
            if note.directory not in read and (known is None or known[1].head.at < note.head.at):
                newest[note.directory] = uid, note
    for uid, note in newest.values():
        if is_gone(note.directory):
            continue
        ours = _runs_of(note) if uid == os.geteuid() else ()
        yield from map(_row, ours)
        if not ours:
            yield _row_of_note(uid, note, drivers)


def _runs_of(note: RunNote) -> tuple[KnownRun, ...]:
    try:
        return read_runs(Path(note.directory))
    except StateError:
        return ()


def _row_of_note(uid: int, note: RunNote, drivers: Mapping[str, Holder]) -> RunRow:
    return RunRow(
        run=note.head.run,
        plan=note.plan,
        state="over" if note.is_over else "open",
        is_open=not note.is_over,
        plan_path=note.plan_path,
        plan_is_there=not is_gone(note.plan_path),
        target="",
        began_at=None,
        ended_at=note.head.at if note.is_over else None,
        by=f"{note.who}@{note.host}" if note.who else "",
        driver=_named(drivers.get(note.directory)),
        directory=note.directory,
        journal=note.journal_name,
        account=account_name(uid),
    )


def _named(holder: Holder | None) -> str:
    return f"{holder.who}@{holder.host}" if holder is not None else ""
