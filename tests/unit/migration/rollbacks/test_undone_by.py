"""A step that another step's rollback undoes, and one that needs no undo."""

from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, HandClock, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts.run_state import Stage

PLAN = """
phases:
  - id: build
    steps:
      - {id: schema, run: echo schema >> log, effect: creates, rollback: {run: 'echo drop >> log; test ! -e broken'}}
      - {id: dump, run: echo dump >> log, effect: creates, rollback: not_needed}
  - id: data
    steps:
      - {id: rows, run: echo rows >> log, effect: changes, rollback: {undone_by: schema}}
rollbacks:
  full: {title: All, steps: [{rollback: [data, build]}]}
  half: {title: Half, steps: [{run: echo half >> log}, {rollback: [data]}]}
"""


async def _bench(directory: Path) -> Bench:
    bench = open_bench(directory, PLAN, clock=HandClock())
    await bench.engine.drive(ANA, until="data")
    return bench


@pytest.mark.parametrize("name", [None, "full"])
async def test_the_rollback_of_one_step_undoes_those_that_say_so(tmp_path: Path, name: str | None) -> None:
    bench = await _bench(tmp_path)
    way = await bench.engine.rollback(name, ANA, True)
    assert way is not None
    assert ([item.undoes for item in way.items], way.cannot_undo) == (["schema"], ())
    await bench.engine.rollback(name, ANA)
    assert bench.log == ["schema", "dump", "rows", "drop"]
    stages = {step: bench.engine.state.unit(step).stage for step in ("schema", "rows", "dump")}
    assert stages == {"schema": Stage.ROLLED_BACK, "rows": Stage.ROLLED_BACK, "dump": Stage.DONE}


async def test_what_is_undone_with_a_step_stays_until_that_rollback_ended_well(tmp_path: Path) -> None:
    bench = await _bench(tmp_path)
    (tmp_path / "broken").touch()
    await bench.engine.rollback(None, ANA)
    assert [bench.engine.state.unit(step).stage for step in ("schema", "rows")] == [Stage.DONE, Stage.DONE]


async def test_a_way_back_that_does_not_undo_the_other_step_says_what_stays(tmp_path: Path) -> None:
    bench = await _bench(tmp_path)
    way = await bench.engine.rollback("half", ANA, True)
    assert way is not None
    assert way.cannot_undo == ("rows is undone with schema, which this way back does not undo",)


async def test_what_the_plan_says_of_undoing_is_on_the_screen(tmp_path: Path) -> None:
    bench = await _bench(tmp_path)
    notes = {step: bench.engine.view_step(step).undo_note for step in ("schema", "rows", "dump")}
    assert notes == {"schema": "", "rows": "undone with schema", "dump": "not needed"}


BEFORE = """
phases:
  - id: build
    steps:
      - {id: draft, run: echo draft >> log, effect: changes, rollback: {undone_by: schema}}
      - {id: more, run: echo more >> log, effect: changes, rollback: {undone_by: schema}}
  - id: data
    steps:
      - {id: schema, run: echo schema >> log, effect: creates, rollback: {run: 'echo drop >> log; test ! -e broken'}}
rollbacks:
  full: {title: All, steps: [{rollback: [data, build]}]}
  half: {title: Half, steps: [{rollback: [build]}]}
"""


@pytest.mark.parametrize("name", [None, "full", "half"])
async def test_what_a_later_step_would_undo_is_undone_with_its_command_before_that_step_has_begun(
    tmp_path: Path, name: str | None
) -> None:
    bench = open_bench(tmp_path, BEFORE, clock=HandClock())
    await bench.engine.drive(ANA, until="build")
    way = await bench.engine.rollback(name, ANA, True)
    assert way is not None
    assert (way.available, [item.undoes for item in way.items], way.cannot_undo) == (True, ["more"], ())
    await bench.engine.rollback(name, ANA)
    assert bench.log == ["draft", "more", "drop"]
    stages = [bench.engine.state.unit(step).stage for step in ("draft", "more", "schema")]
    assert stages == [Stage.ROLLED_BACK, Stage.ROLLED_BACK, Stage.PENDING]


async def test_a_later_step_that_has_begun_undoes_with_its_own_undo_alone(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, BEFORE, clock=HandClock())
    await bench.engine.drive(ANA, until="data")
    with pytest.raises(RefusedError, match="more is undone with schema, which this way back does not undo"):
        await bench.engine.rollback("half", ANA, True)
    await bench.engine.rollback("full", ANA)
    assert bench.log == ["draft", "more", "schema", "drop"]


async def test_what_is_undone_with_a_later_step_stays_where_that_command_failed(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, BEFORE, clock=HandClock())
    await bench.engine.drive(ANA, until="build")
    (tmp_path / "broken").touch()
    await bench.engine.rollback(None, ANA)
    assert [bench.engine.state.unit(step).stage for step in ("draft", "more")] == [Stage.DONE, Stage.DONE]


APART = (
    BEFORE.replace("rollbacks:", "").split("  full:")[0]
    + """  - {id: last, steps: [{id: end, run: "true", effect: read, rollback: not_needed}]}
rollbacks:
  apart: {title: Apart, steps: [{rollback: [two]}, {rollback: [build]}]}
  again: {title: Again, steps: [{rollback: [build, two]}, {run: echo own >> log}, {rollback: [build]}]}
"""
).replace(
    "      - {id: more,",
    "  - id: two\n    steps:\n      - {id: more,",
)


@pytest.mark.parametrize(("name", "log"), [("apart", ["drop"]), ("again", ["drop", "own"])])
async def test_a_way_back_in_several_parts_undoes_nothing_twice(tmp_path: Path, name: str, log: list[str]) -> None:
    bench = open_bench(tmp_path, APART, clock=HandClock())
    await bench.engine.drive(ANA, until="two")
    await bench.engine.rollback(name, ANA)
    assert bench.log == ["draft", "more", *log]
    assert [bench.engine.state.unit(step).stage for step in ("draft", "more")] == [Stage.ROLLED_BACK] * 2
