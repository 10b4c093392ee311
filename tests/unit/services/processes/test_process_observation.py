from __future__ import annotations

import signal
from pathlib import Path

import pytest

from switchover.services.processes import process_observation, process_table
from switchover.services.processes.process_observation import ProcessUsage, ended, observe_process
from switchover.services.processes.process_table import ProcessFacts, ProcessRow, is_frozen
from switchover.services.provider_api import ProcessState
from switchover_checks.api import Status

FACTS = ProcessFacts("job", "root", 0, "", "job", 0.0, "job")


def row(state: str, exit_status: int = 0) -> ProcessRow:
    return ProcessRow(42, "job", state, 7, 900, 0, 4096, kernel=False, exit_status=exit_status)


@pytest.mark.parametrize("how", ["", "exit 0", "exit 3", "killed by SIGTERM", "killed by SIGINT", "killed by SIGPIPE"])
def test_a_command_that_nobody_planned_for_may_end_and_is_no_trouble(how: str) -> None:
    seen = ended((42, 900), how, planned=False)
    assert (seen.state, seen.health) == (ProcessState.STOPPED, Status.SKIPPED)
    assert seen.detail.startswith("pid 42 ended"), "it says so all the same"


@pytest.mark.parametrize("how", ["killed by SIGKILL", "killed by SIGSEGV, core dumped", "killed by SIGABRT"])
def test_one_that_was_killed_or_crashed_is_worth_a_warning(how: str) -> None:
    assert ended((42, 900), how, planned=False).health is Status.WARN


@pytest.mark.parametrize("how", ["", "exit 0", "killed by SIGTERM"])
def test_one_of_the_plan_that_ended_is_critical_however_it_did(how: str) -> None:
    assert ended((42, 900), how, planned=True).health is Status.CRIT


@pytest.mark.parametrize(
    ("exit_status", "how", "health"),
    [
        (0, "exit 0", Status.SKIPPED),
        (3 << 8, "exit 3", Status.SKIPPED),
        (signal.SIGKILL, "killed by SIGKILL", Status.WARN),
    ],
)
def test_one_whose_parent_has_not_taken_notice_is_judged_like_any_that_ended(
    exit_status: int, how: str, health: Status
) -> None:
    seen = observe_process(row("Z", exit_status), FACTS, ProcessUsage(), 0.0, (), planned=False, guarded=False)
    assert (seen.state, seen.health) == (ProcessState.STOPPED, health)
    assert seen.detail == f"pid 42 ended: {how}; it waits for its parent (pid 7)"


def test_a_process_of_a_paused_container_is_not_said_to_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = ProcessUsage()
    monkeypatch.setattr(process_observation, "is_frozen", lambda _pid: True)
    for mono in (0.0, 60.0):
        seen = observe_process(row("D"), FACTS, usage, mono, (), planned=False, guarded=False)
    assert (seen.health, seen.detail) == (Status.OK, "frozen by its control group")
    monkeypatch.setattr(process_observation, "is_frozen", lambda _pid: False)
    for mono in (61.0, 120.0):
        seen = observe_process(row("D"), FACTS, usage, mono, (), planned=False, guarded=False)
    assert seen.health is Status.WARN
    assert "waits in the kernel" in seen.detail


def test_frozen_is_what_the_control_group_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "freezer" / "docker" / "ab" / "freezer.state"
    state.parent.mkdir(parents=True)
    real = process_table._read
    lines = "9:name=systemd:/docker/ab\n3:freezer:/docker/ab\n"
    monkeypatch.setattr(process_table, "_read", lambda path: lines if path == "/proc/42/cgroup" else real(path))
    for word, frozen in (("FROZEN\n", True), ("FREEZING\n", True), ("THAWED\n", False)):
        state.write_text(word)
        assert is_frozen(42, str(tmp_path)) is frozen
    lines = "0::/system.slice/docker-ab.scope\n"
    assert not is_frozen(42, str(tmp_path))
