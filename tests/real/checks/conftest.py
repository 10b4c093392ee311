"""A runner over a folder of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from switchover_checks.api import Result
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.probe_slots import ProbeLimits
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import Outcome, ProbeSpec, Runner

Run = Callable[..., Awaitable[Result]]

SIDES = {"after": {"db": "sqlite:after.db", "password": "t0p-secret"}}


@pytest.fixture
async def make_runner(tmp_path: Path) -> AsyncIterator[Callable[..., Runner]]:
    """Return a function that makes a runner, with the given local modules."""
    runners: list[Runner] = []

    def make(*local: Path, concurrency: int = 50) -> Runner:
        resources = Resources()
        secrets = {"pg": "t0p-secret"}.__getitem__

        def context(deadline: float) -> LocalContext:
            return LocalContext(deadline, tmp_path, sides=SIDES, secrets=secrets, resources=resources)

        runner = Runner(Registry(local), context, waiting=ProbeLimits(concurrency), working=ProbeLimits(concurrency))
        runner.on_close(resources.aclose)
        runners.append(runner)
        return runner

    yield make
    for runner in runners:
        await runner.aclose()


@pytest.fixture
def run(make_runner: Callable[..., Runner]) -> Run:
    """Return a function that runs one check of a built-in kind and gives its result."""
    runner = make_runner()

    async def once(kind: str, timeout_s: float = 10.0, **config: object) -> Result:
        outcome: Outcome = await runner.run(ProbeSpec(kind, kind, config, timeout_s))
        return outcome.result

    return once
