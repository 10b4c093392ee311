"""What the model of the engine acts in: two people at one plan, a clock, a kernel in memory, and a state that is lost.

An engine that is killed raises `Killed` at a write or while it waits, and comes to nothing more after it.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.functional.migration.crash_world import loaded_once
from tests.functional.migration.engine_model.kernel import ModelKernel
from tests.unit.migration.harness import ANA, BEN, Checks, HandClock, Secrets

from switchover.errors import StateError, SwitchoverError
from switchover.locations import workspace_for
from switchover.migration.facts.operator import Operator
from switchover.migration.run.engine import Engine
from switchover.migration.run.store.tools import Tools
from switchover_checks.api import Status

__all__ = ["BEGUN", "PEOPLE", "PLAN", "Killed", "ModelWorld"]

PEOPLE: dict[str, Operator] = {"ana": ANA, "ben": BEN}
BEGUN = 1_800_000_000.0
PLAN = """
schema: 1
id: model
title: A plan for a model
target: shop
checks:
  up: {kind: file, path: plan.yaml, every: 60s, timeout: 10s}
  rows: {kind: file, path: plan.yaml, every: 60s, timeout: 10s}
  dump:
    kind: backup
    path: dump
    max_age: 1h
    sha256: 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
phases:
  - id: a
    steps:
      - {id: s0, run: 'true', effect: changes, rollback: {run: 'true'}}
      - {id: s1, run: 'true', effect: creates, on_unknown: rerun, rollback: {run: 'true'}}
    gate: {require: [up], hold: 10m}
  - id: b
    steps:
      - {id: list, checklist: [{text: look, evidence: text}, {text: look again, evidence: text}]}
      - {id: s2, run: 'true', effect: changes, on_unknown: {verify: [rows]}, rollback: {run: 'true'}}
    gate: {human: go on?, require: [up]}
  - id: c
    steps:
      - {id: s3, run: 'true', effect: destroys, on_unknown: rerun, rollback: {run: 'true'},
         confirm: {text: three, require: [rows], cooldown: 5m}}
      - {id: gone, run: 'true', effect: destroys, rollback: impossible, confirm: {text: gone, require: [dump]}}
    gate: {require: [rows], hold: 1h}
"""
_STEADY = 60  # turns of the loop after which nothing moves while a step runs
_HANGS = 200_000


class Killed(BaseException):
    """The engine is gone."""


class ModelClock(HandClock):
    """Knows how long anybody watched up to each moment; the wall clock jumps while it is waited for."""

    def __init__(self) -> None:
        super().__init__(BEGUN)
        self.watched = 0.0
        self.jumps: list[float] = []
        self.watched_at = {(self.boot, self.mono): 0.0}

    def pass_by(self, seconds: float, *, watched: bool = False) -> None:
        self.advance(seconds)
        self.watched += seconds if watched else 0.0
        self.watched_at[self.boot, self.mono] = self.watched

    def restart(self) -> None:
        """Be of another boot."""
        self.boot, self.mono = f"boot-{int(self.boot.partition('-')[2]) + 1}", 5.0
        self.watched_at[self.boot, self.mono] = self.watched

    async def wait(self, seconds: float) -> None:
        if self.jumps:
            self.wall += self.jumps.pop(0)
        self.pass_by(seconds, watched=True)
        await asyncio.sleep(0)


class _Inline(ThreadPoolExecutor):
    """Does at once what a thread would do some time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


@dataclass
class Seat:
    """An engine of one person, which dies after so many points."""

    engine: Engine | None = None
    left: int = -1
    dead: bool = False
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def pass_point(self, _: str) -> None:
        if self.dead or self.left == 0:
            self.dead = True
            raise Killed
        self.left -= 1


