"""One seeded trial of the loss matrix: parts of the state are taken away, cut or exchanged for older copies.

In most trials what is noted outside of the state directory (the host's registry, or a journal in PostgreSQL) stays;
in the others it is the registry that is harmed, and the state directory stays. Whatever is lost, nothing is called done
that was not, and nothing runs twice without a person's word. A run may be refused.
"""

from __future__ import annotations

import os
import random
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tests.functional.migration.crash_processes import end_all_below
from tests.functional.migration.crash_rules import Ledger, check_promises
from tests.functional.migration.crash_world import Fate, Fuse, World

from switchover.clock import SystemClock
from switchover.errors import StateError
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_fold import fold
from switchover.migration.journal.journal_store import open_journal
from switchover.settings import JournalAddress

__all__ = ["LossWorld"]

ROUNDS = 12
OF_THE_REGISTRY = 5  # of so many trials, one
HARMS = ("removed", "emptied", "cut", "older copy")


class LossWorld(World):
    """A world in which the state directory, or the registry of the host, is not safe."""

    def __init__(self, folder: Path, seed: int, shared: JournalAddress | None = None) -> None:
        super().__init__(folder, seed)
        self.workspace = replace(self.workspace, shared=shared)
        self.harmed = folder / ("registry" if seed % OF_THE_REGISTRY == 0 else "state")
        self.copies = folder / "copies"
        self.copies.mkdir()

    def play(self) -> None:
        for number in range(ROUNDS):
            self._copy(number)
            self.carry_on(self._fate(number), number)
            if self.dice.random() < 0.6:
                self._lose(self.dice, "dead")
            if self._over():
                break
        end_all_below()
        self._over()

    def _fate(self, number: int) -> Fate:
        fate = self.fate(number)
        fate.power_fails = fate.real_launcher = False
        if self.dice.random() < 0.5:
            fate.barrier = _Robber(self, self.dice.randrange(20), random.Random(self.dice.random()), fate.fuse)
        return fate

    async def _drive(self, fate: Fate, dice: random.Random, number: int) -> None:
        with suppress(StateError):  # refused, in words
            await super()._drive(fate, dice, number)

    def _copy(self, number: int) -> None:
        with suppress(OSError, shutil.Error):
            shutil.copytree(self.harmed, self.copies / f"{number}", symlinks=True)

    def lose(self, dice: random.Random, when: str) -> None:
        """Do harm to one file or folder."""
        root = self.harmed
        places = sorted(path for path in root.rglob("*") if not path.name.startswith("journal.sqlite-shm"))
        if not places:
            return
        place, harm = dice.choice(places), dice.choice(HARMS)
        self.told[f"{harm}, {when}, {root.name}"] += 1
        with suppress(OSError):
            match harm:
                case "removed":
                    shutil.rmtree(place) if place.is_dir() else place.unlink()
                case "emptied":
                    _empty(place)
                case "cut":
                    os.truncate(place, place.stat().st_size // 2)
                case _:
                    self._exchange(place, dice)

    _lose = lose

    def _exchange(self, place: Path, dice: random.Random) -> None:
        """Put an older copy in its place, as a restore would."""
        older = [copy / place.relative_to(self.harmed) for copy in sorted(self.copies.iterdir())]
        older = [path for path in older if path.exists()]
        if not older:
            return
        chosen = dice.choice(older)
        if place.is_dir():
            shutil.rmtree(place)
            shutil.copytree(chosen, place, symlinks=True)
        else:
            shutil.copy(chosen, place)

    def records(self) -> list[ev.Record]:
        journal = open_journal(self.workspace, self.loaded.plan.id, SystemClock(), create=False)
        if journal is None:
            return []
        with journal:
            return journal.records("1")

    def _over(self) -> bool:
        """Raise `AssertionError` where a promise is broken; return whether the run is over or refused."""
        ledger = Ledger.read(self.log)
        twice = [attempt for attempt, times in ledger.of("begin").items() if times > 1]
        assert not twice, f"executed twice: {twice}"
        try:
            engine = self.engine(Fate(), read_only=True)
        except StateError:
            self.told["refused"] += 1
            return True
        engine.run_store.close()
        records = self.records()
        if not records:
            return False
        check_promises(self.loaded.plan, records, ledger, self.workspace.run_directory("1"))
        finished = fold(records).finished
        self.told["through"] += finished
        return finished


class _Robber:
    """Harms the state while it is driven, when it has passed so many points; then kills where the fuse says so."""

    def __init__(self, world: LossWorld, left: int, dice: random.Random, fuse: int) -> None:
        self._world, self._left, self._dice = world, left, dice
        self._fuse = Fuse(fuse)

    def __call__(self, point: str) -> None:
        if self._left == 0:
            self._world.lose(self._dice, "alive")
        self._left -= 1
        self._fuse(point)


def _empty(place: Path) -> None:
    if not place.is_dir():
        os.truncate(place, 0)
        return
    for path in place.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
