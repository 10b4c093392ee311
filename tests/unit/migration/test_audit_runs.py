"""What no run could have written is found, however well it is chained; nothing that it says is shown or acted on."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, Checks, HandClock, open_bench

from switchover.errors import JournalError
from switchover.migration.facts import events as ev
from switchover.migration.journal.sqlite_journal import Journal, RawRecord, record_hash
from switchover.migration.reports.verification import Audit, Outputs, verify_journal
from switchover_checks.api import Status

PLAN = """
checks: {up: {kind: tcp, host: localhost, port: 1}}
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log', effect: changes, rollback: {run: 'echo undo-one >> log'}}
      - {id: look, checklist: [look at it]}
      - {id: two, run: 'echo two >> log; test -e fine', effect: changes, rollback: {run: 'echo undo-two >> log'}}
    gate: {require: [up], hold: 30s, human: Go?}
  - id: b
    steps:
      - {id: three, run: 'echo three >> log', effect: changes}
"""
NOW = ("seq", "run_id", "at", "mono", "boot_id", "kind", "data", "prev_hash", "hash")


async def _carried_through(folder: Path, *, back: bool = False) -> Bench:
    """Make a run in which much happens: a failure, its repetition, ticks, a person's go, and if `back` a rollback."""
    clock = HandClock()
    bench = open_bench(folder, PLAN, clock=clock, checks=Checks(clock, {"up": [Status.CRIT, Status.OK]}))
    engine = bench.engine
    assert (await engine.drive(ANA, ticks={"look": "looked"})).kind == "failed"
    (folder / "fine").touch()
    assert (await engine.drive(ANA, retry=("two",))).kind == "failed"  # the gate
    assert (await engine.drive(ANA, confirmations={"a": "go"})).kind == "done"
    if back:
        await engine.rollback(None, ANA)
    return bench


def _journal(folder: Path) -> Path:
    return next((folder / "state").rglob("journal.sqlite"))


def _rows(folder: Path) -> list[RawRecord]:
    journal = Journal.open(_journal(folder), HandClock(), create=False)
    assert journal is not None
    with journal:
        return list(journal.raw_records())


def _verify(rows: list[RawRecord], folder: Path) -> Audit:
    return verify_journal(
        rows, given=rows[-1].hash, outputs=Outputs(lambda run: _journal(folder).parent / "runs" / run)
    )


def _chained(rows: list[RawRecord]) -> list[RawRecord]:
    """Number and chain them anew, as somebody would who knows how that is done."""
    made: list[RawRecord] = []
    for number, row in enumerate(rows, 1):
        before = made[-1].hash if made else ""
        rest = (row.run_id, row.at, row.mono, row.boot_id, row.kind, row.data)
        made.append(RawRecord(number, *rest, before, record_hash(before, number, *rest)))
    return made


def _like(row: RawRecord, event: ev.Event) -> RawRecord:
    kind, data = ev.encode_event(event)
    return RawRecord(0, row.run_id, row.at + 1, row.mono + 1, row.boot_id, kind, data, "", "")


def _append(folder: Path, *events: ev.Event) -> None:
    """Append records to the journal's file, chained rightly."""
    rows = _rows(folder)
    more = _chained([*rows, *(_like(rows[-1], event) for event in events)])[len(rows) :]
    with closing(sqlite3.connect(_journal(folder))) as other:
        for row in more:
            values = tuple(getattr(row, name) for name in NOW)
            other.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        other.commit()


@pytest.mark.parametrize("back", [False, True])
async def test_what_a_run_wrote_can_be_true(tmp_path: Path, back: bool) -> None:
    bench = await _carried_through(tmp_path, back=back)
    audit = _verify(_rows(tmp_path), tmp_path)
    assert audit.whole, audit.faults
    assert audit.notes == ()
    assert bench.engine.state.impossible == ()


async def test_a_copy_of_any_record_after_the_end_is_found(tmp_path: Path) -> None:
    await _carried_through(tmp_path)
    rows = _rows(tmp_path)
    assert len(rows) > 15
    for row in rows:
        audit = _verify(_chained([*rows, row]), tmp_path)
        assert audit.faults[0].seq == len(rows) + 1, row.kind


KEPT = ("StepStarted", "StepEnded", "StepRetried", "GateOpened", "GatePassed", "GateAnswered")


