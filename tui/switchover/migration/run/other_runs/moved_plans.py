"""Finds the run of a plan whose file was moved or copied. It is light: the screen's process asks this too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from switchover.clock import SystemClock
from switchover.errors import StateError
from switchover.locations import Workspace
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_fold import fold
from switchover.migration.journal.host_registry import is_gone
from switchover.migration.journal.sqlite_journal import Journal

__all__ = ["known_workspaces", "workspace_of_run"]

_ID = re.compile(r"^id:[ \t]*[\"']?([A-Za-z0-9._-]+)", re.MULTILINE)
_TARGET = re.compile(r"^target:[ \t]*(.*?)[ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Newest:
    began: ev.RunStarted
    at: float
    is_over: bool


def known_workspaces(root: Path) -> Iterator[Path]:
    """Yield the folders below a state directory that hold a journal."""
    yield from (path.parent for path in sorted((root / "workspaces").glob("*/journal.sqlite")))


def workspace_of_run(workspace: Workspace, *, copies: bool = False) -> Workspace:
    """Return the workspace in which the run of a plan lies, also where its file was moved since.

    A run belongs to the id and the target of its plan. It is looked for only where this file has no run of its own.
    With `copies` the other file may still be there. That is enough to look at a run, but not to go on with it.
    """
    plan = workspace.plan
    if plan is None or workspace.shared is not None or workspace.journal.exists():
        return workspace
    wanted = _id_and_target(plan)
    if not wanted[0]:
        return workspace
    found: list[tuple[bool, float, Workspace]] = []
    for directory in known_workspaces(workspace.root):
        newest = _newest_run(directory)
        if newest is None or (newest.began.plan_id, newest.began.target) != wanted:
            continue
        if copies or is_gone(newest.began.plan_path):
            found.append((not newest.is_over, newest.at, replace(workspace, folder=directory.name)))
    return max(found, key=lambda one: one[:2])[2] if found else workspace


def _newest_run(directory: Path) -> _Newest | None:
    try:
        journal = Journal.open(directory / "journal.sqlite", SystemClock(), create=False)
        if journal is None:
            return None
        with journal:
            runs = journal.runs()
            records = journal.records(runs[-1]) if runs else []
    except StateError:
        return None
    began = next((record.event for record in records if isinstance(record.event, ev.RunStarted)), None)
    return _Newest(began, records[0].at, fold(records).finished) if began is not None else None


def _id_and_target(plan: Path) -> tuple[str, str]:
    """Return what a plan file says of itself, without reading it as a plan."""
    try:
        text = plan.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", ""
    found, target = _ID.search(text), _TARGET.search(text)
    return found[1] if found else "", target[1].strip("\"'") if target else ""
