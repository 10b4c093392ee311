"""The power fails between two flushes: the state is as it was then, all processes are gone, the boot is another."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.functional.migration.crash_processes import apart, warm_up
from tests.functional.migration.crash_rules import Ledger, Try, tries
from tests.functional.migration.crash_world import Fate, World

from switchover.migration.facts import events as ev


@dataclass
class Recorder:
    """Copies the state at each point between two flushes, with how much the steps had written by then."""

    world: World
    copies: Path

    def __call__(self, point: str) -> None:
        copy = self.copies / f"{len(list(self.copies.iterdir()))}"
        for name in ("state", "registry"):
            shutil.copytree(self.world.folder / name, copy / name)
        (copy / "written").write_text(str(self.world.log.stat().st_size if self.world.log.exists() else 0))
        (copy / "point").write_text(point)


def _restore(world: World, copies: Path, number: int, written_until: int) -> None:
    for name in ("state", "registry"):
        shutil.rmtree(world.folder / name)
        shutil.copytree(copies / f"{number}" / name, world.folder / name)
    until = int((copies / f"{written_until}" / "written").read_text())
    world.log.write_bytes((world.folder / "log.whole").read_bytes()[:until])


def _unaccounted(world: World) -> set[Try]:
    """Return the attempts that began, as the steps say, and of whose end nothing is left anywhere."""
    ends = {(e.unit, e.attempt) for e in _events(world) if isinstance(e, ev.StepEnded)}
    runs = world.workspace.run_directory("1")
    began = set(tries(world.records(), Ledger.read(world.log), "begin"))
    return {(u, n) for u, n in began - ends if not (runs / f"{u.replace(':', '-')}.{n}" / "exit.json").exists()}


def _events(world: World) -> list[ev.Event]:
    return [record.event for record in world.records()]


@pytest.mark.parametrize("same_boot", [False, True], ids=["power loss", "all processes killed"])
@pytest.mark.parametrize(("seed", "every"), [(1000, 1), (1001, 3)])  # of the longer run each third, with its last
def test_gone_on_from_any_flush_nothing_runs_twice_without_being_unknown_first(
    fast_folder: Path, seed: int, every: int, same_boot: bool
) -> None:
    warm_up()

    def trial() -> str:
        world = World(fast_folder, seed)
        copies = fast_folder / "copies"
        copies.mkdir()
        for number in range(5):  # a step that fails once stops it
            world.carry_on(Fate(barrier=Recorder(world, copies)), number)
            if world.verify().finished:
                break
        shutil.copy(world.log, fast_folder / "log.whole")
        count = len(list(copies.iterdir()))
        asked = 0
        for number in range(count - 2, -1, -every):
            # Between this flush and the next, all may have happened that happened until the next.
            _restore(world, copies, number, number if same_boot else number + 1)
            if not same_boot:
                world.boot = 2
                world.forget_what_was_not_flushed()
            lost = _unaccounted(world)
            asked += len(lost)
            world.carry_on(Fate(), 100)
            unknown = {(e.unit, e.attempt) for e in _events(world) if isinstance(e, ev.StepUnknown)}
            assert lost <= unknown, (copies / f"{number}" / "point").read_text()
            for again in range(12):
                if world.verify().finished:
                    break
                world.carry_on(Fate(), 101 + again)
            assert world.verify(at_the_end=True).finished
        return f"{count} {asked}"

    count, asked = map(int, apart(trial, fast_folder / "report").split())
    assert count > 30
    assert bool(asked) is not same_boot
