"""A finished run counts for the plan that it went by, and for no other: not for an edited file, not for another one."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.warm_program import run_switchover

Cli = Callable[..., subprocess.CompletedProcess[str]]

PLAN = """\
schema: 1
id: p
title: A plan
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log', effect: changes, rollback: {run: 'echo undo-one >> log'}}
"""
EDITED = PLAN + "      - {id: two, run: 'echo two >> log', effect: changes}\n"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    (tmp_path / "plan.yaml").write_text(PLAN)

    def run(verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_switchover(verb, tmp_path / "plan.yaml", "--state", tmp_path / "state", *arguments)

    return run


def _log(folder: Path) -> list[str]:
    return (folder / "log").read_text().split()


def test_the_same_plan_that_is_done_is_done(tmp_path: Path, cli: Cli) -> None:
    assert cli("run").returncode == 0
    again = cli("run")
    assert (again.returncode, "run 1 is done" in again.stdout) == (0, True)
    assert _log(tmp_path) == ["one"]


@pytest.mark.parametrize("text", [EDITED, PLAN + "# a comment\n", PLAN.replace("A plan", "Another")])
def test_an_edited_plan_is_told_that_it_is_another_and_new_begins_one(tmp_path: Path, cli: Cli, text: str) -> None:
    assert cli("run").returncode == 0
    (tmp_path / "plan.yaml").write_text(text)
    told = cli("run")
    assert told.returncode == 4, told.stdout
    assert "nothing was executed: run 1 is done, but plan.yaml was edited since run 1 ended" in told.stderr
    assert "--new` begins one by this plan" in told.stderr
    assert "is done" not in told.stdout
    status = cli("status")
    assert "plan.yaml was edited since run 1 ended; `switchover run " in status.stdout
    assert "all done" not in status.stdout
    assert "edited" in json.loads(cli("status", "--format", "json").stdout)["run"]["other_plan"]
    assert _log(tmp_path) == ["one"]
    begun = cli("run", "--new")
    assert begun.returncode == 0, begun.stderr
    assert _log(tmp_path) == (["one", "one", "two"] if text is EDITED else ["one", "one"])


def test_what_new_names_is_held_against_the_plan_that_it_begins_with(tmp_path: Path, cli: Cli) -> None:
    assert cli("run").returncode == 0
    (tmp_path / "plan.yaml").write_text(EDITED.replace("id: two, ", "id: two, confirm: {text: go on}, "))
    begun = cli("run", "--new", "--confirm", "two=go on")
    assert begun.returncode == 0, begun.stderr


def test_a_run_that_was_rolled_back_or_given_up_counts_for_no_other_plan_either(tmp_path: Path, cli: Cli) -> None:
    assert cli("run").returncode == 0
    assert cli("rollback").returncode == 0
    (tmp_path / "plan.yaml").write_text(EDITED)
    told = cli("run")
    assert (told.returncode, "run 1 is rolled back, but plan.yaml was edited" in told.stderr) == (4, True), told.stderr


def test_a_dry_run_shows_what_would_be_done_and_what_would_not(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "plan.yaml").write_text(EDITED.replace("echo two", "false; echo two"))
    assert cli("run").returncode == 1
    shown = cli("run", "--dry-run").stdout
    assert "step one: done already" in shown
    assert re.search(r"failed; only `switchover run \S+/plan\.yaml .*--retry two` runs it again", shown), shown
    cli("rollback")
    assert "run 1 is rolled back: nothing would be executed; with --new all of this:" in cli("run", "--dry-run").stdout
    (tmp_path / "plan.yaml").write_text(PLAN)
    shown = cli("run", "--dry-run").stdout
    assert "run 1 is rolled back, and plan.yaml was edited since run 1 ended: nothing would be executed" in shown
    assert "step one" in shown
    assert "step two" not in shown
    assert "nothing would be executed" not in cli("run", "--dry-run", "--new").stdout


def test_a_dry_run_after_a_rollback_began_says_that_no_step_comes(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.replace("echo undo-one", "false; echo undo-one"))
    assert cli("run", "--until", "a").returncode == 0
    assert cli("rollback").returncode == 1
    assert "no step and no gate of this run comes any more" in cli("run", "--dry-run").stdout
