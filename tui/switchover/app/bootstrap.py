"""Builds everything that watches and acts, and hands each part what it needs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path

from switchover import __version__
from switchover.agent.process.logind import read_logind
from switchover.agent.server.server import Identity
from switchover.app.check_ports import check_memory
from switchover.app.current_plan import CurrentPlan
from switchover.app.known_secrets import KnownSecrets
from switchover.app.plan_runtime import PlanRuntimeBuilder, providers_of
from switchover.app.workspace_runtime import WorkspaceRuntime
from switchover.applications.applications import Applications
from switchover.clock import Clock, SystemClock
from switchover.clouds.cloud_calls import CloudCalls
from switchover.errors import PlanError
from switchover.hub import FollowingHub, Hub
from switchover.hub.history.operations import Operations
from switchover.locations import Workspace, ensure_private_dir
from switchover.plan.loader.load import LoadedPlan, load_plan
from switchover.plan.loader.whole_text import read_whole
from switchover.services.inventory import Inventory
from switchover_checks.runtime.threads import never_queue

__all__ = ["build", "build_evaluator", "identify"]


def build(
    loaded: LoadedPlan | None,
    workspace: Workspace,
    *,
    read_only: bool = False,
    clock: Clock | None = None,
    secret_words: KnownSecrets | None = None,
    even_refused: bool = False,
) -> WorkspaceRuntime:
    """Build all of it for one workspace, in the running loop. Raise `StateError` where the state cannot be used.

    With `even_refused` a journal that cannot be used keeps nothing else from going on.
    """
    never_queue(asyncio.get_running_loop())
    clock = clock or SystemClock()
    words = secret_words or KnownSecrets()
    ensure_private_dir(workspace.directory)
    operations = Operations(workspace.operations, clock, words.display, read_only=read_only)
    applications = Applications(clock)
    if loaded is None:
        everything = Inventory({}, providers_of(Path("/"), clock), lambda name: f"there is no {name}", clock)
        hub_alone = Hub(
            None, workspace, None, None, clock, read_only,
            inventory=everything, redact=words.display, operations=operations,
        )  # fmt: skip
        return WorkspaceRuntime(workspace, clock, words, FollowingHub(lambda: hub_alone), applications)
    builder = _builder(workspace, clock, words, writes=not read_only, only_read=read_only, planned_only=False)
    current = CurrentPlan(loaded, builder, {})
    words.follow(current.known_secrets)
    current.open(read_only=read_only, even_refused=even_refused)

    def make() -> Hub:
        return Hub(
            current.loaded,
            workspace,
            current.engine,
            current.evaluator,
            clock,
            read_only,
            inventory=current.inventory,
            redact=words.display,
            operations=operations,
            applications=applications,
        )

    hub = FollowingHub(make, current.retire)
    current.replaced.append(hub.replace)
    current.listeners.append(hub.engine_changed)
    return WorkspaceRuntime(workspace, clock, words, hub, applications, current)


def build_evaluator(
    loaded: LoadedPlan,
    workspace: Workspace,
    variables: Mapping[str, str] | None = None,
    *,
    clock: Clock | None = None,
    secret_words: KnownSecrets | None = None,
    only_read: bool = False,
) -> CurrentPlan:
    """Build what looks at checks and services, in the running loop, and nothing that acts. Nothing is written anywhere.

    `variables` are used where no run has given them a value. Raise `UsageError` for one that the plan does not have.
    With `only_read`, checks that change something when they look are left out.
    """
    never_queue(asyncio.get_running_loop())
    words = secret_words or KnownSecrets()
    clock = clock or SystemClock()
    builder = _builder(workspace, clock, words, writes=False, only_read=only_read, planned_only=True)
    current = CurrentPlan(loaded, builder, variables or {})
    words.follow(current.known_secrets)
    current.open(read_only=True, even_refused=False)
    return current


def _builder(
    workspace: Workspace, clock: Clock, words: KnownSecrets, *, writes: bool, only_read: bool, planned_only: bool
) -> PlanRuntimeBuilder:
    memory = check_memory(workspace, writes=writes)
    return PlanRuntimeBuilder(workspace, clock, words, memory, CloudCalls(), only_read, planned_only)


def identify(parts: WorkspaceRuntime, *, read_only: bool, since: float) -> Identity:
    """Return what an agent made of these parts says about itself."""
    loaded = parts.loaded
    return Identity(
        version=__version__,
        workspace=str(parts.workspace.directory),
        plan=str(parts.workspace.plan or ""),
        plan_digest=loaded.content.plan if loaded is not None else "",
        modules=loaded.code.files if loaded is not None else {},
        parts=loaded.content.parts if loaded is not None else {},
        read_only=read_only,
        since=since,
        warning="; ".join(filter(None, (_broken_file(parts), read_logind().warning))),
    )


def _broken_file(parts: WorkspaceRuntime) -> str:
    path, loaded = parts.workspace.plan, parts.loaded
    if path is None:
        return ""
    try:
        whole, _ = read_whole(path)
        if loaded is None or hashlib.sha256(whole.encode()).hexdigest() != loaded.digest:  # else it was judged already
            load_plan(path)
    except PlanError:
        return "the plan file has errors now; the run goes on with the plan that it was started with"
    return ""
