"""What is old enough to be removed, and what is kept for a reason. Looks only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from switchover.errors import StateError, SwitchoverError
from switchover.hub.problems.bundler import BUNDLES
from switchover.migration.journal.host_registry import is_gone
from switchover.migration.run.other_runs.known_runs import KnownRun, read_runs
from switchover.migration.run.other_runs.moved_plans import known_workspaces
from switchover.migration.run.store.far_left import list_left
from switchover.plan.loader.load import load_plan_text
from switchover.triage.incident_store import IncidentStore
from switchover_checks.language.units import format_duration

__all__ = ["Kept", "Prunable", "find_prunable"]

What = Literal["run", "outputs", "incident", "bundle", "crash"]


@dataclass(frozen=True, slots=True)
class Prunable:
    """Something to remove. A `run` is a whole workspace, whose plan is gone. `at` is when it was over."""

    what: What
    path: Path
    bytes: int
    at: float
    text: str
    run: KnownRun | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that would be old enough, and why it stays."""

    text: str
    why: str


@dataclass(slots=True)
class PruneSurvey:
    """All that was found."""

    items: list[Prunable] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


def find_prunable(root: Path, directories: Iterable[Path] | None, before: float) -> PruneSurvey:
    """Find what was over before a moment (epoch seconds), in all workspaces or only in some."""
    found = PruneSurvey()
    for directory in known_workspaces(root) if directories is None else directories:
        try:
            runs = read_runs(directory)
        except StateError as error:
            found.kept.append(Kept(str(directory), f"its journal cannot be read: {error.title}"))
            continue
        _runs(directory, runs, before, found)
    if directories is None:
        everywhere = [path for path in sorted((root / "workspaces").glob("*")) if path.is_dir()]
        found.items += _files("crash", root / "crashes", before)
    else:
        everywhere = list(directories)
    gone = {item.path for item in found.items if item.what == "run"}
    for directory in (path for path in everywhere if path not in gone):
        found.items += _files("bundle", directory / BUNDLES, before)
        found.items += _incidents(directory, before)
    return found


def _runs(directory: Path, runs: tuple[KnownRun, ...], before: float, found: PruneSurvey) -> None:
    old = []
    for run in runs:
        name = f"run {run.state.run_id} of {run.state.plan_id}"
        if why := _why_kept(run, before):
            found.kept.append(Kept(name, why))
        else:
            old.append(run)
    if runs and len(old) == len(runs) and is_gone(runs[-1].state.plan_path):
        last = max(_ended(run) for run in runs)
        text = f"all runs of {runs[-1].state.plan_id}, whose file {runs[-1].state.plan_path} is gone"
        found.items.append(Prunable("run", directory, _size(directory), last, text, runs[-1]))
        return
    for run in old:
        folder = run.workspace.run_directory(run.state.run_id)
        if folder.is_dir():
            text = f"what the steps of run {run.state.run_id} of {run.state.plan_id} wrote"
            found.items.append(Prunable("outputs", folder, _size(folder), _ended(run), text, run))


def _why_kept(run: KnownRun, before: float) -> str:
    """Say why a run stays; empty where nothing keeps it."""
    if not run.state.finished:
        return "it is open"
    if run.state.impossible:
        return "its journal holds what no run wrote"
    ended = _ended(run)
    if ended > before:
        return f"it ended {_day(ended)}"
    if left := list_left(run.workspace.directory, run.state.run_id):
        return f"only its notes tell what may still lie on {left[0]}"
    try:
        signoff = load_plan_text(run.state.plan_text, Path(run.state.plan_path), frozen=True).plan.signoff
    except SwitchoverError:
        return "its plan cannot be read by this version, so nobody knows how long it is to be kept"
    retention = signoff.retention if signoff is not None and signoff.retention is not None else 0.0
    if ended + retention > time.time():
        return f"its plan keeps it for {format_duration(retention)}, until {_day(ended + retention)}"
    return ""


def _ended(run: KnownRun) -> float:
    return run.state.ended.at if run.state.ended is not None else 0.0


def _files(what: What, folder: Path, before: float) -> Iterator[Prunable]:
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        seen = path.lstat()
        if seen.st_mtime < before and path.is_file() and not path.is_symlink():
            yield Prunable(what, path, seen.st_size, seen.st_mtime, f"{what} {path.name}")


def _incidents(directory: Path, before: float) -> Iterator[Prunable]:
    """Yield closed incidents. The newest stays: the next is numbered after it."""
    store = IncidentStore(directory / "incidents")
    for incident in store.all()[:-1]:
        if incident.closed is not None and incident.closed.at < before:
            text = f"incident {incident.number}: {incident.title}"
            for path in sorted(store.folder.glob(f"{incident.number:04}*")):
                yield Prunable("incident", path, path.lstat().st_size, incident.closed.at, text)


def _size(folder: Path) -> int:
    return sum((Path(parent) / name).lstat().st_size for parent, _, names in os.walk(folder) for name in names)


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))
