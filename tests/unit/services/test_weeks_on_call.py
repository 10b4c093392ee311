"""What is remembered of things that come and go, for weeks, while nobody has them listed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.health.health_fakes import StillClock

from switchover.services.docker import docker_stats
from switchover.services.docker.docker_stats import CgroupStats, InTurn
from switchover.services.processes import process_provider
from switchover.services.processes.process_provider import ProcessProvider
from switchover.services.provider_api import ServiceTarget


async def test_processes_that_came_and_went_while_one_was_searched_for_are_forgotten(tmp_path: Path) -> None:
    provider = ProcessProvider(tmp_path, StillClock().monotonic)
    searched = ServiceTarget("gone", "process", pattern=f"no-such-word-{os.getpid()}-{tmp_path.name}")
    child = await asyncio.create_subprocess_exec("sleep", "60")
    await provider.inspect([searched])
    assert child.pid in {pid for pid, _ in provider._book._known}
    child.kill()
    await child.wait()
    await provider.inspect([searched])
    assert child.pid not in {pid for pid, _ in provider._book._known}


async def test_the_processes_of_a_crash_loop_behind_a_pid_file_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_provider, "_SPARE", 5)
    provider = ProcessProvider(tmp_path, StillClock().monotonic)
    behind = ServiceTarget("worker", "process", pid_file="worker.pid")
    gone: set[int] = set()
    for _ in range(12):
        child = await asyncio.create_subprocess_exec("sleep", "60")
        (tmp_path / "worker.pid").write_text(str(child.pid))
        await provider.inspect([behind])
        child.kill()
        await child.wait()
        gone.add(child.pid)
    known = {pid for book in (provider._book._known, provider._usage._used) for pid, _ in book}
    assert len(known & gone) <= 8


def test_a_container_that_restarts_for_ever_is_remembered_once(tmp_path: Path) -> None:
    for pid in range(100, 150):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cgroup").write_text("0::/docker/abc\n")
    group = tmp_path / "docker/abc"
    group.mkdir(parents=True)
    (group / "cpu.stat").write_text("usage_usec 5\n")
    (group / "memory.current").write_text("4096\n")
    (group / "memory.stat").write_text("inactive_file 0\n")
    stats = CgroupStats(lambda: 1.0, tmp_path, tmp_path)
    for pid in range(100, 150):
        usage = stats.usage("abc", pid)
        assert usage is not None
        assert usage.memory_bytes == 4096
    assert (len(stats._files), len(stats._samples)) == (1, 1)
    assert stats.last("abc", 149) is not None
    assert stats.last("abc", 100) is None


def test_containers_that_were_made_anew_each_night_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_stats, "_MOST_KNOWN", 10)
    stats = CgroupStats(lambda: 1.0, tmp_path, tmp_path)
    for number in range(50):
        stats.usage(f"container-{number}", 1)
    assert len(stats._files) <= 10


async def test_what_a_daemon_said_of_containers_that_nobody_asks_about_is_forgotten() -> None:
    now = [0.0]

    async def call(_: Any) -> Mapping[str, Any]:
        return {"memory_stats": {"usage": 7}}

    turn = InTurn(call, lambda: now[0])
    for number in range(20):
        turn.want([f"container-{number}"])
        assert turn.task is not None
        await turn.task
        now[0] += 100.0
    assert turn.usage("container-19") is not None
    assert len(turn._before) <= 4
    assert turn.usage("container-0") is None
