"""An edited plan without a screen: seen, refused where it touches what has begun, adopted where it does not."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.warm_program import run_switchover

Cli = Callable[..., subprocess.CompletedProcess[str]]

HEAD = "schema: 1\nid: p\ntitle: A plan\n"
ONE = "      - {id: one, run: 'echo one >> log', effect: changes, rollback: {run: 'echo undo-one >> log'}}\n"
TWO = "      - {id: two, run: 'echo two >> log; false', effect: changes, rollback: {run: 'echo undo-two >> log'}}\n"
PHASES = "phases:\n  - id: a\n    steps:\n"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        verb, *rest = arguments
        return run_switchover(verb, tmp_path / "plan.yaml", "--state", tmp_path / "state", *rest, timeout=60)

    return run


def _write(directory: Path, *parts: str) -> None:
    (directory / "plan.yaml").write_text(HEAD + "".join(parts))


def test_a_mended_step_is_adopted_and_what_is_finished_stays(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PHASES, ONE, TWO)
    assert cli("run").returncode == 1
    same = cli("diff")
    assert (same.returncode, "is the plan that it goes by" in same.stdout) == (0, True), same.stderr
    _write(tmp_path, PHASES, ONE, TWO.replace("; false", ""), TWO.replace("two", "three").replace("; false", ""))
    diff = cli("diff")
    assert diff.returncode == 1
    assert "step three added" in diff.stdout
    assert "step two changed" in diff.stdout
    assert "run: echo two >> log; false → echo two >> log" in diff.stdout
    assert "-      - {id: two, run: 'echo two >> log; false'" in diff.stdout
    assert {c["name"] for c in json.loads(cli("diff", "--format", "json").stdout)["changes"]} == {"two", "three"}
    dry = cli("rebase", "--dry-run")
    assert (dry.returncode, "nothing was changed" in dry.stdout) == (0, True)
    assert cli("diff").returncode == 1
    done = cli("rebase", "--reason", "two was wrong")
    assert done.returncode == 0, done.stderr
    assert cli("diff").returncode == 0
    assert cli("run", "--retry", "two").returncode == 0
    assert (tmp_path / "log").read_text().split() == ["one", "two", "two", "three"]
    report = cli("report").stdout
    assert "two was wrong" in report


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((ONE.replace("echo one", "echo other"), TWO), "step one is finished and cannot change (run)"),
        ((ONE.replace("undo-one", "other"), TWO), "step one is finished and cannot change (rollback)"),
        ((TWO,), "step one is finished and cannot be removed"),
        ((TWO, ONE), "cannot be moved"),
        ((ONE.replace("one", "zero"), ONE, TWO), "step zero stands before step one, which is finished"),
        ((ONE,), "step two has begun and cannot be removed"),
    ],
)
def test_what_touches_a_finished_step_is_refused_and_named(
    tmp_path: Path, cli: Cli, parts: tuple[str, ...], said: str
) -> None:
    _write(tmp_path, PHASES, ONE, TWO)
    cli("run")
    _write(tmp_path, PHASES, *parts)
    refused = cli("rebase")
    assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    dry = cli("rebase", "--dry-run")
    assert (dry.returncode, said in dry.stdout) == (1, True), dry.stdout


def test_errors_in_the_edited_plan_are_shown_and_the_run_goes_on_by_the_frozen_one(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PHASES, ONE, TWO)
    cli("run")
    _write(tmp_path, PHASES, ONE, TWO.replace("effect: changes", "effect: chanegs"))
    for verb in ("diff", "rebase"):
        seen = cli(verb)
        assert seen.returncode == 2, seen.stderr
        assert "plan.yaml:8" in seen.stdout + seen.stderr
        assert "goes on by the plan it was started with" in seen.stdout + seen.stderr
    assert cli("rollback").returncode == 0
    assert (tmp_path / "log").read_text().split() == ["one", "two", "undo-two", "undo-one"]


def test_values_that_the_edited_plan_asks_for_have_to_be_given(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PHASES, ONE, TWO)
    cli("run")
    mended = TWO.replace("two >> log; false'", '"$X" >> log\', env: {X: "{{ where }}"}')
    _write(tmp_path, "vars: {where: {ask: Where to?}}\n", PHASES, ONE, mended)
    asked = cli("rebase")
    assert (asked.returncode, "--var where=VALUE" in asked.stderr) == (2, True), asked.stderr
    assert cli("rebase", "--var", "where=there").returncode == 0
    assert cli("run", "--retry", "two").returncode == 0
    assert (tmp_path / "log").read_text().split() == ["one", "two", "there"]


def test_the_rollback_of_a_step_is_the_one_registered_when_it_began(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PHASES, ONE, TWO)
    cli("run")
    _write(tmp_path, PHASES, ONE, TWO.replace("undo-two", "another"))
    assert cli("rebase").returncode == 0
    assert cli("rollback").returncode == 0
    assert (tmp_path / "log").read_text().split() == ["one", "two", "undo-two", "undo-one"]
