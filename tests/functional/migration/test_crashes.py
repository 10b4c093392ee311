"""Kill -9 of everybody in turn, at every point: nothing runs twice, no end is lost, and what is not known is asked."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, SHARED, Bench, Checks, first_damage, open_bench

from switchover.clock import SystemClock
from switchover.errors import LockedError, RefusedError, StateError
from switchover.migration.steps.attempt import AttemptFolder
from switchover_checks.api import Status

PLAN = """
checks: {up: {kind: tcp, host: localhost, port: 1}}
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log', effect: changes, rollback: {run: 'echo undo-one >> log'}}
      - {id: two, run: 'echo two >> log', effect: changes, rollback: {run: 'echo undo-two >> log'}}
    gate: {require: [up]}
  - id: b
    steps:
      - {id: three, run: 'echo three >> log', effect: changes, rollback: {run: 'echo undo-three >> log'}}
"""
FORWARD = ["one", "two", "three"]
BACK = ["undo-three", "undo-two", "undo-one"]
KEY = random.Random(20)


@dataclass
class Fuse:
    """Kills this process when it has passed `left` points."""

    left: int
    passed: list[str] = field(default_factory=list)

    def __call__(self, point: str) -> None:
        self.passed.append(point)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def _bench(directory: Path, text: str | None = None, **more: object) -> Bench:
    checks = Checks(SystemClock(), {"up": [Status.OK]})
    return open_bench(directory, text, checks=checks, **more)  # type: ignore[arg-type]


async def _carry(
    directory: Path, fuse: Callable[[str], None] | None = None, *, back: bool = False, die_at: str = ""
) -> str:
    bench = _bench(directory, die_at=die_at)
    if fuse is not None:
        object.__setattr__(bench.engine.run_store.tools, "barrier", fuse)
    try:
        if back:
            await bench.engine.recover(ANA)
            await bench.engine.settled()
            await bench.engine.rollback(None, ANA)
            return bench.engine.state.stage.value
        return (await bench.engine.drive(ANA)).kind
    finally:
        await bench.engine.aclose()


def _in_a_child(work: Callable[[], object]) -> int:
    """Do `work` in a process of its own; return how it ended, as `waitstatus_to_exitcode` says it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _points(tmp_path: Path, *, back: bool) -> int:
    (tmp_path / "count").mkdir()
    _bench(tmp_path / "count", PLAN).engine.run_store.close()
    fuse = Fuse(-1)
    asyncio.run(_carry(tmp_path / "count", None if back else fuse))
    if back:
        # A run that is done can still be gone back on: its end does not close the way.
        asyncio.run(_carry(tmp_path / "count", fuse, back=True))
    return len(fuse.passed)


@pytest.mark.parametrize("back", [False, True], ids=["forward", "back"])
def test_killed_before_or_after_any_write_nothing_runs_twice_and_no_end_is_lost(tmp_path: Path, back: bool) -> None:
    points = _points(tmp_path, back=back)
    assert points > 20
    stride = 3 if SHARED else 1  # each write to a database takes longer: a third of the points, others forth than back
    for point in range(int(back), points, stride):
        directory = tmp_path / f"{point}"
        directory.mkdir()
        _bench(directory, PLAN).engine.run_store.close()
        if back:
            asyncio.run(_carry(directory))
        ended = _in_a_child(lambda d=directory, p=point: asyncio.run(_carry(d, Fuse(p), back=back)))  # type: ignore[misc]
        assert ended == -signal.SIGKILL, point
        for _ in range(3):
            outcome = asyncio.run(_carry(directory, back=back and not _is_back(directory)))
            if outcome in ("done", "rolled_back", "failed"):
                break
        bench = _bench(directory)
        expected = FORWARD + (BACK if back else [])
        assert bench.log == expected, point
        assert bench.engine.state.stage == ("rolled_back" if back else "done"), point
        journal = bench.engine.run_store.journal
        assert journal is not None
        assert first_damage(journal) is None
        bench.engine.run_store.close()


def _is_back(directory: Path) -> bool:
    bench = _bench(directory)
    try:
        return bench.engine.state.stage == "rolled_back"
    finally:
        bench.engine.run_store.close()


def test_killed_again_and_again_at_random_it_still_comes_through(tmp_path: Path) -> None:
    for trial in range(6):
        if SHARED and trial > 1:
            break
        directory = tmp_path / f"{trial}"
        directory.mkdir()
        _bench(directory, PLAN).engine.run_store.close()
        for _ in range(60):
            fuse = Fuse(KEY.randrange(9))
            if _in_a_child(lambda d=directory, f=fuse: asyncio.run(_carry(d, f))) == 0:  # type: ignore[misc]
                break
        bench = _bench(directory)
        assert bench.log == FORWARD
        assert bench.engine.state.stage == "done"
        bench.engine.run_store.close()


