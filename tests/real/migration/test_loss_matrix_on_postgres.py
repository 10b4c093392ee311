"""The loss matrix over a journal in PostgreSQL: the state directory of a host is lost as a whole or in part."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.functional.migration.loss_world import LossWorld
from tests.functional.migration.test_loss_matrix import play
from tests.real.conftest import Postgres

from switchover.settings import JournalAddress

BATCHES = 20  # of which the first always runs
TRIALS = 8  # in each


def _worlds(url: str) -> Callable[[Path, int], LossWorld]:
    return lambda folder, seed: LossWorld(folder, seed, JournalAddress(url, f"t{seed}"))


def test_whatever_a_host_loses_beside_the_database_nothing_false_is_told_and_nothing_runs_twice(
    tmp_path: Path, postgres: Postgres
) -> None:
    play(tmp_path, range(1000, 1000 + TRIALS), _worlds(postgres.create()))


@pytest.mark.soak
@pytest.mark.parametrize("batch", range(1, BATCHES))
def test_whatever_a_host_loses_in_many_more_trials(tmp_path: Path, postgres: Postgres, batch: int) -> None:
    play(tmp_path, range(1000 + batch * TRIALS, 1000 + (batch + 1) * TRIALS), _worlds(postgres.create()))