@pytest.mark.parametrize("back", [False, True])
async def test_a_record_that_stands_twice_or_is_taken_out_or_moved_is_found(tmp_path: Path, back: bool) -> None:
    await _carried_through(tmp_path, back=back)
    rows = _rows(tmp_path)
    looked_at = 0
    for place, row in enumerate(rows):
        if row.kind not in KEPT and not row.kind.startswith("Rollback"):
            continue
        looked_at += 1
        twice = [*rows[: place + 1], row, *rows[place + 1 :]]
        if row.kind in ("GateOpened", "GateAnswered"):  # so it is where who watched or answered was killed then
            twice = []
        moved = [*rows[: place - 1], row, rows[place - 1], *rows[place + 1 :]]
        without = [*rows[:place], *rows[place + 1 :]]
        for tampered in (twice, moved, without):
            if not tampered or tampered[-1] is row or tampered == rows[:-1]:
                continue  # as it is, or as it would be while the run is not over yet
            assert not _verify(_chained(tampered), tmp_path).whole, (place, row.kind)
    assert looked_at > 10


def _end(unit: str, attempt: int = 1, outcome: ev.Outcome = "failed") -> ev.StepEnded:
    return ev.StepEnded(unit, attempt, outcome, 9, 1.0, "FORGED")


def _start(unit: str, attempt: int, plan: str = "") -> ev.StepStarted:
    digest = hashlib.sha256(b"true").hexdigest()
    return ev.StepStarted(unit, attempt, ANA, ("true",), digest, (), ".", plan, 60.0)


FORGED: dict[str, Callable[[str], tuple[ev.Event, ...]]] = {
    "a second end": lambda _: (_end("three"),),
    "an end without a start": lambda _: (_end("three", 2, "done"),),
    "a start": lambda plan: (_start("three", 2, plan),),
    "a start and its end": lambda plan: (_start("three", 2, plan), _end("three", 2)),
    "an unknown outcome": lambda _: (ev.StepUnknown("three", 1, "FORGED"),),
    "a result that came late": lambda _: (ev.StepEndedLate("three", 1, "failed", 9, 1.0, "FORGED"),),
    "a decision": lambda _: (ev.StepResolved("three", 1, "failed", "FORGED", ANA),),
    "a repetition": lambda _: (ev.StepRetried("three", ANA),),
    "a gate that fails": lambda _: (ev.GateFailed("a", "FORGED"),),
    "a gate that passes": lambda _: (ev.GatePassed("b"),),
    "a baseline": lambda _: (ev.BaselineMeasured({"FORGED": 1.0}),),
    "values": lambda _: (ev.VariablesGiven({"v": "FORGED"}, ANA),),
    "a plan": lambda plan: (ev.PlanRebased(ANA, "FORGED", plan, "0" * 64, "x", {}),),
    "an acknowledgement": lambda _: (ev.WarningAcknowledged("gate:a", "up", "FORGED", ANA),),
    "a waiver": lambda _: (ev.RequirementWaived("gate:a", "up", "FORGED", ANA, 60.0, 1.0),),
    "a stop": lambda _: (ev.AbortRequested("run", "FORGED", ANA),),
    "another driver": lambda _: (ev.DriverChanged(ANA, None, "FORGED"),),
    "another end": lambda _: (ev.RunEnded("aborted", ANA, "FORGED"),),
    "the end of a rollback": lambda _: (ev.RollbackEnded(1, 1.0),),
    "a rollback out of its turn": lambda _: (ev.RollbackStarted(2, "FORGED", ANA, ()),),
    "a rollback that ends at once": lambda _: (
        ev.RollbackStarted(1, "", ANA, (ev.RollbackItem("rollback:1:0", "FORGED", "one"),)),
        ev.RollbackEnded(1, 1.0),
    ),
    "the start of the same run": lambda _: (ev.RunStarted("1", ANA, "p", "FORGED", "p", "", "", "", {}, ""),),
    "the start of another": lambda _: (ev.RunStarted("7", ANA, "p", "FORGED", "p", "", "", "", {}, ""),),
}


@pytest.mark.parametrize("forged", FORGED)
async def test_what_is_appended_to_a_finished_run_is_a_fault_and_is_not_shown(tmp_path: Path, forged: str) -> None:
    bench = await _carried_through(tmp_path)
    await bench.engine.aclose()
    head = _rows(tmp_path)[-1].hash
    events = FORGED[forged](bench.engine.state.plan_digest)
    _append(tmp_path, *events)
    rows = _rows(tmp_path)
    audit = verify_journal(rows, given=head)
    assert not audit.whole
    assert audit.faults[0].seq >= len(rows) - len(events) + 1
    other = open_bench(tmp_path, clock=HandClock())
    if isinstance(events[0], ev.RollbackStarted) and events[0].number == 1:
        assert other.engine.view().state != "rolled_back"  # it may have begun; that it ended is not believed
    elif not isinstance(events[0], ev.RunStarted):
        assert (other.engine.state.stage, other.stage("three")) == ("done", "done")
        assert "FORGED" not in json.dumps([row.text for row in other.engine.timeline()])
    if isinstance(events[0], ev.RunStarted):
        return
    assert "the journal holds what no run wrote: record" in other.engine.view().not_believed
    for action in (other.engine.drive(ANA), other.engine.drive(ANA, new=True), other.engine.rollback(None, ANA)):
        with pytest.raises(JournalError, match="what no run wrote"):
            await action


