"""A step on a group of machines: a result for each, none begun after too many failed, only what is not done again."""

from __future__ import annotations

from pathlib import Path

from tests.support.far_host import FarHost
from tests.unit.migration.harness import ANA, Bench, open_bench

from switchover.cli.report.dry_run import describe_run
from switchover.migration.run.store.far_left import LeftThere, list_left

PLAN = """
hosts: {{web: {{ssh: [far1, far2, far3]}}}}
phases:
  - id: a
    steps:
      - id: go
        run: '{run}'
        run_on: web
        effect: changes
        {more}
        rollback: {{run: 'echo $SWITCHOVER_HOST >> {folder}/undone'}}
"""


def _bench(folder: Path, far: FarHost, run: str, more: str = "") -> Bench:
    return open_bench(folder, PLAN.format(run=run, more=more, folder=folder), hosts=far.lines())


def _stages(bench: Bench) -> list[str]:
    return [bench.stage(name) for name in ("go", "go@far1", "go@far2", "go@far3")]


async def test_each_machine_has_a_result_and_one_that_fails_stops_the_rest(tmp_path: Path, far: FarHost) -> None:
    run = f"echo $SWITCHOVER_HOST >> {tmp_path}/log; test $SWITCHOVER_HOST != far2 || test -e {tmp_path}/mended"
    bench = _bench(tmp_path, far, run)
    await bench.engine.drive(ANA)
    assert _stages(bench) == ["failed", "done", "failed", "pending"]
    assert bench.engine.state.unit("go").reason == "far2: failed with exit code 1; far3 was not begun"
    (tmp_path / "mended").touch()
    await bench.engine.drive(ANA, retry=("go",))
    assert _stages(bench) == ["done"] * 4
    assert bench.log == ["far1", "far2", "far2", "far3"]


async def test_as_many_may_fail_as_the_plan_says_and_so_many_run_at_a_time(tmp_path: Path, far: FarHost) -> None:
    # The first two wait for each other, so they run beside each other.
    meet = f"touch {tmp_path}/$SWITCHOVER_HOST; until test -e {tmp_path}/far1 -a -e {tmp_path}/far2; do sleep .05; done"
    bench = _bench(tmp_path, far, f"{meet}; test $SWITCHOVER_HOST != far1", "serial: 2\n        max_fail: 1")
    await bench.engine.drive(ANA)
    assert _stages(bench) == ["failed", "failed", "done", "done"]


async def test_it_is_undone_on_the_machines_on_which_it_began_the_last_first(tmp_path: Path, far: FarHost) -> None:
    bench = _bench(tmp_path, far, "test $SWITCHOVER_HOST != far2")
    await bench.engine.drive(ANA)
    await bench.engine.rollback("", ANA)
    assert (tmp_path / "undone").read_text().split() == ["far2", "far1"]
    assert _stages(bench) == ["rolled_back", "rolled_back", "rolled_back", "pending"]
    assert bench.engine.state.stage == "rolled_back"


async def test_an_undo_on_a_group_knows_each_machine_by_its_own_name(tmp_path: Path, far: FarHost) -> None:
    plan = PLAN.format(run="true", more="", folder=tmp_path)
    undo = plan.replace("run_on: web", "run_on: db").replace("/undone'}", "/undone', run_on: web}")
    bench = open_bench(tmp_path, undo.replace("hosts: {", "hosts: {db: {ssh: far}, "), hosts=far.lines())
    await bench.engine.drive(ANA)
    await bench.engine.rollback("", ANA)
    assert (tmp_path / "undone").read_text().split() == ["far1", "far2", "far3"]


async def test_what_a_killed_driver_left_noted_is_taken_away_as_the_rollback_ends(tmp_path: Path, far: FarHost) -> None:
    bench = _bench(tmp_path, far, "true")
    await bench.engine.drive(ANA)
    store = bench.engine.run_store
    store.far_left.note(store.workspace.run_directory(store.state.run_id), LeftThere("far1", "far1", "p-1", "go.9"))
    await bench.engine.rollback("", ANA)
    await store.far_left.aclose()
    assert list_left(store.workspace.directory) == ()


async def test_report_and_dry_run_say_where_each_ran(tmp_path: Path, far: FarHost) -> None:
    bench = _bench(tmp_path, far, "test $SWITCHOVER_HOST != far2")
    assert "on web: far1, far2, far3; 1 at a time, no further one once more than 0 failed" in describe_run(
        bench.engine, {}, until=None
    )
    await bench.engine.drive(ANA)
    step = bench.engine.view_step("go")
    assert [(one.name, one.state, one.attempts) for one in step.machines] == [
        ("far1", "done", 1),
        ("far2", "failed", 1),
        ("far3", "pending", 0),
    ]
    rehearsal = await bench.engine.rehearse("")
    assert [action.run_on for action in rehearsal.actions] == ["far2", "far1"]
