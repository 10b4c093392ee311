"""Whatever breaks: a step on another machine runs once, its end is learnt, and what nobody can know is unknown."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.breaking_line import BreakingLines
from tests.support.far_host import FarHost
from tests.unit.migration.harness import ANA, OPENED, Bench, open_bench

from switchover.errors import RefusedError
from switchover.hosts.host_line import HostLine
from switchover.migration.run.store.far_left import list_left
from switchover.migration.steps.far_parts import FAR_PARTS

PLAN = """
hosts: {{db: {{ssh: far}}}}
phases:
  - id: a
    steps:
      - id: there
        run: |
          echo ran >> {folder}/log
          echo first
          echo $$ > {folder}/pid
          until test -e {folder}/go; do sleep 0.02; done
          echo last
        run_on: db
        effect: {effect}
        on_unknown: {policy}
        rollback: not_needed
"""


class World:
    """An engine, its line, and the machine there."""

    def __init__(self, folder: Path, far: FarHost, *, effect: str = "changes", policy: str = "ask") -> None:
        self.folder = folder
        self.far = far
        self.lines = self.new_lines()
        self.bench = open_bench(
            folder, PLAN.format(folder=folder, effect=effect, policy=policy), hosts=self.lines, grace_s=0.2
        )
        self.running: asyncio.Task[object] | None = None

    def new_lines(self) -> BreakingLines:
        return BreakingLines(FAR_PARTS, ("-F", str(self.far.client)))

    @property
    def line(self) -> HostLine:
        return self.lines.to("far")

    @property
    def ran(self) -> int:
        """How often the step began."""
        log = self.folder / "log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    @property
    def output(self) -> str:
        return self.bench.engine.read_output("there", 1, 0, 1 << 20)[0]

    def attempt(self) -> Path:
        last = self.bench.engine.state.unit("there").last
        assert last is not None
        assert last.far is not None
        return Path(last.far.directory)

    def let_go(self) -> None:
        (self.folder / "go").touch()

    async def begin(self) -> None:
        """Let the step begin, and return once it waits there."""
        self.running = asyncio.ensure_future(self.bench.engine.drive(ANA))
        await self.until(lambda: (self.folder / "pid").exists() and "first" in self.output)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not true():  # noqa: ASYNC110 - other processes make it true
                await asyncio.sleep(0.01)

    async def end(self) -> str:
        """Wait until the drive goes no further; return the step's stage."""
        if self.running is not None:
            await self.running
        return self.bench.stage("there")

    async def another_agent(self) -> Bench:
        """Open an engine after the first is gone, as one after a crash."""
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait({self.running})
        OPENED.remove(self.bench)
        await self.bench.engine.aclose()
        self.lines = self.new_lines()
        self.bench = open_bench(self.folder, hosts=self.lines, grace_s=0.2)
        self.running = None
        return self.bench


@pytest.fixture
def world(tmp_path: Path, far: FarHost) -> World:
    return World(tmp_path, far)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _kill_ssh(world: World) -> None:
    assert world.line.pid is not None
    os.kill(world.line.pid, signal.SIGKILL)


def _kill_server(world: World) -> None:
    os.kill(int(world.line.hello["pid"]), signal.SIGKILL)


def _kill_sshd(world: World) -> None:
    os.kill(_parent(int(world.line.hello["pid"])), signal.SIGKILL)


@pytest.mark.parametrize("kill", [_kill_ssh, _kill_server, _kill_sshd])
async def test_a_line_that_breaks_loses_neither_output_nor_end(world: World, kill: Callable[[World], None]) -> None:
    await world.begin()
    kill(world)
    world.let_go()
    assert await world.end() == "done"
    assert (world.ran, world.output) == (1, "first\nlast\n")


async def test_an_agent_that_dies_is_followed_by_one_that_finds_the_step_running(world: World) -> None:
    await world.begin()
    engine = (await world.another_agent()).engine
    await engine.recover(ANA)
    assert world.bench.stage("there") == "running"
    world.let_go()
    await engine.settled()
    assert world.bench.stage("there") == "done"
    assert (world.ran, world.output) == (1, "first\nlast\n")


async def test_an_agent_that_dies_is_followed_by_one_that_learns_the_end(world: World) -> None:
    await world.begin()
    attempt = world.attempt()
    engine = (await world.another_agent()).engine
    world.let_go()
    await world.until((attempt / "exit.json").exists)
    await engine.recover(ANA)
    assert world.bench.stage("there") == "done"
    assert (world.ran, world.output) == (1, "first\nlast\n")
    await engine.aclose()
    assert world.far.attempts == []


POINTS = [
    ("server-before-fork", "never"),
    ("server-after-fork", "done"),
    ("before-claim", "never"),
    ("after-claim", "never"),
    ("after-started", "unknown"),
    ("after-release", "unknown"),
    ("before-exit", "unknown"),
    ("before-exit-rename", "unknown"),
    ("before-exit-flush", "done"),
    ("after-exit", "done"),
]


