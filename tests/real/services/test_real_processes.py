"""Processes that really end, halt, are replaced and are never confused with another."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pytest

from switchover.clock import SystemClock
from switchover.errors import RefusedError
from switchover.services.processes.pidfd import PidWatch
from switchover.services.processes.process_actions import send
from switchover.services.processes.process_provider import ProcessProvider
from switchover.services.processes.process_table import read_row
from switchover.services.provider_api import Capability, LogSource, LogSpan, ProcessState, ServiceEvent, ServiceTarget
from switchover_checks.api import Status


class Ear:
    """Hears what a provider tells, and waits for it."""

    def __init__(self) -> None:
        self.heard: list[ServiceEvent] = []
        self._more = asyncio.Event()

    def __call__(self, told: ServiceEvent) -> None:
        self.heard.append(told)
        self._more.set()

    async def hear(self, wanted: Callable[[ServiceEvent], object]) -> ServiceEvent:
        """Wait until something is told that fits."""
        async with asyncio.timeout(15):
            while True:
                for told in self.heard:
                    if wanted(told):
                        return told
                self._more.clear()
                await self._more.wait()


@contextmanager
def running(*words: str, output: IO[str] | int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command, and end it."""
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as process:
        try:
            yield process
        finally:
            process.kill()


def identity_of(pid: int) -> tuple[int, int]:
    row = read_row(pid)
    assert row is not None
    return row.process


def state_of(pid: int) -> str:
    row = read_row(pid)
    return row.state if row is not None else ""


async def until_state(pid: int, state: str) -> None:
    async with asyncio.timeout(10):
        while state_of(pid) != state:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.002)


@pytest.fixture
def provider(tmp_path: Path) -> ProcessProvider:
    return ProcessProvider(tmp_path, SystemClock().monotonic)


@pytest.fixture
async def ear(provider: ProcessProvider) -> AsyncIterator[Ear]:
    """An ear that the provider tells all that happens."""
    made = Ear()
    task = asyncio.create_task(provider.watch(made))
    await made.hear(lambda told: told.listing)
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_service_that_is_killed_is_told_with_the_signal_that_ended_it(
    provider: ProcessProvider, ear: Ear, tmp_path: Path
) -> None:
    with running("sleep", "1000") as process:
        (tmp_path / "api.pid").write_text(str(process.pid))
        target = ServiceTarget("api", "process", ref="api", pid_file="api.pid")
        assert (await provider.inspect([target]))["api"].state is ProcessState.RUNNING
        process.kill()
        told = await ear.hear(lambda told: told.what == "died")
        assert (told.ref, told.status) == ("api", Status.CRIT)
        assert told.observation is not None
        assert told.observation.state is ProcessState.STOPPED
        assert told.observation.detail == f"pid {process.pid} ended: killed by SIGKILL"


async def test_a_process_that_failed_is_told_with_its_exit_status(provider: ProcessProvider, ear: Ear) -> None:
    process = await asyncio.create_subprocess_exec("sh", "-c", "read x; exit 3", stdin=asyncio.subprocess.PIPE)
    target = ServiceTarget("job", "process", ref="job", pid=process.pid)
    await provider.discover()
    assert (await provider.inspect([target]))["job"].state is ProcessState.RUNNING
    assert process.stdin is not None
    process.stdin.write(b"\n")
    told = await ear.hear(lambda told: told.ref == str(process.pid))
    assert (told.what, told.observation.detail if told.observation else "") == (
        "gone",
        f"pid {process.pid} ended: exit 3",
    )
    await process.wait()


async def test_a_new_pid_in_a_pid_file_is_told_without_being_asked(
    provider: ProcessProvider, ear: Ear, tmp_path: Path
) -> None:
    target = ServiceTarget("api", "process", ref="api", pid_file="api.pid")
    with running("sleep", "1000") as first, running("sleep", "1000") as second:
        (tmp_path / "api.pid").write_text(str(first.pid))
        assert (await provider.inspect([target]))["api"].pid == first.pid
        (tmp_path / "new").write_text(str(second.pid))
        (tmp_path / "new").rename(tmp_path / "api.pid")
        await ear.hear(lambda told: told.ref == "api")
        assert (await provider.inspect([target]))["api"].pid == second.pid


