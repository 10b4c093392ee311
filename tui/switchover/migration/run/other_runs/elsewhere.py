"""What this host's registry tells of a run of the same target whose state lies in another workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from switchover.errors import LockedError
from switchover.locations import Workspace, workspace_for
from switchover.migration.journal.host_lock import HostLock, describe_holder, host_of
from switchover.migration.journal.host_registry import RunNote, is_gone
from switchover.migration.run.other_runs.foreign_journal import is_over_on_record
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.model import Plan

__all__ = ["describe_run", "open_elsewhere", "refuse_open_elsewhere", "refuse_over_elsewhere", "tell_elsewhere"]


def open_elsewhere(host: HostLock, directory: Path, journal: str = "") -> Iterator[RunNote]:
    """Yield the runs of other workspaces that hold the target, driven or not.

    A note is as old as its driver. Where nobody drives, the journal that it is about has the last word. `journal` is
    the id of ours, which is read anyway. So another workspace's notes on the same journal are known from it.
    """
    for run in host.registry.elsewhere(directory):
        if run.is_over or (journal and run.head.journal == journal):
            continue
        if host.holder(run.directory) is not None or not is_over_on_record(host.registry, run):
            yield run


def tell_elsewhere(host: HostLock | None, directory: Path, journal: str = "") -> str:
    """Say who holds the target and where that lies; nothing where nobody does."""
    if host is None:
        return ""
    for run in open_elsewhere(host, directory, journal):
        holder = host.holder(run.directory)
        by = f"; {describe_holder(holder)} drives it now" if holder is not None else ""
        return f"{host.registry.what} is held by {describe_run(run)}{by}; {_look_there(run)}"
    other = next((found for found in host.drivers() if found[1] != str(directory)), None)
    if other is None:
        return ""
    return f"{host.registry.what} is driven by {describe_holder(other[0])}; its state lies in {other[1]}"


def refuse_open_elsewhere(workspace: Workspace, plan: Plan, journal: str = "") -> None:
    """Raise `LockedError` where a run of another workspace holds the target and is not over, driven or not."""
    host = host_of(workspace, plan)
    if host is None:
        return
    for run in open_elsewhere(host, workspace.directory, journal):
        there = workspace_for(Path(run.directory).parent.parent, Path(run.plan_path))
        raise LockedError(
            f"{host.registry.what} is held by {describe_run(run)}",
            f"go on with it there (`{there.command('run')}`), or end it there (`{there.command('run')} --abort "
            "--reason TEXT`); where it is lost or given up, say so: "
            f"`{workspace.command('run')} --forget --reason TEXT`",
        )


def refuse_over_elsewhere(workspace: Workspace, file: LoadedPlan, journal: str = "") -> None:
    """Raise `LockedError` where another workspace has carried out this plan: nobody does that twice unawares.

    A plan is this one by its file, or by its text where it names the same target. A run whose state is gone is none.
    """
    host = host_of(workspace, file.plan)
    for run in host.registry.elsewhere(workspace.directory) if host is not None else ():
        is_same = run.plan_path == str(workspace.plan) or (bool(file.plan.target) and run.plan_digest == file.digest)
        if run.plan != file.plan.id or not is_same or (journal and run.head.journal == journal):
            continue
        if not is_gone(run.directory):
            by = f", which {run.who}@{run.host} drove," if run.who else ""
            raise LockedError(
                f"run {run.head.run} of {run.plan}{by} is over already; its state lies in {run.directory}",
                f"{_look_there(run)}; `{workspace.command('run')} --new` begins another run",
            )


def describe_run(run: RunNote) -> str:
    """Name a run, who drove it last and where its state lies."""
    by = f"which {run.who}@{run.host} drove last" if run.who else "which somebody began"
    return f"run {run.head.run} of {run.plan}, {by} and which is not over; its state lies in {run.directory}"


def _look_there(run: RunNote) -> str:
    there = workspace_for(Path(run.directory).parent.parent, Path(run.plan_path))
    return f"`{there.command('status')}` tells of it"