@pytest.mark.parametrize("point", ["before-claim", "after-claim", "launcher-after-fork"])
async def test_a_watcher_killed_before_the_command_began_means_it_never_ran(tmp_path: Path, point: str) -> None:
    bench = _bench(tmp_path, PLAN, die_at=point)
    with suppress(StateError):  # the launcher may die before or after its shim has taken the attempt
        await bench.engine.drive(ANA)
    assert bench.stage("one") in ("pending", "done")
    assert (await bench.engine.drive(ANA)).kind == "done"
    assert bench.log == FORWARD
    await bench.engine.aclose()


@pytest.mark.parametrize("point", ["after-started", "after-release", "before-exit", "before-exit-rename"])
async def test_a_watcher_killed_while_the_command_ran_means_unknown_never_again(tmp_path: Path, point: str) -> None:
    bench = _bench(tmp_path, PLAN, die_at=point)
    outcome = await bench.engine.drive(ANA)
    assert outcome.kind == "unknown"
    assert "its watcher was killed" in outcome.text
    assert "--resolve one=done|failed|retry|rollback" in outcome.hint
    before = bench.log
    assert (await bench.engine.drive(ANA)).kind == "unknown"
    view = bench.engine.view().phases[0].steps[0]
    assert (view.state, view.choices) == ("unknown", ("done", "failed", "retry", "rollback"))
    await _all_gone(bench)
    await bench.engine.resolve("one", "done", "looked at the log", BEN)
    assert (await bench.engine.drive(ANA)).kind == "done"
    assert bench.log[-2:] == ["two", "three"]
    assert len(bench.log) <= len(before) + 3
    await bench.engine.aclose()


async def test_a_watcher_killed_after_its_record_loses_nothing(tmp_path: Path) -> None:
    bench = _bench(tmp_path, PLAN, die_at="after-exit")
    assert (await bench.engine.drive(ANA)).kind == "done"
    assert bench.log == FORWARD
    await bench.engine.aclose()


async def _all_gone(bench: Bench) -> None:
    unit = bench.engine.state.unit("one")
    assert unit.last is not None
    attempt = AttemptFolder.of(bench.engine.run_store.workspace.run_directory("1"), "one", unit.last.number)
    async with asyncio.timeout(20):
        while attempt.alive(SystemClock().boot_id()):  # noqa: ASYNC110 - another process ends
            await asyncio.sleep(0.005)


def _wait_for(path: Path) -> None:
    give_up = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < give_up, path
        time.sleep(0.005)


SLOW = """
phases:
  - id: a
    steps:
      - {id: s, run: 'echo s >> log; touch up; while ! [ -e go ]; do sleep 0.01; done; exit 7', effect: changes%s}
"""


def _start_and_kill(directory: Path, extra: str = "") -> None:
    """Start the slow step and kill the engine (with its launcher) while it runs."""
    _bench(directory, SLOW % extra).engine.run_store.close()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            asyncio.run(_carry(directory))
        os._exit(0)
    _wait_for(directory / "up")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_step_that_outlives_its_engine_is_attached_to_and_its_real_end_recorded(tmp_path: Path) -> None:
    _start_and_kill(tmp_path)

    async def resume() -> None:
        bench = _bench(tmp_path)
        assert bench.engine.view().state == "running"
        assert bench.engine.lost_sight_of() == ()
        await bench.engine.recover(BEN)
        assert bench.engine.busy == "step s"
        with pytest.raises(RefusedError, match="s runs"):
            await bench.engine.run_next(BEN)
        (tmp_path / "go").touch()
        await bench.engine.settled()
        unit = bench.engine.state.unit("s")
        assert unit.last is not None
        assert (unit.stage, unit.last.exit_code, unit.last.by.who) == ("failed", 7, "ana")
        assert bench.log == ["s"]
        await bench.engine.aclose()

    asyncio.run(asyncio.wait_for(resume(), 60))


def test_an_end_that_nobody_saw_is_found(tmp_path: Path) -> None:
    _start_and_kill(tmp_path)
    (tmp_path / "go").touch()
    (exit_record,) = [p / "exit.json" for p in tmp_path.glob("state/workspaces/*/runs/1/s.1")]
    _wait_for(exit_record)
    outcome = asyncio.run(_carry(tmp_path))
    bench = _bench(tmp_path)
    last = bench.engine.state.unit("s").last
    assert last is not None
    assert (outcome, last.exit_code, bench.log) == ("failed", 7, ["s"])
    bench.engine.run_store.close()


