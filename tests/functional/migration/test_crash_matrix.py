"""The crash matrix: seeded trials in which shim, launcher and engine are killed, and the power fails."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from tests.functional.migration.crash_plan import COMBINATIONS, plan_text
from tests.functional.migration.crash_processes import apart, sometimes_all, warm_up
from tests.functional.migration.crash_world import World

BATCHES = 3  # of those that always run
SOAK_BATCHES = 30
TRIALS = 12  # in each


def test_the_plans_have_every_effect_with_every_on_unknown() -> None:
    texts = "".join(plan_text(seed) for seed in range(12))
    assert len(COMBINATIONS) == 12
    for effect, unknown in COMBINATIONS:
        assert f"-{effect}-{unknown}" in texts


@pytest.mark.parametrize("batch", sometimes_all(BATCHES, SOAK_BATCHES))
def test_whoever_dies_whenever_no_step_runs_twice_and_no_end_is_lost(fast_folder: Path, batch: int) -> None:
    warm_up()
    told: Counter[str] = Counter()
    for seed in range(batch * TRIALS, (batch + 1) * TRIALS):
        folder = fast_folder / f"{seed}"
        folder.mkdir()

        def trial(folder: Path = folder, seed: int = seed) -> str:
            world = World(folder, seed)
            world.play()
            return json.dumps(world.told)

        try:
            told.update(json.loads(apart(trial, folder / "report")))
        except AssertionError as error:
            raise AssertionError(f"trial {seed}: {error}") from error
        shutil.rmtree(folder)
    assert told["unknown"], f"these trials prove little: {told}"
