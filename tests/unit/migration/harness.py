"""What the engine's tests share: a clock set by hand, checks that say what they are told, an engine over both."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from switchover.clock import Clock, SystemClock
from switchover.hosts.host_lines import HostLines
from switchover.locations import workspace_for
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.journal_store import JournalStore
from switchover.migration.reports.verification import first_broken
from switchover.migration.run.engine import Engine
from switchover.migration.run.store.tools import Tools
from switchover.migration.steps.spawn import Launcher, ShimRequest, ShimWatch
from switchover.plan.loader.load import load_plan_text
from switchover.settings import JournalAddress
from switchover_checks.api import Metric, Result, Status

# Where the engines of a test write their journals: a file each, unless a test of the shared journal says otherwise.
SHARED: list[Callable[[Path], JournalAddress]] = []
ANA = Operator("ana", "bastion", "pts/1", 1001, "bastion", "ana")
BEN = Operator("ben", "bastion", "pts/2", 1002, "bastion", "ben")
OPENED: list[Bench] = []  # closed after each test, whatever became of it


@dataclass
class HandClock:
    """A clock that only moves when told; the wall clock can be set back, the monotonic one cannot."""

    wall: float = 1_800_000_000.0
    mono: float = 1000.0
    boot: str = "boot-1"
    stands: bool = False
    """Whether it is waited for ever, so that a wait does not race with what else goes on."""

    def monotonic(self) -> float:
        return self.mono

    def now(self) -> float:
        return self.wall

    def boot_id(self) -> str:
        return self.boot

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.mono += seconds

    async def wait(self, seconds: float) -> None:
        if self.stands:
            await asyncio.Event().wait()
        self.advance(seconds)
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Reading:
    status: Status
    result: Result
    observed_at: float
    duration_s: float = 0.0


@dataclass
class Checks:
    """Answers with the status that was set for a check; a list is used up one look after the other, the last stays."""

    clock: Clock
    statuses: dict[str, list[Status]] = field(default_factory=dict)
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    age: float = 0.0
    looks: int = 0

    def set(self, name: str, *statuses: Status) -> None:
        self.statuses[name] = list(statuses)

    async def evaluate(self, names: Sequence[str]) -> Mapping[str, Reading]:
        self.looks += 1
        return {name: self._read(name) for name in names if name in self.statuses}

    def _read(self, name: str) -> Reading:
        left = self.statuses[name]
        status = left.pop(0) if len(left) > 1 else left[0]
        metrics = tuple(Metric(key, value) for key, value in self.metrics.get(name, {}).items())
        return Reading(
            status, Result(status, f"{name} is {status.label}", metrics=metrics), self.clock.now() - self.age
        )


@dataclass
class Secrets:
    values: dict[str, str] = field(default_factory=dict)
    fetched: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        self.fetched[name] = self.values[name]
        return self.values[name]


class DyingLauncher(Launcher):
    """Has the shim or the launcher kill itself at a point, once for each unit named in `die_at`."""

    def __init__(self, die_at: str = "") -> None:
        super().__init__()
        self.die_at = die_at

    async def start(self, request: ShimRequest) -> ShimWatch:
        from dataclasses import replace

        point, self.die_at = self.die_at, ""
        return await super().start(replace(request, die_at=point))


@dataclass
class Bench:
    """An engine with everything around it in the test's hands."""

    directory: Path
    engine: Engine
    checks: Checks
    secrets: Secrets

    @property
    def log(self) -> list[str]:
        """What the steps wrote down, line by line."""
        path = self.directory / "log"
        return path.read_text().split() if path.exists() else []

    def stage(self, unit: str) -> str:
        return self.engine.state.unit(unit).stage.value


def plan_file(directory: Path, text: str) -> Path:
    path = directory / "plan.yaml"
    path.write_text("schema: 1\nid: p\ntitle: A plan\n" + textwrap.dedent(text))
    return path


def open_bench(
    directory: Path,
    text: str | None = None,
    *,
    clock: Clock | None = None,
    checks: Checks | None = None,
    secrets: Secrets | None = None,
    die_at: str = "",
    read_only: bool = False,
    grace_s: float = 5.0,
    shared: JournalAddress | None = None,
    registry: Path | None = None,
    hosts: HostLines | None = None,
) -> Bench:
    """Open an engine on the plan in `directory`, written there first where `text` is given."""
    path = plan_file(directory, text) if text is not None else directory / "plan.yaml"
    clock = clock or SystemClock()
    checks = checks or Checks(clock)
    secrets = secrets or Secrets()
    wait = clock.wait if isinstance(clock, HandClock) else asyncio.sleep
    tools = Tools(clock, checks, secrets, DyingLauncher(die_at), wait, grace_s=grace_s)
    if hosts is not None:
        tools = replace(tools, hosts=hosts)
    loaded = load_plan_text(path.read_text(), path)
    workspace = workspace_for(directory / "state", path, shared or (SHARED[-1](directory) if SHARED else None))
    engine = Engine.open(
        loaded,
        replace(workspace, registry=registry) if registry is not None else workspace,
        checks,
        clock,
        read_only=read_only,
        secrets=secrets,
        tools=tools,
    )
    bench = Bench(directory, engine, checks, secrets)
    OPENED.append(bench)
    return bench


def first_damage(journal: JournalStore) -> int | None:
    """Return the first record that is not what was written, None if all are."""
    fault = first_broken(journal.raw_records())
    return fault.seq if fault else None