class ModelWorld:
    """A plan, its state, and who is at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "plan.yaml"
        path.write_text(PLAN)
        (folder / "registry").mkdir(mode=0o700)
        self.loaded = loaded_once(path)
        self.workspace = replace(workspace_for(folder / "state", path), registry=folder / "registry")
        self.kernel, self.clock = ModelKernel(), ModelClock()
        self.checks = Checks(self.clock, {name: [Status.OK] for name in ("up", "rows", "dump")})
        self.seats = {name: Seat() for name in PEOPLE}
        self.words: Counter[str] = Counter()  # what people have said of a unit
        self.lost = False  # whether anything of the state was ever lost
        self.told: Counter[str] = Counter()
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(_Inline())

    def engine(self, name: str) -> Engine | None:
        """Return a person's engine, opened where it is not; None where what was lost does not let it."""
        seat = self.seats[name]
        if seat.engine is None:
            seat.left, seat.dead, seat.tasks = -1, False, []
            try:
                seat.engine = self._open(seat)
            except StateError:
                assert self.lost, "refused, and nothing was lost"
                self.told["refused"] += 1
        return seat.engine

    def _open(self, seat: Seat, *, read_only: bool = False) -> Engine:
        async def wait(seconds: float) -> None:
            seat.pass_point("wait")
            await self.clock.wait(seconds)

        tools = Tools(
            self.clock, self.checks, Secrets(), self.kernel, wait, barrier=seat.pass_point, environ={}, grace_s=1.0
        )
        return Engine.open(
            self.loaded,
            self.workspace,
            self.checks,
            self.clock,
            read_only=read_only,
            secrets=tools.secrets,
            tools=tools,
        )

    def looks(self) -> bool:
        """Return whether somebody who only looks is let in."""
        try:
            engine = self._open(Seat(), read_only=True)
        except StateError:
            assert self.lost, "refused, and nothing was lost"
            return False
        engine.run_store.close()
        return True

    def act(self, name: str, action: Callable[[Engine], Coroutine[Any, Any, Any]], left: int = -1) -> None:
        """Let a person act, until it is through, waits for a step, or the engine is dead."""
        engine, seat = self.engine(name), self.seats[name]
        if engine is not None:
            seat.left = left
            seat.tasks.append(self.loop.create_task(action(engine)))
            self.go_on()
            seat.left = -1

    def go_on(self) -> None:
        """Let everything come as far as it comes."""
        self.loop.run_until_complete(self._turn())
        for name, seat in self.seats.items():
            ended = [task for task in seat.tasks if task.done()]
            seat.tasks = [task for task in seat.tasks if not task.done()]
            for task in ended:
                self._judge(None if task.cancelled() else task.exception())
            if seat.dead:
                self.kill(name)

    async def _turn(self) -> None:
        for turn in range(_HANGS):
            await asyncio.sleep(0)
            going = any(not task.done() for seat in self.seats.values() for task in seat.tasks)
            if turn > _STEADY and (not going or any(one.alive for one in self.kernel.shims)):
                return
        raise AssertionError("an action hangs")

    def _judge(self, error: BaseException | None) -> None:
        if error is None or isinstance(error, Killed):
            return
        assert isinstance(error, SwitchoverError), f"a defect: {error!r}"
        said = f"{error.title} {error.hint}"
        assert "defect" not in said, said
        if isinstance(error, StateError):
            assert self.lost or "was not started" in said, said
        self.told[type(error).__name__] += 1

    def kill(self, name: str) -> None:
        """End an engine, which writes nothing more."""
        seat = self.seats[name]
        engine, seat.engine, seat.dead = seat.engine, None, True
        if engine is None:
            return
        engine.run_store._unnoted = None
        for task in seat.tasks:
            task.cancel()
        attached = engine._runner._attached
        ending = [*seat.tasks, *([attached] if attached is not None else [])]
        seat.tasks = []
        self.loop.run_until_complete(_ended(engine, ending))
        engine.run_store.lock._let_go()
        self.told["killed"] += 1

    def close(self, name: str) -> None:
        """Let a person leave, where nothing of theirs goes on."""
        seat = self.seats[name]
        if seat.engine is not None and not seat.tasks and not seat.engine.busy:
            self.loop.run_until_complete(seat.engine.aclose())
            seat.engine = None

    def lose(self, which: int, harm: str) -> None:
        """Take away, empty or cut one file or folder of the state; what was noted of the host stays."""
        root = self.folder / "state"
        places = sorted(path for path in root.rglob("*") if not path.name.endswith("-shm"))
        if not places or not self.kernel.ledger or not root.exists():
            return
        if which % 2 and self.kernel.shims:  # most can be told wrong of what was begun last
            last = Path(self.kernel.shims[-1].directory)
            places = [last, *sorted(last.glob("*"))]
        if self.looks():
            shutil.rmtree(self.folder / "copy", ignore_errors=True)
            shutil.copytree(root, self.folder / "copy", symlinks=True)
        place = places[which % len(places)]
        self.lost = True
        with suppress(OSError):
            if harm == "removed":
                shutil.rmtree(place) if place.is_dir() else place.unlink()
            elif not place.is_dir():
                os.truncate(place, place.stat().st_size // 2 if harm == "cut" else 0)

    def lose_of_the_last_step(self, harm: str) -> None:
        """Let the records of the step that runs be gone, or be those of another; its watcher dies, and the step stays.

        Whoever drove it is killed before, so nobody was told anything.
        """
        running = [one for one in self.kernel.living if one.step_alive and one.alive]
        if not running:
            return
        for name in PEOPLE:
            self.kill(name)
        self.lost = True
        place = Path(running[-1].directory)
        others = [exit_ for exit_ in sorted(place.parent.glob("*/exit.json")) if _is_done(exit_)]
        match harm:
            case "folder":
                shutil.rmtree(place)
            case "another's" if others:
                shutil.copy(others[0], place / "exit.json")
            case _:
                for name in ("started.json", *(("claim", ".exit") if harm == "all" else ())):
                    (place / name).unlink(missing_ok=True)
        running[-1].die()
        self.told[f"{harm} of a step"] += 1

    def copy_state(self) -> None:
        """Keep a copy of the whole state directory, as a backup does."""
        quiet = not any(seat.tasks for seat in self.seats.values())
        if quiet and self.workspace.journal.exists() and self.looks():
            shutil.rmtree(self.folder / "backup", ignore_errors=True)
            shutil.copytree(self.folder / "state", self.folder / "backup", symlinks=True)

    def put_state_back(self, *, emptied: bool) -> None:
        """Let the state directory be gone, or be the copy that was kept of it. What was noted of the host stays."""
        backup = self.folder / "backup"
        if not self.kernel.ledger or not (emptied or backup.exists()):
            return
        for name in PEOPLE:
            self.kill(name)
        self.lost = True
        shutil.rmtree(self.folder / "state", ignore_errors=True)
        if not emptied:
            shutil.copytree(backup, self.folder / "state", symlinks=True)
        self.told["state put back"] += 1

    def bring_back(self) -> None:
        """Put the last copy of the journal in its place, as whoever was refused is told to."""
        journal = self.workspace.journal
        copy = self.folder / "copy" / journal.relative_to(self.folder / "state")
        if not copy.exists() or self.looks():
            return
        for name in PEOPLE:
            self.kill(name)
        journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for end in ("", "-wal", "-shm"):
            journal.with_name(journal.name + end).unlink(missing_ok=True)
            if end != "-shm" and (part := copy.with_name(copy.name + end)).exists():
                shutil.copy(part, journal.with_name(journal.name + end))

    def reboot(self) -> None:
        """Let the machine go down and come up again."""
        for name in PEOPLE:
            self.kill(name)
        self.kernel.end_all()
        self.clock.restart()

    def end(self) -> None:
        for name in PEOPLE:
            self.kill(name)
        self.kernel.forget()
        while left := asyncio.all_tasks(self.loop):
            self.loop.run_until_complete(_cancelled(left))
        self.loop.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _is_done(record: Path) -> bool:
    return bool(json.loads(record.read_bytes()).get("exit_code") == 0)


async def _ended(engine: Engine, tasks: Collection[asyncio.Task[Any]]) -> None:
    await _cancelled(tasks)
    with suppress(Killed, Exception):
        await engine.aclose()


async def _cancelled(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