async def test_what_a_supervisor_starts_anew_is_told_to_run_again(provider: ProcessProvider, ear: Ear) -> None:
    word = f"sleep 1000.{os.getpid()}"
    target = ServiceTarget("worker", "process", ref="worker", pattern=f"^{word}$")
    with running(*word.split()) as first:
        assert (await provider.inspect([target]))["worker"].pid == first.pid
        first.kill()
        first.wait()
        with running(*word.split()) as second:
            told = await ear.hear(lambda told: told.what == "started")
            assert told.observation is not None
            assert told.observation.pid == second.pid


async def test_three_hundred_processes_are_listed_and_each_end_is_told(provider: ProcessProvider, ear: Ear) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(running("sleep", "1000")) for _ in range(300)]
        found = {one.target.pid: one for one in await provider.discover()}
        pids = {process.pid for process in processes}
        assert pids <= found.keys()
        assert {found[pid].title for pid in pids} == {"sleep"}
        assert {found[pid].observation.parent for pid in pids} == {os.getpid()}
        for process in processes:
            process.kill()
        wanted = {str(pid) for pid in pids}
        await ear.hear(lambda _: wanted <= {told.ref for told in ear.heard if told.what == "gone"})


async def test_a_paused_process_says_so_and_can_be_started_again(provider: ProcessProvider) -> None:
    with running("sleep", "1000") as process:
        (target,) = [one.target for one in await provider.discover() if one.target.pid == process.pid]
        assert await provider.act(target, Capability.PAUSE) == f"pid {process.pid} is paused"
        seen = (await provider.inspect([target]))[target.name]
        assert (seen.state, seen.health, seen.detail) == (
            ProcessState.RUNNING,
            Status.WARN,
            "stopped by a signal (SIGSTOP)",
        )
        assert seen.can == {Capability.START, Capability.KILL}
        assert await provider.act(target, Capability.START) == f"pid {process.pid} runs again"
        seen = (await provider.inspect([target]))[target.name]
        assert seen.can == {Capability.STOP, Capability.KILL, Capability.PAUSE}


async def test_a_zombie_is_no_running_process_and_names_its_parent(provider: ProcessProvider) -> None:
    with running("sleep", "1000") as process:
        process.kill()
        await until_state(process.pid, "Z")
        (found,) = [one for one in await provider.discover() if one.target.pid == process.pid]
        assert found.observation.state is ProcessState.STOPPED
        assert found.observation.detail == (
            f"pid {process.pid} ended: killed by SIGKILL; it waits for its parent (pid {os.getpid()})"
        )
        assert not found.observation.can


async def test_stop_says_how_the_process_ended(provider: ProcessProvider) -> None:
    with running("sleep", "1000") as process:
        (target,) = [one.target for one in await provider.discover() if one.target.pid == process.pid]
        said = await provider.act(target, Capability.STOP)
        assert said.startswith(f"pid {process.pid} ended after ")
        assert said.endswith("killed by SIGTERM")
        assert provider.command_line(target, Capability.STOP) == ("kill", "-TERM", str(process.pid))


def test_a_process_that_does_not_heed_the_signal_is_not_called_stopped() -> None:
    word = "import signal; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", word], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            said = send(identity_of(process.pid), Capability.STOP, wait_s=0.05)
            assert "still runs" in said
        finally:
            process.kill()


async def test_a_process_that_has_the_pid_of_the_one_that_was_meant_is_left_alone(provider: ProcessProvider) -> None:
    with running("sleep", "1000") as process:
        pid, ticks = identity_of(process.pid)
        earlier = ServiceTarget(f"process:{pid}", "process", ref=str(pid), pid=pid, identity=f"{pid}:{ticks - 1}")
        with pytest.raises(RefusedError, match="has ended already"):
            await provider.act(earlier, Capability.KILL)
        assert (await provider.inspect([earlier]))[earlier.name].state is ProcessState.STOPPED
        assert state_of(pid) in ("S", "R")


