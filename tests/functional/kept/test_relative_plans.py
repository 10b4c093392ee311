"""A run that was begun by a relative path is not taken for one whose plan is gone."""

from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, open_bench

from switchover.migration.journal.host_registry import is_gone

PLAN = """
phases:
  - id: a
    steps: [{id: s, run: 'true', effect: read}]
"""


async def test_the_path_on_record_is_whole(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN)
    await bench.engine.drive(ANA)
    assert Path(bench.engine.state.plan_path).is_absolute()


def test_nobody_says_gone_of_a_path_that_is_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not is_gone("plan.yaml")
    assert is_gone(str(tmp_path / "plan.yaml"))
