"""`switchover test`: the real engine walks through each case, and nothing else that is real has a part in it."""

from __future__ import annotations

import argparse
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from switchover.cli.plan_test import judging, walk_verb
from switchover.cli.plan_test.plan_cases import Expected, cases_file, read_cases
from switchover.errors import PlanError, UsageError
from switchover.plan.loader.load import load_plan

PLAN = """schema: 1
id: t
title: T
sides: {before: {}, after: {}}
costs: {lines: [{name: a, side: after, stated: 11.33 USD/month}]}
vars: {old: {type: url, ask: which}, ip: {type: ip, default: "{{ step.deploy.ip }}"}}
checks:
  dump: {kind: tcp, host: localhost, port: 1}
  login: {kind: tcp, host: localhost, port: 1}
  gone: {kind: tcp, host: localhost, port: 1}
phases:
  - id: backup
    steps:
      - {id: save, run: ./save.sh, effect: creates, rollback: not_needed}
    gate: {require: [dump], human: Whole?, persons: 2}
  - id: build
    steps:
      - {id: deploy, run: ./deploy.sh, effect: creates, outputs: {ip: "stdout:/(.*)/"}, rollback: {run: ./destroy.sh}}
      - {id: move, run: ./move.sh, env: {IP: "{{ ip }}"}, effect: changes}
      - {id: by_hand, checklist: [{text: It looks right, evidence: text}, {text: Seen, evidence: file}]}
    gate: {require: [login], hold: 1h, human: "Go?"}
  - id: cleanup
    steps:
      - id: destroy
        run: ./rm.sh
        effect: destroys
        rollback: {run: ./undo.sh}
        confirm: {text: "destroy t", require: [dump], cooldown: 1m}
    gate: {require: [gone]}
rollbacks:
  full:
    title: Back
    valid_until: cleanup.destroy
    loses_since: build.move
    loses: All
    steps: [{run: ./4_rollback.sh}, {rollback: [build]}]
    verify: [dump]
"""
CASES = """given:
  vars: {old: "http://es:9200"}
  steps:
    deploy: {result: ok, takes: 12m, outputs: {ip: 52.210.228.191}}
  human: {backup: [ana, bo], "*": [ana]}
  confirm: typed
cases:
  the whole way:
    expect: {run: done, cost_after: "11.33"}
  a bad backup keeps the door shut:
    given: {checks: {dump: {status: CRIT, observed: 4 KiB}}}
    expect: {run: waiting, at: backup.gate, because: [dump], not_started: [deploy]}
  one person is not two:
    given: {human: {backup: [ana]}}
    expect: {run: waiting, at: backup.gate}
  the line breaks:
    given: {steps: {deploy: unknown}}
    expect: {run: asks, at: deploy, offers: [done, rerun, rollback], not_started: [move]}
  it was done all the same:
    given: {steps: {move: unknown}}
    then: {resolve: {move: done}}
    expect: {run: done}
  the build takes too long:
    given: {steps: {deploy: timeout}}
    expect: {run: stopped, at: build.deploy, not_started: [move], rollbacks: [full]}
  nobody confirms:
    given: {confirm: refused}
    expect: {run: waiting, at: destroy, not_started: [destroy]}
  after the destruction no rollback is open:
    given: {checks: {gone: CRIT}}
    expect: {run: waiting, at: cleanup.gate, rollbacks: []}
  the new side fails its tests:
    given: {checks: {login: [OK, OK, CRIT]}}
    then: {rollback: full}
    expect: {run: rolled_back, loses: true, ran: [4_rollback.sh, destroy.sh], proved: [dump]}
  the rollback fails too:
    given: {checks: {login: CRIT}, steps: {undo.deploy: fail}}
    then: {rollback: full}
    expect: {run: stopped, at: undo.deploy}
"""
WRONG = (
    CASES
    + """\
  wrong on purpose:
    given: {steps: {move: fail}}
    expect: {run: done, not_started: [deploy], ran: [nothing.sh], rollbacks: [], because: [dump], loses: true,
      asked: [Nobody], offers: [done], proved: [dump], cost_after: "1", started: [destroy], at: destroy}
"""
)


def walk(plan: Path, *options: str) -> int:
    parser = argparse.ArgumentParser()
    walk_verb.add_arguments(parser)
    return walk_verb.run(parser.parse_args([str(plan), *options]))


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def give(plan: Path, cases: str) -> None:
    cases_file(plan).write_text(cases)


