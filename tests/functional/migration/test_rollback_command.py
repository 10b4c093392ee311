"""Going back without a screen: rehearsed, killed and gone on with, stopped half-way, and what each of that says."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.warm_program import run_switchover

Cli = Callable[..., subprocess.CompletedProcess[str]]

PLAN = """
checks:
  up: {kind: file, path: up}
  saved: {kind: backup, path: saved, min_size: 1, max_age: 1h, restore_test: 'grep -q all "$BACKUP_PATH"'}
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log', effect: creates, rollback: {run: 'echo undo-one >> log', expect_duration: 1m}}
      - id: two
        run: echo two >> log
        effect: changes
        env: {WHERE: here}
        rollback: {run: 'echo undo-two >> log; cat pipe; test ! -e broken', env: {WHERE: here}, expect_duration: 30s}
  - id: b
    steps:
      - id: three
        run: echo three >> log
        effect: destroys
        rollback: impossible
        confirm: {text: destroy it, require: [saved]}
rollbacks:
  quick:
    title: Door back
    within: 10s
    valid_until: b.three
    loses_since: a.two
    loses: new orders
    steps: [{run: 'echo back >> log'}]
    verify: [up]
  full: {title: All, steps: [{rollback: [a]}]}
"""


def words(directory: Path, *arguments: str) -> list[str]:
    verb, *rest = arguments
    state = ["--state", str(directory / "state")]
    return [sys.executable, "-m", "switchover", verb, str(directory / "plan.yaml"), *state, *rest]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    (tmp_path / "plan.yaml").write_text("schema: 1\nid: p\ntitle: A plan\n" + textwrap.dedent(PLAN))
    (tmp_path / "pipe").touch()
    (tmp_path / "saved").write_text("all of it")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_switchover(*words(tmp_path, *arguments)[3:], timeout=60)

    return run


def _log(directory: Path) -> list[str]:
    return (directory / "log").read_text().split()


def _files(directory: Path) -> dict[str, bytes]:
    return {
        str(p): p.read_bytes()
        for p in sorted((directory / "state").rglob("*"))
        if p.is_file() and "sqlite-" not in p.name
    }


def test_a_rehearsal_shows_all_of_it_and_touches_nothing(tmp_path: Path, cli: Cli) -> None:
    before = cli("rollback", "quick", "--dry-run")
    assert "nothing has begun yet" in before.stdout, before.stderr
    assert cli("run", "--until", "a").returncode == 0
    files = _files(tmp_path)
    shown = cli("rollback", "quick", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert '"echo back >> log"' in shown.stdout
    assert "within 10 s" in shown.stdout
    assert "loses writes since 20" in shown.stdout
    assert "when two began: new orders" in shown.stdout
    assert "up: crit" in shown.stdout
    steps = cli("rollback", "--dry-run")
    assert steps.stdout.index("undoes two") < steps.stdout.index("undoes one")
    assert "environment WHERE" in steps.stdout
    assert "takes about 1 m 30 s, as the plan expects" in steps.stdout, steps.stdout
    assert _log(tmp_path) == ["one", "two"]
    assert _files(tmp_path) == files


def test_a_way_that_is_closed_says_why_and_what_can_never_be_undone_is_named(tmp_path: Path, cli: Cli) -> None:
    assert cli("run", "--confirm", "three=destroy it").returncode == 0
    closed = cli("rollback", "quick", "--dry-run")
    assert (closed.returncode, "CLOSED: closed since b.three began" in closed.stdout) == (1, True)
    refused = cli("rollback", "quick")
    assert (refused.returncode, "closed since b.three began" in refused.stderr) == (1, True)
    status = cli("status").stdout
    assert "way back quick: closed: closed since b.three began" in status
    full = cli("rollback", "full", "--accept-loss", "three")
    assert (full.returncode, "three cannot be undone: it is irreversible" in full.stdout) == (0, True), full.stderr
    assert _log(tmp_path) == ["one", "two", "three", "undo-two", "undo-one"]


def test_half_way_it_says_exactly_where_it_stands_and_an_action_can_be_left_out(tmp_path: Path, cli: Cli) -> None:
    cli("run", "--until", "a")
    (tmp_path / "broken").touch()
    failed = cli("rollback")
    assert failed.returncode == 1
    for text in ("1. undo two", "FAILED (exit 1)", "2. undo one", "not begun"):
        assert text in failed.stdout, failed.stdout
    assert "--skip 1 --reason TEXT" in failed.stderr
    assert "another way: `switchover rollback" in failed.stderr
    status = cli("status")
    assert "FAILED (exit 1)" in status.stdout
    document = json.loads(cli("status", "--format", "json").stdout)
    assert [a["state"] for a in document["rollback"]["actions"]] == ["failed", "pending"]
    assert cli("rollback", "--skip", "two").returncode == 2
    assert "has no action 'five'" in cli("rollback", "--skip", "five", "--reason", "x").stderr
    done = cli("rollback", "--skip", "two", "--reason", "undone in the console")
    assert done.returncode == 0, done.stderr
    assert "skipped: undone in the console" in done.stdout
    assert _log(tmp_path)[2:] == ["undo-two", "undo-one"]
    report = cli("report").stdout
    assert "undone in the console" in report


def test_what_it_has_to_restore_is_looked_at_and_decides_the_exit_code(tmp_path: Path, cli: Cli) -> None:
    cli("run", "--until", "a")
    done = cli("rollback", "quick")
    assert (done.returncode, "not proved: up" in done.stderr) == (1, True), done.stderr


def test_killed_in_the_middle_it_is_gone_on_with(tmp_path: Path, cli: Cli) -> None:
    cli("run", "--until", "a")
    (tmp_path / "pipe").unlink()
    os.mkfifo(tmp_path / "pipe")
    process = subprocess.Popen(words(tmp_path, "rollback"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with (tmp_path / "pipe").open("w"):  # opens once the action reads from it
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = cli("rollback")
    assert done.returncode == 0, done.stderr
    assert _log(tmp_path) == ["one", "two", "undo-two", "undo-one"], "no action ran twice"
    assert "2. undo one" in done.stdout


def test_what_a_way_back_took_is_what_it_is_expected_to_take(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "up").touch()
    cli("run", "--until", "a")
    assert "time is not known" in cli("rollback", "quick", "--dry-run").stdout
    assert cli("rollback", "quick").returncode == 0
    cli("run", "--new", "--until", "a")
    assert ", as measured before; within 10 s" in cli("rollback", "quick", "--dry-run").stdout


def test_killed_with_its_action_it_asks_before_that_runs_again(tmp_path: Path, cli: Cli) -> None:
    """The driver and what it ran are killed together, as when memory runs out: nobody said that it may run again."""
    cli("run", "--until", "a")
    (tmp_path / "pipe").unlink()
    os.mkfifo(tmp_path / "pipe")
    process = subprocess.Popen(words(tmp_path, "rollback"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with (tmp_path / "pipe").open("w"):  # opens once the action reads from it
        process.send_signal(signal.SIGKILL)
        process.communicate()
        started = next((tmp_path / "state").rglob("rollback*/started.json"))
        os.killpg(json.loads(started.read_bytes())["pid"], signal.SIGKILL)
    (tmp_path / "pipe").unlink()
    (tmp_path / "pipe").touch()
    for _ in range(2):
        asked = cli("rollback")
        assert asked.returncode == 1, asked.stdout
        assert "the rollback stopped: was killed by SIGKILL" in asked.stderr
        assert "--retry 1`" in asked.stderr
        assert "may run again" not in asked.stdout
        assert _log(tmp_path) == ["one", "two", "undo-two"]
    assert "has no action 'three'" in cli("rollback", "--retry", "three").stderr
    done = cli("rollback", "--retry", "two")
    assert done.returncode == 0, done.stderr
    assert "undo two may run again, says" in done.stdout
    assert _log(tmp_path) == ["one", "two", "undo-two", "undo-two", "undo-one"]
