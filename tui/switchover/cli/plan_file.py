"""The plan that a verb is given, with the workspace that belongs to it."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.cli import diagnostics
from switchover.errors import PlanError
from switchover.locations import Workspace, state_root, workspace_for
from switchover.settings import JournalAddress, choose_journal

if TYPE_CHECKING:
    from switchover.plan.loader.load import LoadedPlan

__all__ = ["load_for_run", "workspace_at", "workspace_of"]


def workspace_at(root: Path, plan: Path | None, shared: JournalAddress | None, *, copies: bool = False) -> Workspace:
    """Return the workspace of a plan, which is that of its run where the plan was moved since that began."""
    from switchover.migration.run.other_runs.moved_plans import workspace_of_run

    return workspace_of_run(workspace_for(root, plan, shared), copies=copies)


def workspace_of(args: Namespace, *, copies: bool = False) -> Workspace:
    """Return the workspace of the plan that a verb is given, with the journal that was chosen for it.

    With `copies` also that of the file which this one is a copy of.
    """
    if not hasattr(args, "shared"):  # the environment tells it once, then forgets
        args.shared = choose_journal(getattr(args, "journal", None), os.environ)
    plan = Path(args.plan).absolute() if args.plan is not None else None
    return workspace_at(state_root(args.state), plan, args.shared, copies=copies)


def load_for_run(
    args: Namespace, *, finished: bool = False, quiet: bool = False, copies: bool = False
) -> tuple[LoadedPlan, Workspace]:
    """Load the plan of an action on its run. A file broken since the run began gives way to the run's own plan.

    `finished` allows a run that is over, where it is only read. `quiet` says nothing of a broken file. `copies` finds
    the run of the file that this one is a copy of. Raise `PlanError`.
    """
    from switchover.app import load

    path = Path(args.plan)
    workspace, digest = workspace_of(args, copies=copies), getattr(args, "digest", "")
    try:
        return load(path, digest=digest), workspace
    except PlanError as error:
        loaded = load(path, workspace, finished=finished, digest=digest)
        if not quiet:
            diagnostics.say(f"{error.problems[0]}; the run goes by the plan it was started with")
        return loaded, workspace
