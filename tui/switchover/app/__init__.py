"""Builds everything that watches and acts, and hands each part what it needs. The only place that knows everybody."""

from switchover.app.bootstrap import build, build_evaluator, identify
from switchover.app.current_plan import CurrentPlan
from switchover.app.known_secrets import KnownSecrets
from switchover.app.plan_reading import id_in_file, load
from switchover.app.plan_runtime import PlanRuntime
from switchover.app.workspace_runtime import WorkspaceRuntime

__all__ = [
    "CurrentPlan",
    "KnownSecrets",
    "PlanRuntime",
    "WorkspaceRuntime",
    "build",
    "build_evaluator",
    "id_in_file",
    "identify",
    "load",
]