async def test_what_no_run_wrote_is_not_noted_so_that_a_true_copy_may_come_back(tmp_path: Path) -> None:
    bench = await _carried_through(tmp_path)
    await bench.engine.aclose()
    journal = _journal(tmp_path)
    copy = journal.read_bytes()
    _append(tmp_path, *FORGED["a decision"](bench.engine.state.plan_digest))
    forged = open_bench(tmp_path, clock=HandClock())
    with pytest.raises(JournalError, match="what no run wrote"):
        await forged.engine.drive(ANA)
    await forged.engine.aclose()
    for beside in ("-wal", "-shm"):
        journal.with_name(journal.name + beside).unlink(missing_ok=True)
    journal.write_bytes(copy)
    true = open_bench(tmp_path, clock=HandClock())
    assert (true.engine.state.stage, true.engine.view().not_believed) == ("done", "")
    await true.engine.aclose()


@pytest.mark.parametrize(
    "forged",
    [
        ev.RollbackStarted(1, "", ANA, ()),
        ev.RollbackStarted(1, "nowhere", ANA, ()),
        ev.RollbackStarted(1, "", ANA, (ev.RollbackItem("rollback:1:0", "FORGED", "one"),)),
    ],
)
async def test_a_rollback_that_is_not_the_plan_s_is_a_fault_though_one_may_follow(
    tmp_path: Path, forged: ev.RollbackStarted
) -> None:
    bench = await _carried_through(tmp_path)
    await bench.engine.aclose()
    _append(tmp_path, forged)
    fault = _verify(_rows(tmp_path), tmp_path).faults[0]
    assert ("its actions are not those" in fault.what) or ("the plan has no rollback" in fault.what)


OPEN: dict[str, Callable[[str], tuple[ev.Event, ...]]] = {
    "a step done out of its turn": lambda plan: (_start("three", 1, plan), _end("three", 1, "done")),
    "a step that the plan does not have": lambda plan: (_start("four", 1, plan), _end("four", 1, "done")),
    "a step under another plan": lambda _: (_start("two", 2, "0" * 64), _end("two", 2, "done")),
    "a failed step begun by nobody's word": lambda plan: (_start("two", 2, plan),),
    "a gate passed that never opened": lambda _: (ev.GatePassed("a"),),
    "a gate of a phase that is not reached": lambda _: (ev.GateOpened("a", ANA), ev.GatePassed("a")),
    "an item ticked out of its turn": lambda _: (ev.Ticked("look", 0, "", ANA, True),),
    "the end of a run that is not through": lambda _: (ev.RunEnded("done", ANA),),
    "a rollback that nobody began": lambda _: (ev.RunEnded("rolled_back", ANA),),
    "a digest that is not that of its command": lambda plan: (
        ev.StepRetried("two", ANA),
        ev.StepStarted("two", 2, ANA, ("rm",), hashlib.sha256(b"true").hexdigest(), (), ".", plan, 60.0),
    ),
}


@pytest.mark.parametrize("forged", OPEN)
async def test_what_is_slipped_into_an_open_run_is_a_fault(tmp_path: Path, forged: str) -> None:
    clock = HandClock()
    bench = open_bench(tmp_path, PLAN, clock=clock, checks=Checks(clock, {"up": [Status.OK]}))
    await bench.engine.drive(ANA, ticks={"look": "looked"})
    await bench.engine.aclose()
    head = _rows(tmp_path)[-1].hash
    _append(tmp_path, *OPEN[forged](bench.engine.state.plan_digest))
    audit = verify_journal(_rows(tmp_path), given=head)
    assert [fault for fault in audit.faults if "cannot be true" in fault.what], audit


async def test_records_of_one_boot_are_in_the_order_of_its_clock(tmp_path: Path) -> None:
    await _carried_through(tmp_path)
    rows = _rows(tmp_path)
    early = replace(rows[5], mono=rows[5].mono - 500)
    audit = _verify(_chained([*rows[:5], early, *rows[6:]]), tmp_path)
    assert "written before the record that stands before it" in audit.faults[0].what


async def test_a_fact_that_no_run_could_write_is_never_written(tmp_path: Path) -> None:
    bench = await _carried_through(tmp_path)
    seq = bench.engine.state.seq
    async with bench.engine.hold(ANA):
        with pytest.raises(Exception, match="is not recorded: the run was over"):
            await bench.engine.run_store.record(_end("three"))
        await bench.engine.note(ANA, ev.TakeoverAsked(ANA, "ben"))
    assert bench.engine.state.seq == seq
    assert len(_rows(tmp_path)) == seq
