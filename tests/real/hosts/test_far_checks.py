"""A check on other machines: its command runs there, the worst machine counts, and its name is told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.far_host import FarHost

from switchover.clock import SystemClock
from switchover.errors import PlanError
from switchover.health.probing import CheckObservation, Evaluator
from switchover.hosts.far_look import look_there
from switchover.plan.loader.load import load_plan_text
from switchover.plan.variables import Scope
from switchover_checks.api import CommandOutput, Status
from switchover_checks.runtime.context import LocalContext
from switchover_checks.runtime.probe_ports import ProbePorts
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import Runner

PLAN = """
schema: 1
id: p
title: P
vars: {{name: {{default: far2}}}}
hosts: {{db: {{ssh: far}}, web: {{ssh: [far1, "{{{{ name }}}}", nowhere.invalid]}}, two: {{ssh: [far1, far2]}}}}
checks:
  c: {{kind: {kind}, command: '{command}', run_on: {on}, effect: read, every: 5s, timeout: 15s}}
"""


Look = Callable[..., Awaitable[CheckObservation]]


class NoServices:
    async def statuses(self, names: object) -> Mapping[str, Status]:
        return {}

    def detail(self, name: str) -> str:
        return name


@pytest.fixture
async def look(tmp_path: Path, far: FarHost) -> AsyncIterator[Look]:
    lines = far.lines()

    async def elsewhere(
        machine: str, argv: Sequence[str], env: Mapping[str, str], cwd: str, timeout_s: float
    ) -> CommandOutput:
        return await look_there(lines.to(machine), argv, env, cwd, timeout_s)

    async def probe(command: str, on: str, kind: str = "command") -> CheckObservation:
        text = PLAN.format(command=command, on=on, kind=kind)
        loaded = load_plan_text(text, tmp_path / "plan.yaml")
        scope = Scope.of(loaded.plan, tmp_path, "1")
        scope = replace(scope, values={"name": "far2"})
        ports = ProbePorts(elsewhere=elsewhere)
        runner = Runner(Registry(), lambda deadline: LocalContext(deadline, tmp_path, ports=ports))
        evaluator = Evaluator(loaded, lambda: scope, runner, NoServices(), SystemClock())
        return (await evaluator.evaluate(["c"]))["c"]

    yield probe
    await lines.aclose()


async def test_its_command_runs_there(look: Look, far: FarHost) -> None:
    seen = await look('test "$HOME" = ' + str(far.home), "db")
    assert seen.status is Status.OK, seen.result.summary
    assert seen.result.summary.startswith("db: exit code 0 in ")


async def test_of_a_group_the_worst_machine_counts_and_is_named(look: Look) -> None:
    started = time.monotonic()
    seen = await look("true", "web")
    assert seen.status is Status.UNKNOWN
    assert seen.result.summary.startswith("nowhere.invalid: cannot be reached: its name is not known")
    assert {finding.what for finding in seen.result.findings} >= {"far1 exit", "far2 exit"}
    assert time.monotonic() - started < 60
    assert (await look("true", "two")).result.summary == "2 machines as expected"


async def test_a_plugin_runs_there_as_well(look: Look) -> None:
    seen = await look('echo "DISK WARNING"; exit 1', "two", "nagios")
    assert seen.status is Status.WARN
    assert "far1: " in seen.result.summary
    assert "far2: " in seen.result.summary


def test_a_kind_that_runs_no_command_of_its_own_is_refused(tmp_path: Path) -> None:
    text = PLAN.format(command="x", on="db", kind="disk").replace("command: 'x', ", "path: /, warn: '80%', ")
    with pytest.raises(PlanError, match="only a command runs on another machine"):
        load_plan_text(text.replace("effect: read, ", ""), tmp_path / "plan.yaml")
