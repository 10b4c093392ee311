"""What hangs costs only itself: 500 checks that hang beside 20 that answer, in virtual time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.quiet_hub import QuietHub
from tests.support.virtual_time import VirtualClock, run_virtually
from tests.unit.health.health_fakes import plan, scope_of

from switchover.health.probing import CheckObservation, Evaluator
from switchover.hub.core.watcher import PlanWatcher
from switchover.hub.services.service_watch import ServiceWatch
from switchover.metrics.sampler import Sampler
from switchover.plan.kind_calls import KindCalls
from switchover.services.inventory import Inventory
from switchover_checks.api import Check, Context, Effect, Finding, Result, Status
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.probe_slots import ProbeLimits
from switchover_checks.runtime.registry import KindInfo, Registry
from switchover_checks.runtime.runner import WAITING, Runner

HANGING, HEALTHY = 500, 20
SECONDS = 60.0


class Answers:
    """A kind that answers at once, or never, as its host says; what hangs does so from `since` on."""

    kind: ClassVar[str] = "tcp"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = dict

    def __init__(self, since: float = 0.0, *, runs_a_process: bool = False) -> None:
        self.since = since
        self.runs_a_process = runs_a_process

    async def probe(self, cfg: Mapping[str, Any], ctx: Context) -> Result:
        loop = asyncio.get_running_loop()
        if cfg["host"].startswith("hangs") and loop.time() >= self.since:
            await loop.create_future()
        await asyncio.sleep(0.02)
        return Result(Status.OK, "here", (Finding("answer", "here", "here", Status.OK),))


class OneKind(Registry):
    def __init__(self, check: Answers) -> None:
        super().__init__()
        self._check = check

    def info(self, kind: str) -> KindInfo:
        return KindInfo(kind, "builtin", "", isolated=False)

    def load(self, kind: str) -> Check[Any]:
        del kind
        return self._check


class AsIs(Runner):
    """A runner whose configurations are left as they are."""

    def _config(self, kind: str, config: type, mapping: Mapping[str, Any]) -> Any:
        del kind, config
        return mapping


def text(targets: int, attempts: int, every: str) -> str:
    lines = ["checks:"]
    common = f"every: {every}, timeout: 8s, attempts: {attempts}"
    lines += [f"  h{n}: {{kind: tcp, host: hangs{n % targets}, port: 1, {common}}}" for n in range(HANGING)]
    lines += [f"  ok{n}: {{kind: tcp, host: fine, port: 1, {common}}}" for n in range(HEALTHY)]
    return "\n".join(lines) + "\n"


async def watched(
    check: Answers, directory: Path, targets: int, attempts: int, limits: ProbeLimits, every: str
) -> dict[str, list[float]]:
    """Watch for a while; return when each check was looked at."""
    clock, loop = VirtualClock(), asyncio.get_running_loop()
    loaded = plan(text(targets, attempts, every), directory)
    resources = Resources()
    runner = AsIs(
        OneKind(check),
        lambda deadline: LocalContext(deadline, directory, resources=resources),
        waiting=limits,
        working=ProbeLimits(1000, reserve=250, beginning=32),
        monotonic=loop.time,
    )
    inventory = Inventory({}, (), lambda name: name, clock)
    evaluator = Evaluator(loaded, lambda: scope_of(loaded), runner, inventory, clock)
    seen: dict[str, list[float]] = defaultdict(list)

    def note(reading: CheckObservation) -> None:
        if reading.status is Status.OK or reading.name.startswith("h"):
            seen[reading.name].append(loop.time())

    evaluator.subscribe(note)
    services = ServiceWatch(inventory, clock, QuietHub())
    sampler = Sampler({}, KindCalls(), clock)
    sampler.tracks.clear()  # the host's own numbers come in real time
    watcher = PlanWatcher(evaluator, services, sampler, clock, QuietHub())
    task = asyncio.create_task(watcher.run())
    await asyncio.sleep(SECONDS)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return seen


def longest_gap(times: list[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(times))


def assert_rhythm(seen: Mapping[str, list[float]], every: float, *, first_within: float) -> None:
    healthy = {name: times for name, times in seen.items() if name.startswith("ok")}
    assert len(healthy) == HEALTHY, "each healthy one was found healthy"
    for name, times in healthy.items():
        assert times[0] - 1000.0 <= first_within, name
        assert longest_gap(times) <= 1.5 * every, name
    assert len([name for name in seen if name.startswith("h")]) == HANGING, "those that hang are looked at too"


@pytest.mark.parametrize(
    ("targets", "attempts", "since"), [(HANGING, 1, 0.0), (1, 3, 0.0), (1, 1, 1010.0), (HANGING, 3, 1010.0)]
)
def test_beside_500_that_hang_the_healthy_keep_their_rhythm(
    tmp_path: Path, targets: int, attempts: int, since: float
) -> None:
    seen = run_virtually(watched(Answers(since), tmp_path, targets, attempts, WAITING, "1s"))
    assert_rhythm(seen, 1.0, first_within=2.1)


@pytest.mark.parametrize("targets", [1, HANGING])
def test_they_keep_it_also_where_fewer_may_wait_than_hang(tmp_path: Path, targets: int) -> None:
    limits = ProbeLimits(200, reserve=40, to_one_target=100)
    seen = run_virtually(watched(Answers(), tmp_path, targets, 1, limits, "1s"))
    assert_rhythm(seen, 1.0, first_within=35.0)


@pytest.mark.parametrize("since", [0.0, 1030.0], ids=["from the start", "all at once"])
def test_they_keep_it_among_commands_of_which_few_may_begin_at_once(tmp_path: Path, since: float) -> None:
    check = Answers(since, runs_a_process=True)
    seen = run_virtually(watched(check, tmp_path, HANGING, 1, WAITING, "15s"))
    assert_rhythm(seen, 15.0, first_within=35.0)
