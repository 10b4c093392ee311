"""Other machines in a plan: named, whole, and nothing that ssh would take for an option."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.load import load_plan_text

PLAN = """
schema: 1
id: p
title: P
vars: {{ip: {{default: 10.0.0.1}}}}
hosts:
  db1: {{ssh: {db}}}
  web: {{ssh: [web1, web2]}}
phases:
  - id: a
    steps:
      - {{id: s, {step}}}
"""


def _problems(tmp_path: Path, db: str = "ops@db1", step: str = "run: id, run_on: db1, effect: read") -> str:
    try:
        load_plan_text(PLAN.format(db=db, step=step), tmp_path / "plan.yaml")
    except PlanError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("db", ["db1", "ops@db1", '"ops@{{ ip }}"', '"ssh://ops@db1:2222"', '"[fe80::1%eth0]"'])
def test_a_host_is_what_ssh_calls_it(tmp_path: Path, db: str) -> None:
    assert _problems(tmp_path, db) == ""


@pytest.mark.parametrize("db", ['"-oProxyCommand=id"', '"db1 id"', '""', '"db1\\n"', "'-l root'"])
def test_an_option_or_a_command_is_no_host(tmp_path: Path, db: str) -> None:
    assert "is no name that ssh can be given" in _problems(tmp_path, db)


def test_a_group_names_each_machine_once_and_at_least_one(tmp_path: Path) -> None:
    assert "'a' is listed twice" in _problems(tmp_path, "[a, a]")
    assert "an empty list" in _problems(tmp_path, "[]")


def test_a_host_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    said = _problems(tmp_path, step="run: id, run_on: bd1, effect: read")
    assert "there is no host in `hosts` 'bd1'; did you mean 'db1'?" in said


def test_only_a_command_runs_elsewhere(tmp_path: Path) -> None:
    assert "only a command runs" in _problems(tmp_path, step="manual: [look], run_on: db1")


def test_a_template_of_a_host_names_what_is_there(tmp_path: Path) -> None:
    assert "names no variable" in _problems(tmp_path, '"ops@{{ pi }}"')
