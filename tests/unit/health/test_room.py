from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from switchover.app.probe_limits import room_to_wait, room_to_work
from switchover_checks.runtime.runner import WAITING, WORKING


@pytest.fixture(autouse=True)
def few_files() -> Iterator[None]:
    """Begin with as few files as a shell usually may open, and leave nothing changed."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_usual_plan_changes_no_limit() -> None:
    assert room_to_wait(300).most >= 300
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1024


def test_many_checks_get_as_many_files_as_they_need_and_no_more() -> None:
    assert room_to_wait(700).most == 700
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1650
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert room_to_wait(100_000).most == min(WAITING.most, (highest - 250) // 2)


def test_more_memory_lets_more_processes_run(tmp_path: Path) -> None:
    memory = tmp_path / "meminfo"
    memory.write_text("MemTotal: 16000000 kB\nMemAvailable: 8388608 kB\n")
    assert room_to_work(memory).most == 512
    memory.write_text("MemAvailable: 1000 kB\n")
    assert room_to_work(memory).most == WORKING.most // 2
    assert room_to_work(tmp_path / "none").most == WORKING.most // 2