@pytest.mark.parametrize(("point", "becomes"), POINTS)
async def test_what_ends_there_in_the_midst_is_never_run_twice(world: World, point: str, becomes: str) -> None:
    world.let_go()
    world.lines.die_at = point
    world.running = asyncio.ensure_future(world.bench.engine.drive(ANA))
    await asyncio.wait({world.running})
    if becomes == "never":
        assert (world.bench.stage("there"), world.ran) == ("pending", 0)
        await world.bench.engine.drive(ANA)
        assert (world.bench.stage("there"), world.ran) == ("done", 1)
        return
    assert world.bench.stage("there") == becomes, world.bench.engine.state.unit("there").reason
    await world.bench.engine.drive(ANA)
    assert world.bench.stage("there") == becomes
    assert world.ran <= 1


async def test_a_watcher_that_is_killed_there_leaves_it_unknown_and_what_runs_on_is_named(world: World) -> None:
    await world.begin()
    claim = (world.attempt() / "claim").read_text()
    os.kill(int(claim.partition('"shim": ')[2].split(",")[0]), signal.SIGKILL)
    assert await world.end() == "unknown"
    pid = (world.folder / "pid").read_text().strip()
    assert f"db: its watcher there was killed; of the step itself still ran then: pid {pid}" in (
        world.bench.engine.state.unit("there").reason
    )
    with pytest.raises(RefusedError, match=f"still runs without its watcher: .*pid {pid} on db"):
        await world.bench.engine.resolve("there", "retry", "try", ANA)
    await world.bench.engine.abort(ANA, "end it")
    (left,) = list_left(world.bench.engine.run_store.workspace.directory)
    assert str(left).startswith("db: ~/.switchover-far/p-")
    await world.bench.engine.resolve("there", "retry", "it is ended", ANA)
    assert world.bench.stage("there") == "pending"


async def test_a_machine_that_was_restarted_leaves_it_unknown(tmp_path: Path, far: FarHost) -> None:
    world = World(tmp_path, far)
    world.lines.boot_id = tmp_path / "boot"
    world.lines.boot_id.write_text("first")
    await world.begin()
    (tmp_path / "boot").write_text("second")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)  # nothing outlives a restart
    os.kill(int((world.attempt() / "claim").read_text().partition('"shim": ')[2].split(",")[0]), signal.SIGKILL)
    _kill_server(world)
    assert await world.end() == "unknown"
    assert "db: that machine was restarted while it ran" in world.bench.engine.state.unit("there").reason


async def test_records_that_are_gone_there_leave_it_unknown(world: World) -> None:
    await world.begin()
    shutil.rmtree(world.attempt())
    os.kill(int((world.folder / "pid").read_text()), signal.SIGKILL)
    engine = (await world.another_agent()).engine
    await engine.recover(ANA)
    await engine.settled()
    assert world.bench.stage("there") in ("unknown", "failed")  # its watcher may have laid its end down anew
    assert world.ran == 1


async def test_a_step_whose_records_are_gone_there_can_still_be_stopped(world: World) -> None:
    await world.begin()
    shutil.rmtree(world.attempt())
    await world.bench.engine.abort(ANA, "end it")
    assert await world.end() in ("failed", "unknown")
    assert not (world.folder / "go").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((world.folder / "pid").read_text()), 0)


async def test_a_machine_that_answers_no_more_leaves_it_unknown_and_its_end_is_learnt_late(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.begin()
    away = world.far.client.with_name("away")
    world.far.client.rename(away)
    monkeypatch.setattr("switchover.migration.run.far.far_work._AFTER_A_STOP_S", 0.5)
    try:
        _kill_ssh(world)
        await world.until(lambda: world.bench.engine.state.unit("there").stage == "running" and not world.line.is_there)
        await world.bench.engine.abort(ANA, "it answers no more")
        assert await world.end() == "unknown"
        assert "db cannot be asked (ssh: " in world.bench.engine.state.unit("there").reason
    finally:
        away.rename(world.far.client)
    attempt = world.attempt()
    world.let_go()
    await world.until((attempt / "exit.json").exists)
    await world.bench.engine.recover(ANA)
    (last,) = world.bench.engine.state.unit("there").attempts
    assert last.late.startswith("attempt 1 ended after all, as was known too late: done")
    assert (world.bench.stage("there"), world.ran) == ("unknown", 1)
    await world.bench.engine.aclose()
    assert not attempt.exists()


async def test_a_stop_reaches_the_machine_there(world: World) -> None:
    await world.begin()
    await world.bench.engine.abort(ANA, "enough")
    assert await world.end() == "failed"
    reason = world.bench.engine.state.unit("there").reason
    assert "stopped by ana: enough" in reason
    await world.until(lambda: not Path(f"/proc/{(world.folder / 'pid').read_text().strip()}").exists())


async def test_a_stop_waits_for_the_line_to_come_back(world: World) -> None:
    await world.begin()
    away = world.far.client.with_name("away")
    world.far.client.rename(away)
    _kill_ssh(world)
    await world.until(lambda: not world.line.is_there)
    await world.bench.engine.abort(ANA, "enough")
    away.rename(world.far.client)
    assert await world.end() == "failed"
    assert "stopped by ana: enough" in world.bench.engine.state.unit("there").reason
