"""A run that goes on under another version of the program says so, and goes by the plan that it began with."""

from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, open_bench

PLAN = "phases: [{id: a, steps: [{id: one, run: echo one, effect: read}]}]"


async def test_an_open_run_names_the_version_that_began_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench(tmp_path, PLAN)
    with monkeypatch.context() as old:
        old.setattr("switchover.migration.run.actions.starting.__version__", "0.0.9")
        await bench.engine.start(ANA)
    assert [notice for notice in bench.engine.notices() if "begun by switchover 0.0.9" in notice]
    await bench.engine.abort(ANA, "enough")
    assert [notice for notice in bench.engine.notices() if "0.0.9" in notice] == []
    await bench.engine.aclose()


async def test_a_run_of_this_version_says_nothing_of_it(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN)
    await bench.engine.start(ANA)
    assert [notice for notice in bench.engine.notices() if "begun by" in notice] == []
    await bench.engine.aclose()
