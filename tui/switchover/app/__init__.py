"""Builds everything that watches and acts, and hands each part what it needs. The only place that knows everybody."""

from switchover.app.bootstrap import build, build_evaluator, identify
from switchover.app.known_secrets import KnownSecrets
from switchover.app.plan_reading import id_in_file, load
from switchover.app.plan_runtime import PlanProbes, PlanRuntime, Runtime

__all__ = [
    "KnownSecrets",
    "PlanProbes",
    "PlanRuntime",
    "Runtime",
    "build",
    "build_evaluator",
    "id_in_file",
    "identify",
    "load",
]
