"""Ways back: in reverse over what has begun, closed after their time, honest about what stays."""

from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, Checks, HandClock, open_bench

from switchover.errors import RefusedError
from switchover_checks.api import Status

PLAN = """
checks: {rows: {kind: tcp, host: localhost, port: 1}}
phases:
  - id: build
    steps:
      - {id: look, run: 'true', effect: read}
      - id: deploy
        run: echo deploy >> log
        effect: creates
        rollback: {run: echo undeploy >> log, expect_duration: 4m}
  - id: data
    steps:
      - id: copy
        run: echo copy >> log
        effect: changes
        rollback: {run: 'echo uncopy >> log; test ! -e broken', expect_duration: 1m}
      - {id: tune, run: echo tune >> log, effect: changes}
  - id: cleanup
    steps:
      - {id: destroy, run: echo destroy >> log, effect: changes, confirm: {text: destroy p}}
rollbacks:
  quick:
    title: Back
    within: 5m
    valid_until: cleanup.destroy
    loses: 1 h
    steps: [{run: echo back >> log}]
    verify: [rows]
  full: {title: All, steps: [{run: echo stop >> log}, {rollback: [data, build]}]}
"""


async def _bench(directory: Path, until: str) -> Bench:
    clock = HandClock()
    bench = open_bench(directory, PLAN, clock=clock, checks=Checks(clock, {"rows": [Status.OK]}))
    await bench.engine.drive(ANA, until=until, confirmations={"destroy": "destroy p"})
    return bench


async def test_before_anything_began_there_is_nothing_to_undo(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN, clock=HandClock())
    with pytest.raises(RefusedError, match="not open"):
        await bench.engine.rollback(None, ANA)
    with pytest.raises(RefusedError, match="nothing has begun"):
        await bench.engine.rollback("quick", ANA)
    with pytest.raises(RefusedError, match="no rollback 'quik'"):
        await bench.engine.rollback("quik", ANA, True)


async def test_step_by_step_in_reverse_and_plain_about_what_stays(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "data")
    way = bench.engine.view().rollbacks[0]
    assert (way.available, way.expect_s) == (True, 300)
    assert way.steps[-1] == "tune has no undo of its own: what it changed stays unless another undo covers it"
    dry = await bench.engine.rollback(None, ANA, True)
    assert dry is not None
    assert bench.log == ["deploy", "copy", "tune"]
    await bench.engine.rollback(None, ANA)
    assert bench.log == ["deploy", "copy", "tune", "uncopy", "undeploy"]
    assert bench.engine.state.stage == "rolled_back"
    assert {s: bench.stage(s) for s in ("look", "deploy", "copy", "tune")} == {
        "look": "done",
        "deploy": "rolled_back",
        "copy": "rolled_back",
        "tune": "done",
    }
    with pytest.raises(RefusedError, match="not open"):
        await bench.engine.rollback(None, ANA)


async def test_a_named_way_back_compensates_its_phases_and_reports_its_checks(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "data")
    bench.checks.set("rows", Status.CRIT)
    await bench.engine.rollback("full", ANA)
    assert bench.log[3:] == ["stop", "uncopy", "undeploy"]
    assert bench.engine.state.stage == "rolled_back"


async def test_a_way_back_that_loses_nothing_says_so_and_counts_no_writes(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN.replace("loses: 1 h", "loses: nothing"), clock=HandClock())
    await bench.engine.drive(ANA, until="data")
    _, quick, full = bench.engine.view().rollbacks
    assert (quick.data_loss, quick.loses_since, full.loses_after) == ("nothing", None, "copy")


async def test_only_what_began_is_compensated(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "build")
    await bench.engine.rollback("full", ANA)
    assert bench.log == ["deploy", "stop", "undeploy"]


async def test_budget_and_verify_are_reported_whatever_they_say(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "data")
    bench.checks.set("rows", Status.CRIT)
    await bench.engine.rollback("quick", ANA)
    rollback = bench.engine.state.rollback
    assert rollback is not None
    assert rollback.within_time is True
    assert [(e.check, e.status) for e in rollback.evidence] == [("rows", "crit")]
    assert bench.engine.state.stage == "rolled_back"


async def test_a_way_back_is_closed_once_its_limit_began_and_says_so(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "cleanup")
    quick = next(way for way in bench.engine.view().rollbacks if way.name == "quick")
    assert (quick.available, quick.reason) == (False, "closed since cleanup.destroy began")
    with pytest.raises(RefusedError, match=r"closed since cleanup\.destroy began"):
        await bench.engine.rollback("quick", ANA)
    assert bench.log == ["deploy", "copy", "tune", "destroy"]


