from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.health.health_fakes import StillClock

from switchover.services.processes.process_provider import ProcessProvider
from switchover.services.provider_api import ProcessState, ServiceEvent, ServiceTarget
from switchover_checks.api import Status

PROGRAM = "import sys; print('ready', flush=True); sys.stdin.read()"


class Child:
    """A process that lives until it is told to end, with a word of its own in its command line."""

    def __init__(self, process: asyncio.subprocess.Process, word: str) -> None:
        self.process = process
        self.pid = process.pid
        self.word = word

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


async def start(word: str) -> Child:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, word, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return Child(process, word)


@pytest.fixture
async def child() -> AsyncIterator[Child]:
    started = await start(f"word-{os.getpid()}-one")
    yield started
    await started.end()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def provider(tmp_path: Path, clock: StillClock) -> ProcessProvider:
    return ProcessProvider(tmp_path, clock.monotonic)


async def test_a_process_is_found_by_its_pid_file(provider: ProcessProvider, child: Child, tmp_path: Path) -> None:
    (tmp_path / "api.pid").write_text(f"{child.pid}\n")
    seen = (await provider.inspect([ServiceTarget("api", "process", pid_file="api.pid")]))["api"]
    assert (seen.state, seen.health, seen.pid) == (ProcessState.RUNNING, Status.OK, child.pid)
    assert seen.memory_bytes is not None
    assert seen.memory_bytes > 1_000_000
    assert seen.started_at is not None


async def test_a_process_is_found_by_a_pattern_over_its_command_line(provider: ProcessProvider, child: Child) -> None:
    seen = (await provider.inspect([ServiceTarget("api", "process", pattern=rf"python.* {child.word}$")]))["api"]
    assert (seen.state, seen.pid) == (ProcessState.RUNNING, child.pid)


async def test_a_pattern_never_finds_the_one_who_looks(provider: ProcessProvider) -> None:
    seen = (await provider.inspect([ServiceTarget("me", "process", pattern="pytest.*no such words at all")]))["me"]
    assert seen.state is ProcessState.STOPPED
    assert "no process matches" in seen.detail


