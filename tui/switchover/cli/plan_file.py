"""The plan that a verb is given, with the workspace that belongs to it."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.cli import diagnostics
from switchover.errors import PlanError
from switchover.locations import Workspace, state_root, workspace_for
from switchover.settings import choose_journal

if TYPE_CHECKING:
    from switchover.plan.loader.load import LoadedPlan

__all__ = ["load_for_run", "workspace_of"]


def workspace_of(args: Namespace) -> Workspace:
    """Return the workspace of the plan that a verb is given, with the journal that was chosen for it."""
    if not hasattr(args, "shared"):  # the environment tells it once, then forgets
        args.shared = choose_journal(getattr(args, "journal", None), os.environ)
    plan = Path(args.plan).absolute() if args.plan is not None else None
    return workspace_for(state_root(args.state), plan, args.shared)


def load_for_run(args: Namespace, *, finished: bool = False, quiet: bool = False) -> tuple[LoadedPlan, Workspace]:
    """Load the plan of an action on its run. A file broken since the run began gives way to the run's own plan.

    `finished` allows a run that is over, where it is only read. `quiet` says nothing of a broken file. Raise
    `PlanError`.
    """
    from switchover.app import load

    path = Path(args.plan)
    workspace, digest = workspace_of(args), getattr(args, "digest", "")
    try:
        return load(path, digest=digest), workspace
    except PlanError as error:
        loaded = load(path, workspace, finished=finished, digest=digest)
        if not quiet:
            diagnostics.say(f"{error.problems[0]}; the run goes by the plan it was started with")
        return loaded, workspace
