"""What a step of a named way back may say of itself: its title, its folder, what it changes, whether it may fail."""

from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, HandClock, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts.run_state import Stage

PLAN = """
phases:
  - id: build
    steps:
      - {{id: deploy, run: echo deploy >> log, effect: creates, rollback: {{run: echo undeploy >> log}}}}
rollbacks:
  full:
    title: All
    steps:
      - {{title: Tell the others, run: '{run}', {more}}}
      - {{run: pwd >> ../log, cwd: sub, title: Look around, effect: read}}
      - {{rollback: [build]}}
  again: {{title: Again, steps: [{{run: echo again >> log}}]}}
"""


async def _bench(directory: Path, run: str, more: str = "optional: true") -> Bench:
    (directory / "sub").mkdir()
    bench = open_bench(directory, PLAN.format(run=run, more=more), clock=HandClock())
    await bench.engine.drive(ANA, until="build")
    return bench


async def test_the_way_back_goes_on_without_an_optional_step_that_failed_and_says_so(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "exit 3")
    await bench.engine.rollback("full", ANA)
    assert bench.log == ["deploy", str(tmp_path / "sub"), "undeploy"]
    unit = bench.engine.state.unit("rollback:1:0")
    assert (unit.stage, unit.reason) == (Stage.SKIPPED, "it is optional: failed with exit code 3")
    assert bench.engine.state.rollback is not None
    assert bench.engine.state.rollback.stage is Stage.DONE
    assert "without Tell the others" in bench.engine.state.reason


async def test_a_step_that_is_not_optional_stops_the_way_back(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "exit 3", "optional: false")
    await bench.engine.rollback("full", ANA)
    assert bench.log == ["deploy"]
    with pytest.raises(RefusedError, match="step 1 failed: failed with exit code 3"):
        await bench.engine.rollback("full", ANA)


async def test_a_step_is_called_by_its_title_and_says_that_it_may_be_left_out(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "true")
    shown = await bench.engine.rehearse("full")
    assert [(one.title, one.optional) for one in shown.actions] == [
        ("Tell the others", True),
        ("Look around", False),
        ("", False),
    ]
    way = next(one for one in bench.engine.view().rollbacks if one.name == "full")
    assert way.steps[:2] == ("Tell the others", "Look around")


@pytest.mark.parametrize(("effect", "state"), [("read", "done"), ("changes", "rolled_back")])
async def test_a_command_that_only_reads_goes_back_over_nothing(tmp_path: Path, effect: str, state: str) -> None:
    bench = open_bench(
        tmp_path,
        "phases: [{id: a, steps: [{id: one, run: 'true', effect: changes, rollback: not_needed}]}]\n"
        f"rollbacks: {{back: {{title: Back, steps: [{{run: 'true', effect: {effect}}}]}}}}\n",
        clock=HandClock(),
    )
    await bench.engine.drive(ANA, until="a")
    await bench.engine.rollback("back", ANA)
    assert bench.engine.view_step("one").state == state