async def test_a_process_is_found_by_the_port_it_listens_on(provider: ProcessProvider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        seen = (await provider.inspect([ServiceTarget("api", "process", listen=port)]))["api"]
        assert (seen.state, seen.pid) == (ProcessState.RUNNING, os.getpid())
    gone = (await provider.inspect([ServiceTarget("web", "process", listen=port)]))["web"]
    assert (gone.state, gone.detail) == (ProcessState.STOPPED, f"nothing listens on port {port}")


async def test_the_first_look_has_no_cpu_and_the_second_has(
    provider: ProcessProvider, child: Child, clock: StillClock
) -> None:
    target = ServiceTarget("api", "process", pattern=child.word)
    assert (await provider.inspect([target]))["api"].cpu_percent is None
    clock.advance(2.0)
    second = (await provider.inspect([target]))["api"]
    assert second.cpu_percent is not None
    assert 0 <= second.cpu_percent < 50


async def test_a_process_that_ends_is_stopped_even_before_its_parent_takes_notice(
    provider: ProcessProvider, child: Child, tmp_path: Path
) -> None:
    (tmp_path / "api.pid").write_text(str(child.pid))
    target = ServiceTarget("api", "process", pid_file="api.pid")
    assert (await provider.inspect([target]))["api"].state is ProcessState.RUNNING
    await child.end()
    seen = (await provider.inspect([target]))["api"]
    assert (seen.state, seen.health) == (ProcessState.STOPPED, Status.CRIT)
    assert str(child.pid) in seen.detail


async def test_a_new_process_behind_the_same_name_has_another_identity(
    provider: ProcessProvider, child: Child, tmp_path: Path
) -> None:
    (tmp_path / "api.pid").write_text(str(child.pid))
    target = ServiceTarget("api", "process", pid_file="api.pid")
    before = (await provider.inspect([target]))["api"]
    again = await start("another")
    (tmp_path / "api.pid").write_text(str(again.pid))
    after = (await provider.inspect([target]))["api"]
    await again.end()
    assert (after.pid, before.pid) == (again.pid, child.pid)
    assert after.identity != before.identity
    assert after.cpu_percent is None


async def test_a_process_that_was_halted_by_a_signal_is_not_healthy(provider: ProcessProvider, child: Child) -> None:
    os.kill(child.pid, signal.SIGSTOP)
    await asyncio.to_thread(os.waitpid, child.pid, os.WUNTRACED)
    try:
        seen = (await provider.inspect([ServiceTarget("api", "process", pattern=child.word)]))["api"]
    finally:
        os.kill(child.pid, signal.SIGCONT)
    assert (seen.state, seen.health) == (ProcessState.RUNNING, Status.CRIT)
    assert "SIGSTOP" in seen.detail


@pytest.mark.parametrize(
    ("content", "state", "why"),
    [
        (None, ProcessState.STOPPED, "no pid file api.pid"),
        ("", ProcessState.UNKNOWN, "holds no pid"),
        ("none", ProcessState.UNKNOWN, "holds no pid but 'none'"),
        ("4194999", ProcessState.STOPPED, "pid 4194999 of api.pid is gone"),
    ],
)
async def test_a_pid_file_that_names_no_process_says_so(
    provider: ProcessProvider, tmp_path: Path, content: str | None, state: ProcessState, why: str
) -> None:
    if content is not None:
        (tmp_path / "api.pid").write_text(content)
    seen = (await provider.inspect([ServiceTarget("api", "process", pid_file="api.pid")]))["api"]
    assert seen.state is state
    assert why in seen.detail


async def test_a_pattern_that_is_none_and_a_service_without_any_key_are_unknown(provider: ProcessProvider) -> None:
    seen = await provider.inspect([ServiceTarget("a", "process", pattern="("), ServiceTarget("b", "process")])
    assert seen["a"].state is ProcessState.UNKNOWN
    assert (seen["b"].state, seen["b"].detail) == (ProcessState.UNKNOWN, "needs pid_file, pattern or listen")


async def test_the_busiest_processes_of_the_host_are_listed_first(provider: ProcessProvider, clock: StillClock) -> None:
    first = await provider.discover()
    assert os.getpid() in {found.target.pid for found in first}
    assert all(found.observation.cpu_percent is None for found in first)
    clock.advance(5.0)
    second = await provider.discover()
    used = [round(found.observation.cpu_percent or 0.0) for found in second]
    assert used == sorted(used, reverse=True)
    assert any(found.observation.cpu_percent is not None for found in second)


async def test_the_first_list_does_not_wait_for_who_listens_where_and_the_next_says_it(
    provider: ProcessProvider,
) -> None:
    told: asyncio.Queue[ServiceEvent] = asyncio.Queue()
    with socket.create_server(("127.0.0.1", 0)) as server:
        watch = asyncio.create_task(provider.watch(told.put_nowait))
        try:
            assert (await told.get()).listing
            own = f"process:{os.getpid()}"
            first = {found.target.name: found.observation.ports for found in await provider.discover()}
            assert first[own] == ()
            assert (await told.get()).listing
            second = {found.target.name: found.observation.ports for found in await provider.discover()}
            assert f"127.0.0.1:{server.getsockname()[1]}" in second[own]
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)


async def test_a_command_that_has_just_begun_is_no_service_unless_it_listens(clock: StillClock, tmp_path: Path) -> None:
    provider = ProcessProvider(tmp_path, clock.monotonic, settled_s=10**6)
    with socket.create_server(("127.0.0.1", 0)):
        await provider.discover()  # the first list comes without the ports
        assert os.getpid() in {found.target.pid for found in await provider.discover()}
    assert os.getpid() not in {found.target.pid for found in await provider.discover()}
    await provider.aclose()


async def test_a_process_of_the_plan_is_not_listed_a_second_time(provider: ProcessProvider, tmp_path: Path) -> None:
    (tmp_path / "own.pid").write_text(str(os.getpid()))
    assert os.getpid() in {found.target.pid for found in await provider.discover()}
    await provider.inspect([ServiceTarget("own", "process", pid_file="own.pid")])
    assert os.getpid() not in {found.target.pid for found in await provider.discover()}
