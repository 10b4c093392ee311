"""The loss matrix: whatever is lost of the state directory, nothing false is told and nothing runs twice."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.functional.migration.crash_processes import apart, warm_up
from tests.functional.migration.loss_world import LossWorld

BATCHES = 2  # of those that always run
SOAK_BATCHES = 24
TRIALS = 15  # in each


def play(folder: Path, seeds: range, world: Callable[[Path, int], LossWorld] = LossWorld) -> Counter[str]:
    """Play the trials of these seeds, each in a world of its own; return what befell them."""
    warm_up()
    told: Counter[str] = Counter()
    for seed in seeds:
        place = folder / f"{seed}"
        place.mkdir()

        def trial(place: Path = place, seed: int = seed) -> str:
            one = world(place, seed)
            one.play()
            return json.dumps(one.told)

        try:
            told.update(json.loads(apart(trial, place / "report")))
        except AssertionError as error:
            raise AssertionError(f"trial {seed}: {error}") from error
        shutil.rmtree(place)
    return told


@pytest.mark.parametrize("batch", range(BATCHES))
def test_whatever_is_lost_nothing_false_is_told_and_nothing_runs_twice(fast_folder: Path, batch: int) -> None:
    told = play(fast_folder, range(batch * TRIALS, (batch + 1) * TRIALS))
    assert told["through"] + told["refused"], f"these trials prove little: {told}"


@pytest.mark.soak
@pytest.mark.parametrize("batch", range(BATCHES, SOAK_BATCHES))
def test_whatever_is_lost_in_many_more_trials(fast_folder: Path, batch: int) -> None:
    play(fast_folder, range(batch * TRIALS, (batch + 1) * TRIALS))
