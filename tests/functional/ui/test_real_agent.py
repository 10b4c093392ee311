"""The screens on a real agent: a run carried through by keys, over a dropped line and a killed agent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.terminal import Terminal

PLAN = """\
schema: 1
id: small
title: A small one
target: lab
checks:
  made: {kind: file, path: made.txt, every: 1s}
  kept: {kind: backup, path: made.txt, min_size: 1B, max_age: 1h, restore_test: 'cat "$BACKUP_PATH"', every: 1s}
phases:
  - id: one
    steps:
      - {id: make, run: 'echo making; while [ ! -e go.txt ]; do sleep 0.05; done; echo x > made.txt', effect: creates}
    gate: {require: [made]}
  - id: two
    steps:
      - id: remove
        run: rm made.txt
        effect: destroys
        rollback: impossible
        confirm: {text: remove it, require: [kept]}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    yield path
    subprocess.run(switchover(path, "agent", "stop"), capture_output=True, check=False, timeout=60)


def switchover(plan: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "switchover", *words, *(["--state", str(plan.parent / "state")]), str(plan)]


def open_screens(plan: Path) -> Terminal:
    return Terminal(switchover(plan), columns=100, lines=30, env={"SSH_CONNECTION": "", "HOME": str(plan.parent)})


def agent_pid(plan: Path) -> int:
    record = next((plan.parent / "state" / "workspaces").glob("*/agent.json"))
    return int(json.loads(record.read_text(encoding="utf-8"))["pid"])


def press_enter(terminal: Terminal) -> None:
    """Press enter as a person does: once the screen stands still, not as fast as a key that is held down."""
    terminal.settle(0.3)
    terminal.send("enter")


def test_a_run_is_carried_through_by_keys_over_a_dropped_line_and_a_killed_agent(plan: Path) -> None:
    with open_screens(plan) as terminal:
        terminal.wait_for("lab")
        terminal.send("6")
        terminal.wait_for("enter start the run")
        press_enter(terminal)
        terminal.wait_for("enter run make")
        press_enter(terminal)
        terminal.wait_for("make runs")
        terminal.hang_up()
        terminal.wait()
    with open_screens(plan) as terminal:
        terminal.wait_for("lab")
        terminal.send("6")
        terminal.wait_for("make runs")
        os.kill(agent_pid(plan), signal.SIGKILL)
        terminal.wait_for("agent lost since")
        terminal.wait_for(lambda screen: "agent lost" not in screen.text and "make runs" in screen.text, 60)
        (plan.parent / "go.txt").touch()
        terminal.wait_for("enter check gate one")
        press_enter(terminal)
        terminal.wait_for("confirm and run remove")
        press_enter(terminal)
        terminal.wait_for("this cannot be undone")
        terminal.settle(0.4)
        terminal.send("remove it", "enter")
        terminal.wait_for("✓ done")
        terminal.send("q")
        assert terminal.wait() == 0
    assert not (plan.parent / "made.txt").exists()
    text = (next((plan.parent / "state" / "workspaces").glob("*")) / "agent.log").read_text(encoding="utf-8")
    assert "Traceback" not in text


def test_an_agent_that_was_stopped_stays_stopped_until_somebody_starts_it(plan: Path) -> None:
    def agent(*words: str) -> subprocess.CompletedProcess[str]:
        argv = switchover(plan, "agent", *words)
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)

    with open_screens(plan) as terminal:
        terminal.wait_for("lab")
        stopped = agent("stop")
        assert stopped.returncode == 0
        assert "1 screen attached: it says so and does not start it again" in stopped.stdout
        terminal.wait_for("stopped by")
        assert agent("status").returncode == 1
        assert agent("start").returncode == 0
        terminal.wait_for(lambda screen: "stopped by" not in screen.text)


def test_a_plan_with_errors_is_told_on_the_terminal_as_it_was(plan: Path) -> None:
    plan.write_text(PLAN.replace("title:", "titel:"), encoding="utf-8")
    with open_screens(plan) as terminal:
        assert terminal.wait() == 2
        after = bytes(terminal.raw).rsplit(b"\x1b[?1049l", 1)[-1].decode()
        assert "did you mean" in after or "is missing" in after
        assert "plan.yaml:" in after
