from __future__ import annotations

import json
from pathlib import Path

import pytest

from switchover.cli.parser import main

PLAN = """
schema: 1
id: shop
title: The shop
vars: {marker: {type: path, default: "{{ step.copy.marker }}"}}
checks:
  before: {kind: command, command: "true", until: first}
  copied: {kind: file, path: "{{ marker }}", since: second}
phases:
  - id: first
    steps:
      - id: copy
        run: "touch done; echo marker=done"
        effect: creates
        on_unknown: rerun
        outputs: {marker: 'stdout:/^marker=(.+)$/'}
        rollback: {run: "rm -f done"}
    gate: {require: [before]}
  - id: second
    steps: [{id: look, run: "true", effect: read}]
    gate: {require: [copied]}
"""


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWITCHOVER_STATE", str(tmp_path / "state"))
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def names(plan: Path, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str], str]:
    capfd.readouterr()
    code = main(["check", str(plan), "--format", "json", *arguments])
    written = capfd.readouterr()
    return code, {c["name"]: c["status"] for c in json.loads(written.out)["checks"]}, written.err


def test_which_checks_are_looked_at_follows_the_run(plan: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert names(plan, capfd)[:2] == (0, {"before": "ok"})
    assert names(plan, capfd, "copied")[:2] == (3, {"copied": "pending"})
    assert main(["run", str(plan)]) == 0
    code, found, err = names(plan, capfd)
    assert (code, found) == (0, {"copied": "ok"})
    assert "1 not looked at: 1 watched until phase first ended" in err


def test_a_plan_that_was_edited_since_the_run_began_is_not_what_is_looked_at(
    plan: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(plan), "--until", "first"]) == 0
    plan.write_text(PLAN.replace("copied:", "renamed:").replace("[copied]", "[renamed]"))
    code, _, err = names(plan, capfd, "copied")
    assert code == 0
    assert "was edited since the run began" in err
