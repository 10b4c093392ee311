"""`switchover validate` and `schema`: errors to standard error, data to standard output, nothing executed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.support.warm_program import run_switchover

MODULE = """\
from pathlib import Path
Path({canary!r}).write_text("imported")
from dataclasses import dataclass

@dataclass(frozen=True)
class QueueConfig:
    path: str
    most: int = 100

class QueueCheck:
    kind = "queue"
    effect = "read"
    config = QueueConfig

    async def probe(self, cfg, ctx):
        Path({canary!r}).write_text("probed")
"""


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run_switchover(*arguments, timeout=60)


@pytest.fixture
def plan(tmp_path: Path, example: str) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(example, encoding="utf-8")
    return path


def test_a_right_plan_gets_one_line_and_exit_code_0(plan: Path) -> None:
    done = _run("validate", plan)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{plan}: ok, 5 phases, 5 steps, 7 checks\n"


def test_errors_go_to_standard_error_one_a_line_with_exit_code_2(plan: Path, example: str) -> None:
    plan.write_text(example.replace("effect: changes", "effect: change").replace("hold: 5m", "hold: soon"))
    done = _run("validate", plan)
    assert (done.returncode, done.stdout) == (2, "")
    lines = [line for line in done.stderr.splitlines() if line.startswith(f"{plan}:")]
    assert [line.split(": ")[1] for line in lines] == ["phases[2].steps[0].effect", "phases[2].gate.hold"]
    assert "Traceback" not in done.stderr


def test_errors_as_json_go_to_standard_output_alone(plan: Path, example: str) -> None:
    plan.write_text(example.replace("effect: changes", "effect: change"))
    done = _run("validate", plan, "--format", "json")
    assert (done.returncode, done.stderr) == (2, "")
    (problem,) = json.loads(done.stdout)
    assert problem["file"] == str(plan)
    assert problem["path"] == "phases[2].steps[0].effect"
    assert problem["line"] > 1
    assert problem["column"] > 1
    plan.write_text(example)
    assert json.loads(_run("validate", plan, "--format", "json").stdout) == []


def test_a_missing_plan_is_exit_code_2(tmp_path: Path) -> None:
    done = _run("validate", tmp_path / "none.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no such file" in done.stderr


def test_nothing_of_a_plan_is_executed(plan: Path, tmp_path: Path, example: str) -> None:
    canary = tmp_path / "canary"
    (tmp_path / "queue.py").write_text(MODULE.format(canary=str(canary)))
    text = example.replace("cmd:pass show shop/pg", f"cmd:touch {canary}").replace(
        "./scripts/destroy.sh", f"touch {canary}"
    )
    text = text.replace("costs: {", "check_modules: [queue.py]\ncosts: {")
    text = text.replace("\nmetrics:", "\n  mine: {kind: queue, path: a, most: 7, every: 5s}\nmetrics:")
    plan.write_text(text)
    for verb in ("validate", "schema"):
        done = _run(verb, plan)
        assert done.returncode == 0, done.stderr
    assert "check_queue" in json.loads(done.stdout)["$defs"]
    plan.write_text(text.replace("title:", "titel:"))
    assert "check_queue" in json.loads(_run("schema", plan).stdout)["$defs"], "a plan being written needs it most"
    assert not canary.exists()
    assert not list(tmp_path.glob("__pycache__"))


def test_a_kind_beside_the_plan_is_checked_like_any_other(plan: Path, tmp_path: Path, example: str) -> None:
    (tmp_path / "queue.py").write_text(MODULE.format(canary=str(tmp_path / "canary")))
    (tmp_path / "broken.py").write_text("def (:\n")
    text = example.replace("costs: {", "check_modules: [queue.py, broken.py, none.py]\ncosts: {")
    plan.write_text(text.replace("\nmetrics:", "\n  mine: {kind: queue, moist: 7, every: 5s}\nmetrics:"))
    done = _run("validate", plan)
    assert done.returncode == 2
    assert "a check of kind queue has no key 'moist'; did you mean 'most'?" in done.stderr
    assert "checks.mine.path: is needed and not set" in done.stderr
    assert f"{tmp_path / 'broken.py'}:1:1: is not valid Python" in done.stderr
    assert f"{tmp_path / 'none.py'}: cannot be read" in done.stderr


def test_the_schema_is_json_and_needs_no_plan() -> None:
    done = _run("schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["$schema"].startswith("http://json-schema.org/draft-07")