def test_each_case_comes_out_as_the_engine_has_it_and_no_command_runs(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    give(plan, CASES)
    assert walk(plan) == 0, capsys.readouterr()
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "ok     the whole way"
    assert said[-1] == "10 cases, 0 failed"
    assert sorted(path.name for path in plan.parent.iterdir()) == ["plan.test.yaml", "plan.yaml"]


def test_what_comes_out_otherwise_is_told_with_its_line_and_where_the_run_came_to(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    give(plan, WRONG)
    assert walk(plan, "--only", "wrong") == 1
    said = capsys.readouterr()
    assert said.out == "FAILED wrong on purpose\n1 case, 1 failed\n"
    line = 1 + WRONG.splitlines().index("  wrong on purpose:")
    told = [text.partition(f"plan.test.yaml:{line}: wrong on purpose: ")[2] for text in said.err.splitlines()]
    assert told == [
        "run: expected done, was stopped at move",
        "at: expected destroy, was move",
        "because: expected dump, was none",
        "offers: done is not offered; offered: none",
        "rollbacks: expected none, open: full",
        "loses: expected true, was false",
        "proved: expected dump, was none",
        "cost_after: expected 1, was 11.33",
        "not_started: deploy has started",
        "started: destroy has not started",
        "ran: no command with 'nothing.sh' was run",
        "asked: nobody was asked 'Nobody'",
        "the run is stopped at move: failed with exit code 1",
    ]


def test_junit_and_json_have_every_case(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    give(plan, WRONG)
    assert walk(plan, "--format", "junit") == 1
    suite = ET.fromstring(capsys.readouterr().out)[0]
    assert (suite.get("tests"), suite.get("failures")) == ("11", "1")
    assert [case.get("name") for case in suite if len(case)] == ["wrong on purpose"]
    walk(plan, "--format", "json")
    found = json.loads(capsys.readouterr().out)
    assert [one["case"] for one in found if not one["passed"]] == ["wrong on purpose"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  human:", "  humn:", "given.humn: unknown key; did you mean 'human'?"),
        ("deploy: unknown", "deploy: unknwn", "expected 'ok', 'fail', 'unknown' or 'timeout', found 'unknwn'"),
        ("steps: {deploy: unk", "steps: {deplyo: unk", "there is no step 'deplyo'; did you mean 'deploy'?"),
        ("checks: {gone", "checks: {gnoe", "there is no check or service 'gnoe'; did you mean 'gone'?"),
        ("at: destroy", "at: destory", "there is no step or PHASE.gate 'destory'; did you mean 'destroy'?"),
        ("rollback: full", "rollback: ful", "there is no rollback 'ful'; did you mean 'full'?"),
        ("run: rolled_back", "run: back", "expected 'done', 'waiting'"),
        ("vars: {old", "vars: {odl", "there is no variable 'odl'; did you mean 'old'?"),
        ("given:", "given: [", "a list in [ ] is not closed or lacks a comma"),
    ],
)
def test_a_mistake_in_the_cases_is_told_at_its_line(plan: Path, old: str, new: str, said: str) -> None:
    assert old in CASES
    give(plan, CASES.replace(old, new, 1))
    with pytest.raises(PlanError) as error:
        read_cases(cases_file(plan), load_plan(plan).plan)
    assert said in "\n".join(map(str, error.value.problems)), error.value.problems
    assert all(problem.line for problem in error.value.problems)


def test_the_first_cases_walk_every_steps_failure_and_hold(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert walk(plan, "--init") == 0
    written = cases_file(plan).read_text()
    assert "  deploy breaks off, and nobody knows how it ended:" in written
    assert walk(plan) == 0, capsys.readouterr()
    assert capsys.readouterr().out.endswith("13 cases, 0 failed\n")
    with pytest.raises(UsageError, match="is there already"):
        walk(plan, "--init")
    assert cases_file(plan).read_text() == written


def test_without_cases_it_says_how_to_get_some(plan: Path) -> None:
    with pytest.raises(UsageError) as error:
        walk(plan)
    assert "--init` writes a first one" in error.value.hint


def test_many_cases_walk_side_by_side_and_come_back_in_order(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = ["ok", "fail", "unknown", "timeout"]
    cases = "".join(
        f"  case {n}: {{given: {{steps: {{save: {ends[n % 4]}}}, vars: {{old: 'http://a'}}}}, expect: {{run: done}}}}\n"
        for n in range(60)
    )
    give(plan, "cases:\n" + cases)
    assert walk(plan) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[:-1] == [f"{'FAILED' if n % 4 else 'ok    '} case {n}" for n in range(60)]


def test_a_sum_that_lacks_a_price_is_not_the_one_expected(tmp_path: Path) -> None:
    costs = "{name: b, side: after, price: {spot: 1 USD/h}, option: reserved}]}"
    (tmp_path / "p.yaml").write_text(PLAN.replace("11.33 USD/month}]}", f"11.33 USD/month}}, {costs}"))
    walked = SimpleNamespace(plan=load_plan(tmp_path / "p.yaml").plan)
    told = list(judging._whole(Expected(cost_after="11.33"), cast("Any", walked)))
    assert told == ["cost_after: expected 11.33, was at least 11.33"]
