"""An engine that says what it is told, and a hub over fakes whose rhythm is quick."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

from tests.unit.health.health_fakes import FakeRunner, plan, scope_of

from switchover.clock import Clock, SystemClock
from switchover.health.probing import Evaluator
from switchover.hub import Hub
from switchover.locations import Workspace
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.variables import Scope
from switchover.services.inventory import Inventory
from switchover.services.processes.process_provider import ProcessProvider
from switchover.services.provider_api import Provider
from switchover.services.service_targets import make_target
from switchover.snapshot import Holder, MigrationView, Snapshot, TimelineRow

PATIENCE_S = 20.0


@dataclass
class FakeEngine:
    """The engine as the hub sees it."""

    loaded: LoadedPlan
    said: MigrationView = field(default_factory=MigrationView)
    rows: tuple[TimelineRow, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    held_by: Holder | None = None
    plan_edited: bool = False
    asked: int = 0

    def view(self) -> MigrationView:
        self.asked += 1
        return self.said

    def timeline(self) -> tuple[TimelineRow, ...]:
        return self.rows

    def scope(self) -> Scope:
        return scope_of(self.loaded, self.values)

    def holder(self) -> Holder | None:
        return self.held_by


@dataclass
class Stage:
    """A hub with all that stands behind it."""

    hub: Hub
    engine: FakeEngine
    runner: FakeRunner
    inventory: Inventory
    task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.hub.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def until(self, holds: Callable[[Snapshot], bool]) -> Snapshot:
        """Wait for a Snapshot for which `holds` is true."""
        snapshot = self.hub.snapshot
        async with asyncio.timeout(PATIENCE_S):
            while not holds(snapshot):
                snapshot = await self.hub.next_snapshot(snapshot.seq)
        return snapshot


def stage(
    text: str,
    directory: Path,
    *,
    runner: FakeRunner | None = None,
    view: MigrationView | None = None,
    providers: tuple[Provider, ...] | None = None,
    clock: Clock | None = None,
    read_only: bool = False,
    values: dict[str, str] | None = None,
    redact: Callable[[str], str] | None = None,
) -> Stage:
    loaded = plan(text, directory)
    clock = clock or SystemClock()
    engine = FakeEngine(loaded, view or MigrationView(), values=values or {})
    services = loaded.plan.services
    inventory = Inventory(
        services,
        providers if providers is not None else (ProcessProvider(directory, clock.monotonic),),
        lambda name: make_target(name, services[name], engine.scope()),
        clock,
    )
    runner = runner or FakeRunner()
    evaluator = Evaluator(loaded, engine.scope, runner, inventory, clock)
    workspace = Workspace(directory / "state", directory / "plan.yaml")
    workspace.directory.mkdir(parents=True, exist_ok=True)
    hub = Hub(loaded, workspace, cast("Any", engine), evaluator, clock, read_only, inventory=inventory, redact=redact)
    return Stage(hub, engine, runner, inventory)
