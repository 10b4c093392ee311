"""Windows, earliest moments and dates due: what begins when, who says so, and that nothing begins before."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, Checks, HandClock, open_bench

from switchover.errors import RefusedError


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


async def _bench(folder: Path, plan: str, now: str) -> tuple[Bench, HandClock]:
    clock = HandClock(wall=at(now))
    bench = open_bench(folder, plan, clock=clock, checks=Checks(clock, {}))
    await bench.engine.start(ANA)
    return bench, clock


PHASE = """
phases:
  - id: a
    window: Sat 22:00-06:00 Europe/Paris
    steps:
      - {id: one, run: 'echo one >> log', effect: changes, rollback: not_needed}
      - {id: two, run: 'echo two >> log', effect: changes, rollback: not_needed}
"""


async def test_a_phase_begins_only_in_its_window_and_says_when_that_opens(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, PHASE, "2026-12-05T18:00")
    outcome = await bench.engine.drive(ANA)
    assert outcome.kind == "waiting"
    assert outcome.text == "one may not run yet: the window of phase a Sat 22:00-06:00 Europe/Paris opens in 3 h 00 m"
    with pytest.raises(RefusedError, match="opens in 3 h 00 m"):
        await bench.engine.run_next(ANA)
    view = bench.engine.view_step("one")
    assert (view.state, view.ready_at) == ("waiting", at("2026-12-05T21:00"))
    assert bench.engine.view().state == "waiting"
    assert bench.log == []
    clock.advance(3 * 3600)
    assert (await bench.engine.drive(ANA)).kind == "done"
    assert bench.log == ["one", "two"]


async def test_a_phase_that_has_begun_goes_on_after_its_window_has_closed(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, PHASE, "2026-12-06T04:59")
    await bench.engine.run_next(ANA)
    clock.advance(3600)
    await bench.engine.run_next(ANA)
    assert bench.log == ["one", "two"]


async def test_a_step_has_a_window_of_its_own_also_where_its_phase_has_begun(tmp_path: Path) -> None:
    plan = PHASE.replace("{id: two,", "{id: two, window: Mon 10:00-11:00 UTC,")
    bench, clock = await _bench(tmp_path, plan, "2026-12-05T21:30")
    assert "its window Mon 10:00-11:00 UTC opens in" in (await bench.engine.drive(ANA)).text
    assert bench.log == ["one"]
    clock.wall = at("2026-12-07T10:00")
    assert (await bench.engine.drive(ANA)).kind == "done"


async def test_nothing_begins_before_the_earliest_moment(tmp_path: Path) -> None:
    plan = PHASE.replace("window: Sat 22:00-06:00 Europe/Paris", "not_before: 2026-12-05T10:00Z").replace(
        "{id: two,", "{id: two, not_before: step.one + 2h,"
    )
    bench, clock = await _bench(tmp_path, plan, "2026-12-05T09:00")
    assert "not before 2026-12-05T10:00Z" in (await bench.engine.drive(ANA)).text
    clock.advance(3600)
    assert "another 2 h 00 m" in (await bench.engine.drive(ANA)).text
    clock.advance(7200)
    assert (await bench.engine.drive(ANA)).kind == "done"


async def test_a_checklist_waits_for_its_window_too(tmp_path: Path) -> None:
    plan = "phases: [{id: a, steps: [{id: look, window: 'Sat 22:00-06:00 Europe/Paris', checklist: [seen]}]}]"
    bench, _ = await _bench(tmp_path, plan, "2026-12-04T21:00")
    with pytest.raises(RefusedError, match="look may not run yet: its window"):
        await bench.engine.tick("look", 0, ANA)
    assert (await bench.engine.drive(ANA, ticks={"look": "seen"})).kind == "waiting"
    assert bench.engine.view().action.text.startswith("look may not begin yet: its window Sat")


async def test_a_rollback_waits_for_no_window(tmp_path: Path) -> None:
    plan = PHASE.replace(
        "run: 'echo one >> log', effect: changes, rollback: not_needed",
        "run: 'echo one >> log', effect: changes, rollback: {run: 'echo back >> log'}",
    )
    bench, clock = await _bench(tmp_path, plan, "2026-12-06T04:59")
    await bench.engine.run_next(ANA)
    clock.advance(86400)
    await bench.engine.rollback(None, ANA)
    assert bench.log == ["one", "back"]


async def test_what_is_due_counts_from_when_its_turn_came(tmp_path: Path) -> None:
    plan = """
    phases:
      - {id: a, due: 1d, steps: [{id: one, checklist: [x]}]}
      - {id: b, due: 2d, steps: [{id: two, checklist: [y], due: 1h}]}
    """
    bench, clock = await _bench(tmp_path, plan, "2026-12-01T00:00")
    first, second = bench.engine.view().phases
    assert (first.due_at, second.due_at, second.steps[0].due_at) == (at("2026-12-02T00:00"), None, None)
    clock.advance(3 * 86400)
    await bench.engine.tick("one", 0, ANA)
    second = bench.engine.view().phases[1]
    assert (second.due_at, second.steps[0].due_at) == (at("2026-12-06T00:00"), at("2026-12-04T01:00"))


async def test_windows_are_frozen_with_the_plan_and_adopted_by_a_rebase(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, PHASE, "2026-12-05T18:00")
    path = tmp_path / "plan.yaml"
    path.write_text(path.read_text().replace("Sat 22:00-06:00", "Sat 18:00-06:00"))
    assert (await bench.engine.drive(ANA)).kind == "waiting"
    await bench.engine.rebase(ANA, reason="earlier")
    assert (await bench.engine.drive(ANA)).kind == "done"
