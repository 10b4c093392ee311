"""A source of services that does what a test tells it, and a hub over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

from tests.unit.hub.hub_fakes import PATIENCE_S

from switchover.clock import Clock, SystemClock
from switchover.errors import RefusedError
from switchover.hub import Hub
from switchover.locations import Workspace, ensure_private_dir
from switchover.migration.facts.operator import Operator
from switchover.services.inventory import Inventory
from switchover.services.provider_api import (
    Capability,
    Found,
    LogSource,
    LogSpan,
    Observation,
    ProcessState,
    Provider,
    ServiceEvent,
    ServiceTarget,
)
from switchover.snapshot import Problem, ServiceRow, Snapshot
from switchover_checks.api import Status

ANA = Operator("ana", "bastion", "pts/1", 1000)
BEN = Operator("ben", "bastion", "pts/2", 1000)
CAN = frozenset({Capability.STOP, Capability.RESTART, Capability.KILL, Capability.SCALE})
UP = Observation(ProcessState.RUNNING, Status.OK, pid=7, identity="one", can=CAN)
DOWN = Observation(ProcessState.STOPPED, Status.CRIT, "exit 137", identity="one", can=frozenset({Capability.START}))


class FakeSource:
    """Tells, lists, acts, and counts. `hang` keeps looks from ending, `act_hangs` what is done."""

    kind: ClassVar[str] = "docker"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, *names: str, **options: Observation) -> None:
        self.things: dict[str, Observation] = {**dict.fromkeys(names, UP), **options}
        self.groups: dict[str, str] = {}
        self.needs: dict[str, tuple[str, ...]] = {}
        self.note_viewer: list[tuple[str, ...]] = []
        self.listings = 0
        self.watches = 0
        self.done: list[tuple[str, str, str, str]] = []
        self.why_off = ""
        self.fails = ""
        self.hang: asyncio.Event | None = None
        self.act_hangs: asyncio.Event | None = None
        self.watching = asyncio.Event()
        self._tell: Callable[[ServiceEvent], None] | None = None
        self._broken = asyncio.Event()

    def off(self) -> str:
        return self.why_off

    async def aclose(self) -> None:
        return

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        self.note_viewer.append(tuple(target.ref for target in targets))
        if self.hang is not None:
            await self.hang.wait()
        gone = Observation(ProcessState.STOPPED, Status.CRIT, "no such container")
        return {target.name: self.things.get(target.ref, gone) for target in targets}

    async def discover(self) -> Sequence[Found]:
        self.listings += 1
        if self.hang is not None:
            await self.hang.wait()
        return [
            Found(
                ServiceTarget(f"{self.kind}:{ref}", self.kind, ref=ref, container=ref),
                seen,
                ref,
                self.groups.get(ref, ""),
                self.needs.get(ref, ()),
            )
            for ref, seen in self.things.items()
        ]

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        self.watches += 1
        self._tell, self._broken = tell, asyncio.Event()
        tell(ServiceEvent(self.kind, "", listing=True))
        self.watching.set()
        await self._broken.wait()
        self.watching.clear()
        raise ConnectionError("the daemon went away")

    def tell(self, ref: str, what: str = "note", seen: Observation | None = None, **more: object) -> None:
        assert self._tell is not None
        self._tell(replace(ServiceEvent(self.kind, ref, what, observation=seen), **more))  # type: ignore[arg-type]

    def break_watch(self) -> None:
        self._broken.set()

    async def act(self, target: ServiceTarget, action: Capability, argument: str = "") -> str:
        self.done.append((target.ref, action.value, argument, target.identity))
        if self.act_hangs is not None:
            await self.act_hangs.wait()
        if self.fails:
            raise RefusedError(self.fails)
        if action in (Capability.STOP, Capability.KILL):
            self.things[target.ref] = DOWN
        return f"{action.value} done"

    def command_line(self, target: ServiceTarget, action: Capability, argument: str = "") -> tuple[str, ...]:
        return ("docker", action.value, *([argument] if argument else []), target.ref)

    async def log_source(self, target: ServiceTarget, span: LogSpan) -> LogSource | str:
        return LogSource(target.name, "docker", ref=target.ref)

    def shell(self, target: ServiceTarget) -> tuple[str, ...] | str:
        return ("docker", "exec", "-it", target.ref, "sh")


class Host:
    """A hub without a plan over fake sources, with somebody who looks."""

    def __init__(
        self,
        directory: Path,
        *sources: Provider,
        clock: Clock | None = None,
        read_only: bool = False,
        redact: Callable[[str], str] | None = None,
    ) -> None:
        clock = clock or SystemClock()
        inventory = Inventory({}, sources, lambda name: f"there is no {name}", clock)
        self.workspace = Workspace(directory / "state", None)
        ensure_private_dir(self.workspace.directory)
        self.hub = Hub(None, self.workspace, None, None, clock, read_only, inventory=inventory, redact=redact)
        self.hub.note_viewer(self)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.hub.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.hub.operations.aclose()

    async def until(self, holds: Callable[[Snapshot], bool]) -> Snapshot:
        """Wait for a Snapshot for which `holds` is true."""
        snapshot = self.hub.snapshot
        async with asyncio.timeout(PATIENCE_S):
            while not holds(snapshot):
                snapshot = await self.hub.next_snapshot(snapshot.seq)
        return snapshot

    async def row(self, name: str, state: str = "running") -> ServiceRow:
        """Wait until a thing is seen in a state, and return its row."""
        snapshot = await self.until(lambda s: any(r.id == name and r.state == state for r in s.found))
        return next(row for row in snapshot.found if row.id == name)


def of_services(snapshot: Snapshot) -> list[Problem]:
    """Return what is wrong with services, whatever else this machine suffers from while tests run."""
    return [problem for problem in snapshot.problems if problem.service]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds that nobody tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.005)
