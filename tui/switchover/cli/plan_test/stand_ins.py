"""What stands in for the world in a case: clock, checks, secrets, and what would run the steps."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from switchover.cli.plan_test.plan_cases import GivenCheck, GivenStep
from switchover.migration.steps.sealing import seal
from switchover.migration.steps.spawn import ShimRequest, ShimWatch
from switchover.plan.members.member_names import base_name
from switchover.plan.model import Plan
from switchover.plan.templates import put_out_by
from switchover_checks.api import Metric, Result, Status

__all__ = ["CaseChecks", "CaseClock", "CaseLauncher", "CaseReading", "CaseSecrets", "sample_of"]

_BEGINS = 1_800_000_000.0
_SAMPLES = {
    "int": "1",
    "float": "1.5",
    "bool": "true",
    "ip": "192.0.2.1",
    "path": "/srv/case",
    "port": "8080",
    "url": "https://example.org",
}
_NO_PID = (1 << 22) + 1  # beyond all that a kernel gives, so that no process is taken for it


@dataclass
class CaseClock:
    """A clock that goes on only where something takes time or is waited for."""

    passed: float = 0.0

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return 1000.0 + self.passed

    def now(self) -> float:
        """Return the time of day of the case."""
        return _BEGINS + self.passed

    def boot_id(self) -> str:
        """Return that of the one machine of the case."""
        return "case"

    async def wait(self, seconds: float) -> None:
        """Let the time pass."""
        self.passed += seconds
        await asyncio.sleep(0)


@dataclass(frozen=True)
class CaseReading:
    """What a check says at one look."""

    status: Status
    result: Result
    observed_at: float
    duration_s: float = 0.0


@dataclass
class CaseChecks:
    """Answers as the case says. What it does not name is OK, with metrics that keep the promises."""

    clock: CaseClock
    given: Mapping[str, GivenCheck]
    metrics: Mapping[str, Mapping[str, float]]
    looks: dict[str, int] = field(default_factory=dict)

    async def evaluate(self, names: Sequence[str]) -> Mapping[str, CaseReading]:
        """Return a reading of each."""
        return {name: self._read(name) for name in names}

    def _read(self, name: str) -> CaseReading:
        given = self.given.get(name) or self.given.get(name.partition("[")[0]) or GivenCheck()
        number = self.looks[name] = self.looks.get(name, -1) + 1
        status = Status[given.status[min(number, len(given.status) - 1)]] if given.status else Status.OK
        values = {**self.metrics.get(name, {}), **given.metrics}
        metrics = tuple(Metric(key, value) for key, value in values.items())
        summary = given.observed or f"{name} is {status.label}, as the case says"
        return CaseReading(status, Result(status, summary, metrics=metrics), self.clock.now())


@dataclass
class CaseSecrets:
    """Gives every secret a value that is none."""

    fetched: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """Return a value for a secret."""
        self.fetched[name] = f"no-secret-{name}"
        return self.fetched[name]


class CaseLauncher:
    """Runs nothing: it writes the records that a shim would, as the case says that the step ended."""

    def __init__(self, clock: CaseClock, given: Mapping[str, GivenStep], plan: Plan) -> None:
        self.commands: list[str] = []
        self.names: dict[str, str] = {}
        """What a case calls the actions of a rollback: `undo.STEP`, or `ROLLBACK.NUMBER`."""
        self._clock = clock
        self._given = given
        self._types: dict[str, str] = {
            f"{step.id}.{name}": output.type for step in plan.all_steps for name, output in step.captures.items()
        }
        for variable in plan.vars.values():  # a variable that is wholly an output says what kind of value it is
            if isinstance(variable.default, str) and (source := put_out_by(variable.default.strip("{} "))) is not None:
                self._types[".".join(source)] = variable.type

    async def start(self, request: ShimRequest) -> ShimWatch:
        """Note what would run, and say how it ended."""
        self.commands.append(" ".join(request.argv))
        unit = request.sealed_about.split("/", 1)[1].removesuffix("/")
        name = self.names.get(unit, unit)
        given = self._given.get(name) or self._given.get(base_name(name)) or GivenStep()
        ending = {"unknown": "exited", "timeout": "timeout"}.get(given.result, "exited")
        takes = request.timeout_s if given.result == "timeout" else min(given.takes, request.timeout_s)
        self._clock.passed += takes
        own = {"journal": request.journal, "started": request.started}
        folder = Path(request.directory)
        if given.result == "unknown":
            (folder / "started.json").write_text(json.dumps({**own, "pid": _NO_PID, "pid_start": 0, "boot_id": "case"}))
        else:
            record = {
                **own,
                "ending": ending,
                "exit_code": {"ok": 0, "fail": 1}.get(given.result),
                "duration_s": takes,
                "outputs": self._captured(request, given, unit),
            }
            (folder / "exit.json").write_text(json.dumps(record))
        return ShimWatch(_over(), _over())

    def close(self) -> None:
        """Let go of nothing."""

    def _captured(self, request: ShimRequest, given: GivenStep, unit: str) -> dict[str, str]:
        if not request.seal_key:
            return {}
        key, about = bytes.fromhex(request.seal_key), request.sealed_about
        values = {
            name: str(given.outputs.get(name, sample_of(self._types.get(f"{unit}.{name}", ""), f"{name}-of-the-case")))
            for name in request.captures
        }
        return {name: seal(key, value, about + name) for name, value in values.items()}


def sample_of(type_: str, other: str = "case") -> str:
    """Return a value of a type, for what the case does not say."""
    return _SAMPLES.get(type_, other)


def _over() -> int:
    """Return a descriptor that is readable at once, as that of what has ended."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.close(writing)
    return reading
