"""What the engine works with."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from switchover.clock import Clock
from switchover.hosts.host_lines import HostLines
from switchover.migration.engine_ports import CheckEvaluator, Secrets, Wait
from switchover.migration.steps.far_parts import FAR_PARTS
from switchover.migration.steps.spawn import Launcher, ShimStarter
from switchover.plan.loader.load import LoadedPlan

__all__ = ["Tools"]


def _nothing(*_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Tools:
    """What the engine works with; tests put their own in."""

    clock: Clock
    evaluator: CheckEvaluator
    secrets: Secrets
    launcher: ShimStarter = field(default_factory=Launcher)
    wait: Wait = asyncio.sleep
    on_change: Callable[[], None] = _nothing
    on_plan: Callable[[LoadedPlan], None] = _nothing  # called when another plan is in force from here on
    barrier: Callable[[str], None] = _nothing  # called before and after each durable write
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    grace_s: float = 10.0
    hosts: HostLines = field(default_factory=lambda: HostLines(FAR_PARTS))