async def test_a_rollback_that_fails_stops_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "data")
    (tmp_path / "broken").touch()
    await bench.engine.rollback(None, ANA)
    assert bench.log[3:] == ["uncopy"]
    view = bench.engine.view()
    assert (view.state, view.rolling_back, view.action.kind) == ("failed", "step by step", "failed")
    assert (await bench.engine.drive(ANA)).kind == "failed"
    assert bench.log[3:] == ["uncopy"]
    (tmp_path / "broken").unlink()
    with pytest.raises(RefusedError, match="undo copy failed") as refused:
        await bench.engine.rollback(None, ANA)
    assert "--retry 1" in refused.value.hint
    assert bench.log[3:] == ["uncopy"]
    assert not any("may run again" in row.text for row in bench.engine.timeline())
    await bench.engine.rollback(None, ANA, again=("copy",))
    assert bench.log[3:] == ["uncopy", "uncopy", "undeploy"]
    assert bench.engine.state.stage == "rolled_back"


async def test_another_way_back_may_be_gone_where_one_is_stuck(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "data")
    (tmp_path / "broken").touch()
    await bench.engine.rollback(None, ANA)
    await bench.engine.rollback("quick", ANA)
    assert bench.log[3:] == ["uncopy", "back"]
    assert bench.engine.state.stage == "rolled_back"


LOSING = (
    PLAN.replace(
        "echo destroy >> log, effect: changes, confirm: {text: destroy p}",
        "echo destroy >> log, {}".format(
            "effect: destroys, rollback: impossible, confirm: {text: destroy p, require: [saved]}"
        ),
    )
    .replace("    valid_until: cleanup.destroy\n", "")
    .replace("checks: {", "checks: {saved: {kind: backup, path: saved}, ")
)


@pytest.mark.parametrize("name", [None, "quick"])
async def test_no_way_back_begins_before_what_cannot_be_undone_was_accepted(tmp_path: Path, name: str | None) -> None:
    clock = HandClock()
    bench = open_bench(tmp_path, LOSING, clock=clock, checks=Checks(clock, {"rows": [Status.OK], "saved": [Status.OK]}))
    await bench.engine.drive(ANA, until="cleanup", confirmations={"destroy": "destroy p"})
    before = bench.log
    for accepted in ((), ("copy",)):
        with pytest.raises(RefusedError, match="destroy cannot be undone") as refused:
            await bench.engine.rollback(name, ANA, accept=accepted)
        assert "--accept-loss destroy" in refused.value.hint
    assert (bench.log, bench.engine.state.rollback) == (before, None)
    assert bench.engine.view().rollbacks[0].irreversible == ("destroy",)
    await bench.engine.rollback(name, ANA, accept=("destroy",))
    assert bench.engine.state.stage == "rolled_back"


async def test_a_way_back_that_was_accepted_goes_on_without_being_asked_again(tmp_path: Path) -> None:
    clock = HandClock()
    bench = open_bench(tmp_path, LOSING, clock=clock, checks=Checks(clock, {"saved": [Status.OK]}))
    await bench.engine.drive(ANA, until="cleanup", confirmations={"destroy": "destroy p"})
    (tmp_path / "broken").touch()
    await bench.engine.rollback(None, ANA, accept=("destroy",))
    assert bench.engine.state.stage == "failed"
    (tmp_path / "broken").unlink()
    await bench.engine.retry(bench.engine.action.unit, ANA)
    assert bench.engine.state.stage == "rolled_back"


@pytest.mark.parametrize("choice", ["rollback", "leap"])
async def test_an_action_of_a_rollback_is_not_rolled_back_itself(tmp_path: Path, choice: str) -> None:
    bench = await _bench(tmp_path, "data")
    (tmp_path / "broken").touch()
    await bench.engine.rollback(None, ANA)
    seq = bench.engine.state.seq
    with pytest.raises(RefusedError):
        await bench.engine.resolve(bench.engine.action.unit, choice, "looked", ANA)
    assert bench.engine.state.seq == seq


async def test_the_timeline_names_what_is_undone_instead_of_a_number(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "data")
    await bench.engine.rollback("full", ANA)
    texts = [row.text for row in bench.engine.timeline()]
    assert "way back full, step 1 started by ana" in texts
    assert "undo copy started by ana" in texts
    assert not [text for text in texts if "rollback:" in text]


