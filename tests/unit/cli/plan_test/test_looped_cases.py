"""Cases of a plan with loops and with checks that are looked at only when a gate asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.plan_test.test_walks import give, walk

PLAN = """schema: 1
id: t
title: T
checks:
  gone: {each: {r: [rds, redis]}, kind: tcp, host: localhost, port: 1}
  rows: {kind: tcp, host: localhost, port: 1, every: gate}
phases:
  - id: copy
    steps:
      - {id: move, each: {r: [rds, redis]}, argv: [./move.sh, "{{ each.r }}"], effect: changes, rollback: not_needed}
    gate: {require: [rows]}
  - id: clean
    steps: [{id: tell, run: ./tell.sh, effect: read}]
    gate: {require: [gone]}
"""
CASES = """cases:
  the whole way: {expect: {run: done, started: [move, "move[rds]"]}}
  one member is enough: {given: {checks: {gone: CRIT}}, expect: {run: waiting, at: clean.gate}}
  none is copied:
    given: {steps: {move: fail}}
    expect: {run: stopped, at: "move[rds]", not_started: [tell, "move[redis]"]}
  rows differ: {given: {checks: {rows: CRIT}}, expect: {run: waiting, at: copy.gate, started: [move]}}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def test_a_looped_name_means_all_its_members(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    give(plan, CASES)
    assert walk(plan) == 0, capsys.readouterr()
    assert capsys.readouterr().out.splitlines()[-1] == "4 cases, 0 failed"


def test_of_all_members_none_may_have_begun(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    give(plan, CASES.replace('not_started: [tell, "move[redis]"]', "not_started: [move]"))
    assert walk(plan, "--only", "none is copied") == 1
    assert "not_started: move[rds] has started" in capsys.readouterr().err
