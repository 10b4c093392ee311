"""A clock that stands still, a plan from text, and a runner that answers as it is told."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from ruamel.yaml import YAML

from switchover.clock import SystemClock
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.model import Plan
from switchover.plan.variables import Scope
from switchover_checks.api import Finding, Result, Status
from switchover_checks.runtime.runner import Outcome, ProbeSpec

HEAD = "schema: 1\nid: shop\ntitle: The shop\n"


class StillClock(SystemClock):
    """Time that moves only when told to."""

    def __init__(self, now: float = 1_800_000_000.0, mono: float = 1000.0) -> None:
        self.at = now
        self.mono = mono

    def monotonic(self) -> float:
        return self.mono

    def now(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds
        self.mono += seconds


def plan(text: str, directory: Path = Path("/nowhere")) -> LoadedPlan:
    """Make a plan without judging it: what is watched need not make a whole migration."""
    data = YAML(typ="safe").load(HEAD + text)
    return LoadedPlan(Plan.model_validate(data), directory / "plan.yaml", directory, HEAD + text, "digest")


def scope_of(loaded: LoadedPlan, values: Mapping[str, str] | None = None) -> Scope:
    return Scope.of(loaded.plan, loaded.directory, values=values)


def result(status: Status, summary: str = "") -> Result:
    finding = Finding("thing", "fine", "fine" if status is Status.OK else "broken", status)
    return Result(status, summary or f"it is {status.label}", (finding,))


class FakeRunner:
    """Answers OK unless `answers` says otherwise; with `held` set, a probe waits for `release`."""

    def __init__(self, answers: Mapping[str, Status | Result] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[ProbeSpec] = []
        self.at_once: Counter[str] = Counter()
        self.most_at_once = 0
        self.release = asyncio.Event()
        self.held = False
        self.begun = asyncio.Event()
        self.now: Callable[[], float] = time.time

    async def run(self, spec: ProbeSpec) -> Outcome:
        self.asked.append(spec)
        self.at_once[spec.name] += 1
        self.most_at_once = max(self.most_at_once, self.at_once[spec.name])
        self.begun.set()
        if self.held:
            await self.release.wait()
        await asyncio.sleep(0)
        self.at_once[spec.name] -= 1
        answer = self.answers.get(spec.name, Status.OK)
        return Outcome(answer if isinstance(answer, Result) else result(answer), self.now() - 0.25, 0.25)


class FakeServices:
    """Says what it is told about services."""

    def __init__(self, **healths: Status) -> None:
        self.healths = healths
        self.asked: list[frozenset[str]] = []

    async def statuses(self, names: Collection[str]) -> Mapping[str, Status]:
        self.asked.append(frozenset(names))
        return {name: self.healths[name] for name in names}

    def detail(self, name: str) -> str:
        return f"{name} is {self.healths[name].label}"