async def test_after_a_way_back_that_left_nothing_no_other_is_open_and_the_end_says_how_it_is_proved(
    tmp_path: Path,
) -> None:
    bench = await _bench(tmp_path, "data")
    await bench.engine.rollback("full", ANA)
    quick = next(way for way in bench.engine.view().rollbacks if way.name == "quick")
    assert (quick.available, quick.reason) == (False, "full has been gone, and nothing that this undoes is left")
    assert bench.engine.state.reason == "rolled back by full, without proof"


@pytest.mark.parametrize(("rows", "said"), [(Status.OK, ""), (Status.CRIT, ", not proved")])
async def test_what_a_named_way_went_back_over_is_not_shown_as_done(tmp_path: Path, rows: Status, said: str) -> None:
    text = PLAN.replace("  - id: cleanup\n", "    gate: {require: [rows]}\n  - id: cleanup\n", 1)
    clock = HandClock()
    bench = open_bench(tmp_path, text, clock=clock, checks=Checks(clock, {"rows": [Status.OK]}))
    await bench.engine.drive(ANA, until="data")
    assert bench.engine.view().phases[1].state == "done"
    bench.checks.set("rows", rows)
    await bench.engine.rollback("quick", ANA)
    build, data, cleanup = bench.engine.view().phases
    shown = {step.id: (step.state, step.reason) for step in (*build.steps, *data.steps, *cleanup.steps)}
    undone = ("rolled_back", f"rolled back by quick{said}")
    assert (shown["deploy"], shown["copy"], shown["tune"]) == (undone, undone, undone)
    assert (shown["look"][0], shown["destroy"][0]) == ("done", "pending")
    assert data.gate is not None
    assert (data.gate.state, data.gate.reason) == undone
    assert (build.state, data.state, cleanup.state) == ("rolled_back", "rolled_back", "pending")


async def test_a_way_back_that_only_undoes_leaves_what_it_did_not_undo(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "data")
    await bench.engine.rollback(None, ANA)
    shown = {step.id: step.state for phase in bench.engine.view().phases for step in phase.steps}
    assert (shown["copy"], shown["tune"]) == ("rolled_back", "done")


async def test_a_way_back_that_compensates_one_phase_leaves_the_others_and_closes_no_other_way(tmp_path: Path) -> None:
    text = PLAN + "  part: {title: Part, steps: [{run: echo stop >> log}, {rollback: [data]}]}\n"
    clock = HandClock()
    bench = open_bench(tmp_path, text, clock=clock, checks=Checks(clock, {"rows": [Status.OK]}))
    await bench.engine.drive(ANA, until="data")
    await bench.engine.rollback("part", ANA)
    view = bench.engine.view()
    assert {step.id: step.state for phase in view.phases for step in phase.steps} == {
        "look": "done",
        "deploy": "done",
        "copy": "rolled_back",
        "tune": "rolled_back",
        "destroy": "pending",
    }
    assert next(way for way in view.rollbacks if way.name == "quick").available


async def test_every_way_back_warns_of_a_step_whose_outcome_is_unknown(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN.replace("echo copy >> log", "kill -9 $PPID"))
    assert (await bench.engine.drive(ANA)).kind == "unknown"
    for way in bench.engine.view().rollbacks:
        assert "the outcome of copy is unknown: look at what it left behind" in way.cannot_undo[0], way.name


async def test_a_refusal_names_the_plan_in_a_command_that_works_as_printed(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "build")
    with pytest.raises(RefusedError) as no:
        await bench.engine.run_step("destroy", ANA)
    workspace = bench.engine.run_store.workspace
    assert f"`switchover status {workspace.plan} --state {workspace.root}`" in no.value.hint


@pytest.mark.parametrize(
    ("way", "order"), [("", ["uncopy", "undeploy"]), ("full", ["stop", "uncopy", "undeploy"]), ("quick", ["back"])]
)
async def test_a_rehearsal_shows_the_actions_in_the_order_in_which_they_run(
    tmp_path: Path, way: str, order: list[str]
) -> None:
    bench = await _bench(tmp_path, "data")
    shown = await bench.engine.rehearse(way)
    assert [action.argv[-1].split()[1] for action in shown.actions] == order
    before = len(bench.log)
    await bench.engine.rollback(way or None, ANA)
    assert bench.log[before:] == order