@pytest.mark.parametrize(
    ("pid", "why"),
    [(1, "everything else"), (os.getpid(), "agent itself"), (os.getppid(), "agent runs under")],
    ids=["the system", "the agent", "what it runs under"],
)
async def test_the_system_and_the_agent_and_what_it_runs_under_are_never_signalled(
    provider: ProcessProvider, pid: int, why: str
) -> None:
    (found,) = [one for one in await provider.discover() if one.target.pid == pid]
    assert not found.observation.can
    with pytest.raises(RefusedError, match=why):
        await provider.act(found.target, Capability.START)  # SIGCONT harms nobody where this promise is broken


async def test_an_action_that_a_process_cannot_be_asked_is_refused(provider: ProcessProvider) -> None:
    with pytest.raises(RefusedError, match="cannot be asked to scale"):
        await provider.act(ServiceTarget("x", "process", pid=1), Capability.SCALE)
    with pytest.raises(RefusedError, match="was not looked at yet"):
        await provider.act(ServiceTarget("x", "process", pattern="x"), Capability.STOP)


async def test_nothing_of_what_a_process_was_told_is_in_what_is_found(provider: ProcessProvider) -> None:
    with running(sys.executable, "-c", "import time; time.sleep(1000)", "--password=hunter2") as process:
        await until_state(process.pid, "S")
        (found,) = [one for one in await provider.discover() if one.target.pid == process.pid]
        assert "hunter2" not in repr(found)


async def test_the_log_of_a_process_is_the_file_that_it_writes_to(provider: ProcessProvider, tmp_path: Path) -> None:
    with (tmp_path / "app.log").open("w") as log, running("sleep", "1000", output=log) as process:
        await provider.discover()
        target = ServiceTarget("x", "process", pid=process.pid)
        source = await provider.log_source(target, LogSpan())
        assert source == LogSource("x", "file", path=str(tmp_path / "app.log"))
        named = ServiceTarget("x", "process", pid=process.pid, logs=("gcp:x", "other.log"))
        source = await provider.log_source(named, LogSpan())
        assert source == LogSource("x", "file", path=str(tmp_path / "other.log"))


async def test_a_process_without_a_log_says_what_to_do(provider: ProcessProvider) -> None:
    with running("sleep", "1000") as process:
        await provider.discover()
        said = await provider.log_source(ServiceTarget("x", "process", pid=process.pid), LogSpan())
        assert said == f"pid {process.pid} holds no log file open; name its log under `logs:` in the plan"


async def test_no_more_processes_are_held_than_there_is_room_for() -> None:
    watch = PidWatch(most=1)
    with running("sleep", "1000") as one, running("sleep", "1000") as two:
        first, second = identity_of(one.pid), identity_of(two.pid)
        assert watch.watch(first, lambda *_: None)
        assert watch.watch(second, lambda *_: None)
        assert (first in watch, second in watch) == (True, False)
        watch.forget(first)
        assert watch.watch(second, lambda *_: None)
        assert second in watch
        watch.keep(set())
        assert not len(watch)


async def test_a_process_that_ended_before_it_could_be_held_is_not_taken_for_another() -> None:
    with running("sleep", "1000") as process:
        pid, ticks = identity_of(process.pid)
        assert not PidWatch().watch((pid, ticks + 1), lambda *_: None)
    assert not PidWatch().watch((pid, ticks), lambda *_: None)


async def test_a_process_that_cannot_be_read_is_passed_over_from_then_on(provider: ProcessProvider) -> None:
    row = read_row(os.getpid())
    assert row is not None
    provider._book._reading = row
    provider._book.avoid()
    assert provider._book.of(row).line == ""
