"""One seeded trial of the crash matrix: a plan is carried through while everybody is killed at every kind of moment.

A trial runs in a process of its own (the *world*), which inherits every orphan and so can end all of them, and can
imitate a loss of power. Engines are forked from it, so that a trial costs no start of an interpreter.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.functional.migration.crash_plan import plan_text
from tests.functional.migration.crash_processes import ForkedLauncher, end_all_below, kill_after
from tests.functional.migration.crash_rules import Ledger, check_promises
from tests.unit.migration.harness import ANA, BEN, Checks, DyingLauncher, Secrets, first_damage

from switchover.clock import SystemClock
from switchover.errors import RefusedError, StateError
from switchover.locations import workspace_for
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_fold import fold
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.journal.checkpoints import NEWEST
from switchover.migration.journal.sqlite_journal import Journal
from switchover.migration.run.engine import Engine
from switchover.migration.run.store.tools import Tools
from switchover.plan.loader.load import LoadedPlan, load_plan_text
from switchover_checks.api import Status

__all__ = ["Fate", "World", "loaded_once"]

SHIM_DEATHS = (
    "before-claim",
    "after-claim",
    "after-started",
    "after-release",
    "before-exit",
    "before-exit-rename",
    "before-exit-flush",
    "after-exit",
    "launcher-after-fork",
)
ROUNDS_WITH_DEATHS = 7
MOST_ROUNDS = 40


class Boots(SystemClock):
    """A clock that may be of another boot."""

    def __init__(self, boot: int) -> None:
        self.boot = boot

    def boot_id(self) -> str:
        return f"boot {self.boot}"


@dataclass
class Fuse:
    """Kills this process when it has passed `left` barriers; never where that is negative."""

    left: int
    passed: list[str] = field(default_factory=list)

    def __call__(self, point: str) -> None:
        self.passed.append(point)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


@dataclass
class Fate:
    """What befalls one round: who dies where, and whether the power fails after it."""

    fuse: int = -1
    deaths: list[str] = field(default_factory=list)
    killed_after_s: float | None = None
    power_fails: bool = False
    real_launcher: bool = False
    barrier: Callable[[str], None] | None = None


class World:
    """A folder with a plan, its state, and the ledger that its steps write."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.dice = random.Random(seed)
        self.boot = 1
        path = folder / "plan.yaml"
        path.write_text(plan_text(seed))
        (folder / "dump").write_text("x")
        self.loaded = loaded_once(path)
        self.workspace = replace(workspace_for(folder / "state", path), registry=folder / "registry")
        (folder / "registry").mkdir(mode=0o700)
        self.log = folder / "log"
        self.told: Counter[str] = Counter()

    def engine(self, fate: Fate, *, read_only: bool = False) -> Engine:
        clock = Boots(self.boot)
        checks = Checks(clock, {"up": [Status.OK], "dump": [Status.OK]})
        launcher = DyingLauncher("".join(fate.deaths[:1])) if fate.real_launcher else ForkedLauncher(fate.deaths)
        tools = Tools(
            clock, checks, Secrets(), launcher, asyncio.sleep, barrier=fate.barrier or Fuse(fate.fuse), grace_s=5.0
        )
        return Engine.open(
            self.loaded, self.workspace, checks, clock, read_only=read_only, secrets=tools.secrets, tools=tools
        )

    def play(self) -> None:
        """Carry the plan through, against all that befalls it; check the promises after every round."""
        for number in range(MOST_ROUNDS):
            fate = self.fate(number)
            self.carry_on(fate, number)
            if fate.power_fails:
                self.lose_power()
            state = self.verify()
            if state.finished:
                break
        else:
            raise AssertionError(f"not through after {MOST_ROUNDS} rounds: {self.verify()}")
        end_all_below()
        self.verify(at_the_end=True)

    def fate(self, number: int) -> Fate:
        """Draw what befalls a round; the last ones are spared, so that a trial ends."""
        dice = self.dice
        if number >= ROUNDS_WITH_DEATHS:
            return Fate()
        fate = Fate(power_fails=dice.random() < 0.25, real_launcher=dice.random() < 0.05)
        kind = dice.choice(("engine", "engine", "shim", "shim", "both", "at any time"))
        if kind in ("engine", "both"):
            fate.fuse = dice.randrange(1, 24)
        if kind in ("shim", "both"):
            spared = 0 if fate.real_launcher else dice.randrange(3)
            fate.deaths = [""] * spared + [dice.choice(SHIM_DEATHS)]
        if kind == "at any time":
            fate.killed_after_s = dice.random() * 0.04
        self.told[kind] += 1
        return fate

    def carry_on(self, fate: Fate, number: int) -> None:
        """Let an engine go as far as it comes, in a process of its own."""
        seed = self.dice.random()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                asyncio.run(asyncio.wait_for(self._drive(fate, random.Random(seed), number), 60))
                code = 0
            except BaseException:
                (self.folder / "trouble").write_text(traceback.format_exc())
            finally:
                os._exit(code)
        if fate.killed_after_s is not None:
            kill_after(pid, fate.killed_after_s)
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if ended not in (0, -signal.SIGKILL):
            raise AssertionError((self.folder / "trouble").read_text())

    async def _drive(self, fate: Fate, dice: random.Random, number: int) -> None:
        engine = self.engine(fate)
        try:
            with suppress(StateError):  # a watcher or launcher that dies too early is told; the next round goes on
                await self._go_on(engine, dice, number)
        finally:
            await engine.aclose()

    async def _go_on(self, engine: Engine, dice: random.Random, number: int) -> None:
        await engine.recover(ANA)
        await engine.settled()
        if engine.action.kind == "resolve":
            await self._resolve(engine, engine.action.unit, dice, number)
        action = engine.action
        stays = engine.state.rollback is None
        if action.kind == "rollback" or (action.kind == "failed" and not (stays and dice.random() < 0.8)):
            try:
                again = (action.unit,) if action.kind == "failed" and not stays else ()
                await engine.rollback(None, BEN, again=again)
            except RefusedError:  # nothing began that could be undone, or what cannot be
                if action.kind == "rollback":
                    raise
            else:
                return
        retry = (action.unit,) if action.kind == "failed" else ()
        await engine.drive(ANA, confirmations={"gone": "remove it all"}, retry=retry)

    async def _resolve(self, engine: Engine, unit: str, dice: random.Random, number: int) -> None:
        """Decide as a person who looks would: what has written its end is done, the rest may be anything."""
        choices = ["retry", "failed", "rollback", "done"] if engine.state.rollback is None else ["retry", "done"]
        choice = dice.choice(choices)
        while True:
            try:
                await engine.resolve(unit, choice, f"looked, round {number}", BEN)
            except RefusedError as error:
                if "still runs" not in error.title:
                    if choice != "rollback":
                        raise
                    choice = "failed"  # nothing began that could be undone, or what cannot be
                await asyncio.sleep(0.002)
            else:
                return

    def lose_power(self) -> None:
        """End every process, forget what was never flushed, and come up under another boot id."""
        end_all_below()
        self.boot += 1
        self.forget_what_was_not_flushed()

    def forget_what_was_not_flushed(self) -> None:
        """Take away, by chance, what a loss of power may take; what was flushed stays."""
        for attempt in self.workspace.directory.glob("runs/*/*"):
            for name in ("claim", "started.json", "shim-error"):
                if self.dice.random() < 0.5:
                    (attempt / name).unlink(missing_ok=True)
                elif (attempt / name).exists() and self.dice.random() < 0.3:
                    (attempt / name).write_bytes(b"")
            for output in attempt.glob("out-*"):
                if self.dice.random() < 0.5:
                    os.truncate(output, output.stat().st_size // 2)
        shutil.rmtree(self.workspace.root / "targets", ignore_errors=True)
        for note in (self.workspace.directory / NEWEST, *(self.folder / "registry").iterdir()):
            if self.dice.random() < 0.3:
                note.unlink(missing_ok=True)
        self.workspace.journal.with_name(self.workspace.journal.name + "-shm").unlink(missing_ok=True)

    def verify(self, *, at_the_end: bool = False) -> RunState:
        """Raise `AssertionError` where a promise is broken; return where the run stands."""
        ledger = Ledger.read(self.log)
        records = self.records()
        if not records:
            assert not ledger.lines
            return RunState()
        state = fold(records)
        check_promises(self.loaded.plan, records, ledger, self.workspace.run_directory("1"), at_the_end=at_the_end)
        if state.stage is Stage.UNKNOWN:
            self._shown(state)
        self.told["unknown"] += sum(unit.stage is Stage.UNKNOWN for unit in state.units.values())
        return state

    def records(self) -> list[ev.Record]:
        """Return all that is on record, whose chain is whole."""
        journal = Journal.open(self.workspace.journal, SystemClock(), create=False)
        if journal is None:
            return []
        with journal:
            assert first_damage(journal) is None
            assert len(journal.runs()) <= 1
            return journal.records("1")

    def _shown(self, state: RunState) -> None:
        """An outcome that is not known is shown as that, with its reason and what a person may say."""
        engine = self.engine(Fate(), read_only=True)
        try:
            view = engine.view()
            unit = next(name for name, unit in state.units.items() if unit.stage is Stage.UNKNOWN)
            assert (view.state, view.action.kind, view.current_step) == ("unknown", "resolve", unit)
            assert engine.state.unit(unit).reason
            if state.rollback is None:
                step = engine.view_step(unit)
                assert (step.state, step.choices) == ("unknown", ("done", "failed", "retry", "rollback"))
                assert step.reason
        finally:
            engine.run_store.close()


_PLANS: dict[str, LoadedPlan] = {}


def loaded_once(path: Path) -> LoadedPlan:
    """Load a plan, once for each text."""
    text = path.read_text()
    if text not in _PLANS:
        _PLANS[text] = load_plan_text(text, path)
    return replace(_PLANS[text], path=path, directory=path.parent)
