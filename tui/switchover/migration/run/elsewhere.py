"""What this host's registry tells of a run of the same target whose state lies in another workspace."""

from __future__ import annotations

import shlex
from pathlib import Path

from switchover.errors import LockedError
from switchover.locations import Workspace
from switchover.migration.journal.host_lock import HostLock, describe_holder, host_of
from switchover.migration.journal.host_registry import RunNote
from switchover.plan.model import Plan

__all__ = ["describe_run", "refuse_open_elsewhere", "tell_elsewhere"]


def tell_elsewhere(host: HostLock | None, directory: Path) -> str:
    """Say who holds the target and where that lies; nothing where nobody does."""
    if host is None:
        return ""
    for run in host.registry.elsewhere(directory):
        if not run.is_over:
            holder = host.holder(run.directory)
            by = f"; {describe_holder(holder)} drives it now" if holder is not None else ""
            return f"{host.registry.what} is held by {describe_run(run)}{by}; {_look_there(run)}"
    other = next((found for found in host.drivers() if found[1] != str(directory)), None)
    if other is None:
        return ""
    return f"{host.registry.what} is driven by {describe_holder(other[0])}; its state lies in {other[1]}"


def refuse_open_elsewhere(workspace: Workspace, plan: Plan) -> None:
    """Raise `LockedError` where a run of another workspace holds the target and is not over, driven or not."""
    host = host_of(workspace, plan)
    for run in host.registry.elsewhere(workspace.directory) if host is not None else ():
        if not run.is_over:
            raise LockedError(
                f"{host.registry.what if host else ''} is held by {describe_run(run)}",
                f"go on with it there, or end it there (`switchover run {run.plan_path} --abort --reason TEXT`); where "
                f"it is lost or given up, say so: `switchover run {workspace.plan} --forget --reason TEXT`",
            )


def describe_run(run: RunNote) -> str:
    """Name a run, who drove it last and where its state lies."""
    by = f"which {run.who}@{run.host} drove last" if run.who else "which somebody began"
    return f"run {run.head.run} of {run.plan}, {by} and which is not over; its state lies in {run.directory}"


def _look_there(run: RunNote) -> str:
    root = Path(run.directory).parent.parent
    return f"`switchover status {shlex.quote(run.plan_path)} --state {shlex.quote(str(root))}` tells of it"