def test_an_attached_step_can_be_aborted(tmp_path: Path) -> None:
    _start_and_kill(tmp_path)

    async def resume() -> None:
        bench = _bench(tmp_path, grace_s=5.0)
        await bench.engine.recover(BEN)
        await bench.engine.abort(BEN, "enough")
        await bench.engine.settled()
        assert bench.engine.state.unit("s").reason == "stopped by ben: enough"
        await bench.engine.aclose()

    asyncio.run(asyncio.wait_for(resume(), 60))


def _kill_shim(directory: Path) -> None:
    import json

    (attempt,) = directory.glob("state/workspaces/*/runs/1/s.1")
    os.kill(json.loads((attempt / "claim").read_text())["shim"], signal.SIGKILL)


def test_while_an_orphan_runs_it_is_not_run_again(tmp_path: Path) -> None:
    _start_and_kill(tmp_path)
    _kill_shim(tmp_path)

    async def resume() -> None:
        bench = _bench(tmp_path)
        async with asyncio.timeout(20):
            while not bench.engine.lost_sight_of():  # noqa: ASYNC110 - another process ends
                await asyncio.sleep(0.005)
        await bench.engine.recover(BEN)
        assert "still ran then: pid" in bench.engine.state.unit("s").reason
        for choice in ("retry", "done", "rollback"):
            with pytest.raises(RefusedError, match="still runs without its watcher"):
                await bench.engine.resolve("s", choice, "because", BEN)
        await bench.engine.abort(BEN, "end the orphan")
        async with asyncio.timeout(20):
            while True:
                try:
                    await bench.engine.resolve("s", "retry", "ended it", BEN)
                    break
                except RefusedError:
                    await asyncio.sleep(0.005)
        (tmp_path / "go").touch()
        await bench.engine.run_next(BEN)
        assert bench.log == ["s", "s"]
        await bench.engine.aclose()

    asyncio.run(asyncio.wait_for(resume(), 60))


@pytest.mark.parametrize(
    ("extra", "up", "stage", "text"),
    [
        (", on_unknown: ask", Status.OK, "unknown", "restarted"),
        (", on_unknown: {verify: [up]}", Status.OK, "done", "verified by up"),
        (", on_unknown: {verify: [up]}", Status.WARN, "unknown", "could not be verified: up warns"),
    ],
)
def test_after_a_restart_of_the_machine_the_outcome_is_unknown_and_the_plan_says_what_then(
    tmp_path: Path, extra: str, up: Status, stage: str, text: str
) -> None:
    directory = tmp_path
    plan = "checks: {up: {kind: tcp, host: localhost, port: 1, every: 15s}}\n" + SLOW % extra
    _bench(directory, plan).engine.run_store.close()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            asyncio.run(_carry(directory))
        os._exit(0)
    _wait_for(directory / "up")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    class AnotherBoot(SystemClock):
        def boot_id(self) -> str:
            return "another boot"

    async def resume() -> None:
        checks = Checks(SystemClock(), {"up": [up]})
        bench = open_bench(directory, clock=AnotherBoot(), checks=checks)
        await bench.engine.recover(BEN)
        unit = bench.engine.state.unit("s")
        assert unit.stage == stage
        assert text in unit.reason
        await bench.engine.aclose()

    try:
        asyncio.run(asyncio.wait_for(resume(), 60))
    finally:
        (directory / "go").touch()


async def test_retry_by_itself_only_where_the_plan_allows_it(tmp_path: Path) -> None:
    steps = "phases: [{id: a, steps: [{id: one, run: 'echo one >> log', effect: %s, on_unknown: rerun}]}]"
    bench = _bench(tmp_path, steps % "creates", die_at="before-exit")
    assert (await bench.engine.drive(ANA)).kind == "done"
    assert bench.log == ["one", "one"]
    await bench.engine.aclose()


def test_two_that_start_at_once_one_runs_and_the_other_is_refused(tmp_path: Path) -> None:
    _bench(tmp_path, PLAN).engine.run_store.close()
    for trial in range(4):
        directory = tmp_path / f"{trial}"
        directory.mkdir()
        _bench(
            directory,
            PLAN.replace("echo one >> log", "echo one >> log; touch up; while ! [ -e go ]; do sleep 0.01; done"),
        ).engine.run_store.close()
        ready, start = os.pipe()
        pids = []
        for _ in range(2):
            pid = os.fork()
            if pid == 0:
                os.close(start)
                code = 1
                with suppress(BaseException):
                    os.read(ready, 1)
                    try:
                        asyncio.run(_carry(directory))
                        code = 0
                    except LockedError as error:
                        code = error.exit_code
                    finally:
                        (directory / "go").touch()
                os._exit(code)
            pids.append(pid)
        os.close(ready)
        os.close(start)
        codes = sorted(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids)
        assert codes == [0, 5]
        bench = _bench(directory)
        assert bench.log == FORWARD
        bench.engine.run_store.close()
