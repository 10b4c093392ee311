"""What a plan may build on: the numbers that a check with these keys will have, told without looking."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.load import load_plan_text
from switchover_checks.language.declared import declared
from switchover_checks.runtime.registry import KINDS, Registry

Probe = Callable[..., Any]
PLAN = """
schema: 1
id: p
title: A plan
checks: {{it: {check}}}
metrics: {{m: {{kind: check, check: it, metric: {metric}}}}}
phases: [{{id: a, gate: {{require: [it], prove: [p]}}}}]
promises: {{p: {{title: p, before: {{value: 1}}, after: {{value: it.{metric}}}, target: "after < before"}}}}
"""


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("command", {"command": "true"}),
        ("disk", {"path": "/", "warn": "1%:"}),
        ("file", {"path": "some"}),
        ("memory", {"warn": "1%:"}),
        ("process", {"pid_file": "pid"}),
        ("process", {"pid_file": "pid", "memory_warn": "1TiB"}),
        ("process", {"pid_file": "pid", "cpu_crit": "99999"}),
    ],
)
async def test_what_is_measured_is_what_was_told(tmp_path: Path, probe: Probe, kind: str, keys: dict[str, Any]) -> None:
    (tmp_path / "some").write_text("x")
    (tmp_path / "pid").write_text(str(os.getpid()))
    result = await probe(kind, **keys)
    assert sorted(metric.name for metric in result.metrics) == sorted(Registry().measures(kind, keys) or ()), result
    units = {metric.name: metric.unit for metric in Registry().declaration(kind).metrics or ()}
    assert {metric.name: metric.unit for metric in result.metrics} == {m.name: units[m.name] for m in result.metrics}


def test_every_kind_tells_or_says_that_it_cannot() -> None:
    untold = {kind for kind in declared(KINDS) if Registry().measures(kind, {}) is None}
    assert untold <= {"nagios", "sql_compare"}


@pytest.mark.parametrize(
    ("check", "metric", "hint"),
    [
        (
            "{kind: process, pattern: x, memory_warn: null}",
            "memory",
            "it measures that where memory_crit or memory_warn",
        ),
        ("{kind: process, pattern: x}", "memory", "it measures that where memory_crit or memory_warn is set"),
        ("{kind: process, pattern: x, memory_warn: 1GiB}", "cpu", "it measures that where cpu_crit or cpu_warn is set"),
        ("{kind: memory, warn: '10%:'}", "swap_free", "known: available, available_percent"),
        ("{kind: http, url: 'http://x/'}", "query_ms", "there is no metric of the check it 'query_ms'"),
    ],
)
def test_a_number_that_will_never_be_measured_is_an_error(tmp_path: Path, check: str, metric: str, hint: str) -> None:
    with pytest.raises(PlanError) as error:
        load_plan_text(PLAN.format(check=check, metric=metric), tmp_path / "plan.yaml")
    problems = [str(problem) for problem in error.value.problems]
    assert len(problems) == 2, problems
    assert all(hint in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("check", "metric"),
    [
        ("{kind: process, pattern: x, memory_warn: 1GiB}", "memory"),
        ("{kind: http, url: 'http://x/', metrics: {query_ms: body.query_ms}}", "query_ms"),
        ("{kind: nagios, command: check_x}", "anything"),
    ],
)
def test_a_number_that_will_be_measured_or_may_be_is_none(tmp_path: Path, check: str, metric: str) -> None:
    load_plan_text(PLAN.format(check=check, metric=metric), tmp_path / "plan.yaml")
