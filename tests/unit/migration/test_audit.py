"""Whatever is done to a journal with other tools, `audit verify` finds it and names the first record that shows it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.migration.harness import ANA, HandClock

from switchover.migration.facts import events as ev
from switchover.migration.journal.checkpoints import Checkpoint, note_checkpoint, read_checkpoints
from switchover.migration.journal.sqlite_journal import Journal, record_hash
from switchover.migration.reports.verification import Audit, Outputs, verify_journal
from switchover.migration.steps.step_output import digest_output

PLAN = "schema: 1\nid: p\ntitle: A plan\n"
WITH_STEP = PLAN + "phases: [{id: a, steps: [{id: s, run: 'true', effect: read}]}]\n"
HERE = ev.Place("here", "m1", "/here")
THERE = ev.Place("there", "m2", "/here")
COLUMNS = ("run_id", "at", "mono", "boot_id", "type", "data", "prev_hash", "hash")
STEPS = 9


def _open(path: Path, *, create: bool = True) -> Journal:
    journal = Journal.open(path, HandClock(), create=create)
    assert journal is not None
    return journal


def _started(text: str = PLAN, digest: str = "") -> ev.RunStarted:
    digest = digest or hashlib.sha256(text.encode()).hexdigest()
    return ev.RunStarted("1", ANA, "p", "A plan", "p.yaml", digest, text, "", {}, "0.1.0")


def _fill(folder: Path, *facts: ev.Event, plan: str = PLAN) -> Path:
    """Write a whole run, its end noted beside the journal."""
    path = folder / "journal"
    middle = facts or tuple(ev.VariablesGiven({"v": str(number)}, ANA) for number in range(STEPS))
    with _open(path) as journal:
        for event in (_started(plan), *middle, ev.RunEnded("done", ANA)):
            record = journal.append("1", event)
        note_checkpoint(folder / "heads", Checkpoint("1", record.seq, journal.head_hash(), record.at, "RunEnded"))
    return path


def _audit(folder: Path, given: str = "") -> Audit:
    with _open(folder / "journal", create=False) as journal:
        return verify_journal(
            journal.raw_records(), read_checkpoints(folder / "heads"), given, Outputs(lambda run: folder / run, HERE)
        )


def _tamper(folder: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(folder / "journal")) as other:
        other.execute("DROP TRIGGER events_stay")
        other.execute("DROP TRIGGER events_remain")
        for statement, values in statements:
            other.execute(statement, values)
        other.commit()


def _first(audit: Audit) -> int:
    assert not audit.whole
    return audit.faults[0].seq


def test_a_journal_that_nobody_touched_is_whole(tmp_path: Path) -> None:
    _fill(tmp_path)
    audit = _audit(tmp_path)
    assert audit.faults == ()
    assert (audit.records, audit.runs, audit.plans, audit.checkpoints) == (STEPS + 2, ("1",), 1, 1)


def test_an_edited_record_is_named_with_its_time_and_type(tmp_path: Path) -> None:
    _fill(tmp_path)
    _tamper(tmp_path, ("UPDATE events SET data = replace(data, 'ana', 'eve') WHERE seq = 4", ()))
    fault = _audit(tmp_path).faults[0]
    assert (fault.seq, fault.type, fault.run, fault.at) == (4, "VariablesGiven", "1", 1_800_000_000.0)
    assert "was changed after it was written" in fault.what


def test_a_record_taken_out_is_missed(tmp_path: Path) -> None:
    _fill(tmp_path)
    _tamper(tmp_path, ("DELETE FROM events WHERE seq IN (4, 5)", ()))
    fault = _audit(tmp_path).faults[0]
    assert (fault.seq, fault.what) == (6, "records 4 to 5 are missing before it")


def test_records_put_into_another_order_are_found(tmp_path: Path) -> None:
    _fill(tmp_path)
    _tamper(
        tmp_path,
        ("UPDATE events SET seq = -1 WHERE seq = 4", ()),
        ("UPDATE events SET seq = 4 WHERE seq = 5", ()),
        ("UPDATE events SET seq = 5 WHERE seq = -1", ()),
    )
    assert _first(_audit(tmp_path)) == 4


def test_a_forged_record_with_a_hash_of_its_own_does_not_fit_in(tmp_path: Path) -> None:
    _fill(tmp_path)
    forged = record_hash("0" * 64, 5, "1", 1.0, 1.0, "b", "VariablesGiven", "{}")
    _tamper(
        tmp_path,
        ("DELETE FROM events WHERE seq = 5", ()),
        ("INSERT INTO events VALUES (5, '1', 1.0, 1.0, 'b', 'VariablesGiven', '{}', ?, ?)", ("0" * 64, forged)),
    )
    fault = _audit(tmp_path).faults[0]
    assert (fault.seq, "does not follow the record before it" in fault.what) == (5, True)


def test_a_tail_that_was_cut_off_is_missed(tmp_path: Path) -> None:
    _fill(tmp_path)
    _tamper(tmp_path, ("DELETE FROM events WHERE seq > 7", ()))
    fault = _audit(tmp_path).faults[0]
    assert fault.seq == 8
    assert "records 8 to 11 are cut off at the end" in fault.what


def test_an_emptied_journal_is_missed(tmp_path: Path) -> None:
    _fill(tmp_path)
    _tamper(tmp_path, ("DELETE FROM events", ()))
    assert "records 1 to 11 are cut off" in _audit(tmp_path).faults[0].what


def _rehash(folder: Path, first: int) -> None:
    """Compute the chain anew from `first` on, as somebody would who knows how it is made."""
    with closing(sqlite3.connect(folder / "journal")) as other:
        rows = other.execute(
            "SELECT seq, run_id, at, mono, boot_id, type, data, prev_hash FROM events ORDER BY seq"
        ).fetchall()
        before = next(row[7] for row in rows if row[0] == first)
        for seq, *rest, _ in rows:
            if seq >= first:
                digest = record_hash(before, seq, *rest)
                other.execute("UPDATE events SET prev_hash = ?, hash = ? WHERE seq = ?", (before, digest, seq))
                before = digest
        other.commit()


def test_a_chain_that_was_computed_anew_does_not_end_in_the_head_that_was_noted(tmp_path: Path) -> None:
    _fill(tmp_path)
    _tamper(tmp_path, ("UPDATE events SET data = replace(data, 'ana', 'eve') WHERE seq = 4", ()))
    _rehash(tmp_path, 4)
    fault = _audit(tmp_path).faults[0]
    assert (fault.seq, "written anew" in fault.what) == (11, True)


def test_a_chain_computed_anew_with_its_note_is_found_by_the_head_that_was_written_down(tmp_path: Path) -> None:
    _fill(tmp_path)
    written_down = _audit(tmp_path).head
    _tamper(tmp_path, ("UPDATE events SET data = replace(data, 'ana', 'eve') WHERE seq = 4", ()))
    _rehash(tmp_path, 4)
    (tmp_path / "heads").unlink()
    note_checkpoint(tmp_path / "heads", Checkpoint("1", 11, _audit(tmp_path).head, 0.0, "RunEnded"))
    assert _audit(tmp_path).whole
    audit = _audit(tmp_path, written_down)
    assert (_first(audit), "no record has the hash" in audit.faults[0].what) == (0, True)


def test_a_removed_note_of_the_end_is_missed_unless_the_head_was_written_down(tmp_path: Path) -> None:
    _fill(tmp_path)
    (tmp_path / "heads").unlink()
    audit = _audit(tmp_path)
    assert (_first(audit), "was not noted beside the journal" in audit.faults[0].what) == (11, True)
    assert _audit(tmp_path, audit.head[:16]).whole


def test_what_came_after_a_head_that_was_written_down_is_told(tmp_path: Path) -> None:
    _fill(tmp_path)
    with _open(tmp_path / "journal", create=False) as journal:
        third = list(journal.raw_records())[2].hash
    audit = _audit(tmp_path, third)
    assert audit.whole
    assert audit.notes == ("8 records came after the head that was given (record 3)",)


def test_a_plan_that_is_not_what_its_digest_says_is_found(tmp_path: Path) -> None:
    with _open(tmp_path / "journal") as journal:
        journal.append("1", _started(PLAN, "0" * 64))
    fault = _audit(tmp_path).faults[0]
    assert (fault.seq, "does not have the digest" in fault.what) == (1, True)


def _step(place: ev.Place = HERE, **end: object) -> tuple[ev.Event, ev.Event]:
    digest = hashlib.sha256(WITH_STEP.encode()).hexdigest()
    started = ev.StepStarted(
        "s", 1, ANA, ("true",), hashlib.sha256(b"true").hexdigest(), (), ".", digest, 60.0, place=place
    )
    return started, ev.StepEnded("s", 1, "done", 0, 1.0, **end)  # type: ignore[arg-type]


def _with_output(folder: Path, place: ev.Place = HERE) -> Path:
    kept = folder / "1" / "s.1"
    kept.mkdir(parents=True)
    (kept / "out-0000000000000000").write_text("1200 rows copied\n")
    _fill(folder, *_step(place, output_sha256=digest_output(kept)), plan=WITH_STEP)
    _keep_end(folder, kept)
    return kept


def _keep_end(folder: Path, kept: Path) -> None:
    with _open(folder / "journal", create=False) as journal:
        started = next(row.hash for row in journal.raw_records() if row.kind == "StepStarted")
    (kept / "exit.json").write_text(json.dumps({"started": started, "ending": "exited", "exit_code": 0}))


def _say(**other: object) -> Callable[[Path], object]:
    def change(kept: Path) -> None:
        path = kept / "exit.json"
        path.write_text(json.dumps({**json.loads(path.read_bytes()), **other}))

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: (kept / "out-0000000000000000").write_text("1300 rows copied\n"),
        lambda kept: (kept / "out-0000000000000000").unlink(),
        lambda kept: (kept / "out-0000000000000000").rename(kept / "out-0000000000000009"),
        lambda kept: (kept / "out-0000000000000017").write_text("more\n"),
        lambda kept: (kept / "exit.json").unlink(),
        lambda kept: (kept / "exit.json").write_text(""),
        lambda kept: (kept / "exit.json").write_text("[1]"),
        _say(exit_code=3),
        _say(ending="timeout"),
        _say(ending=7),
        _say(started="0" * 64),
        shutil.rmtree,
    ],
)
def test_an_output_that_is_not_what_the_step_wrote_is_found(tmp_path: Path, change: Callable[[Path], object]) -> None:
    kept = _with_output(tmp_path)
    assert (_audit(tmp_path).whole, _audit(tmp_path).outputs) == (True, 1)
    change(kept)
    fault = _audit(tmp_path).faults[0]
    assert (fault.seq, fault.type) == (3, "StepEnded")


def test_an_output_that_is_on_another_machine_is_told_and_no_fault(tmp_path: Path) -> None:
    shutil.rmtree(_with_output(tmp_path, THERE))
    audit = _audit(tmp_path)
    assert audit.whole, audit.faults
    assert audit.notes == ("the output of s (run 1, attempt 1) is not on this machine",)


@pytest.mark.parametrize("name", ["s.2", "other.1"])
def test_a_folder_of_an_attempt_that_the_run_never_announced_is_found(tmp_path: Path, name: str) -> None:
    kept = _with_output(tmp_path)
    (tmp_path / "1" / "left.1").mkdir()
    assert _audit(tmp_path).whole, "what was prepared and never announced tells of nothing"
    shutil.copytree(kept, tmp_path / "1" / name)
    (fault,) = _audit(tmp_path).faults
    assert "tells of an attempt that the journal does not know" in fault.what


def test_a_step_without_any_output_that_has_some_now_is_found(tmp_path: Path) -> None:
    kept = tmp_path / "1" / "s.1"
    kept.mkdir(parents=True)
    _fill(tmp_path, *_step(), plan=WITH_STEP)
    _keep_end(tmp_path, kept)
    assert _audit(tmp_path).whole, _audit(tmp_path).faults
    (kept / "out-0000000000000000").write_text("all is well\n")
    assert _audit(tmp_path).faults[0].seq == 3


def test_a_step_that_never_began_but_was_executed_is_found(tmp_path: Path) -> None:
    kept = tmp_path / "1" / "s.1"
    kept.mkdir(parents=True)
    started, _ = _step()
    _fill(tmp_path, started, ev.StepNotStarted("s", 1, "it had not begun"), ev.RunEnded("aborted", ANA), plan=WITH_STEP)
    (kept / "exit.json").write_text('{"exit_code": 0}')
    assert any("s was executed" in fault.what for fault in _audit(tmp_path).faults)


@pytest.mark.parametrize("column", ["seq", *COLUMNS])
@pytest.mark.parametrize("value", ["x'ff00'", "'soon'", "7", "1.5", "NULL", "'99999'", "9e999"])
def test_values_of_other_types_are_faults_and_no_crash(tmp_path: Path, column: str, value: str) -> None:
    _fill(tmp_path)
    with closing(sqlite3.connect(tmp_path / "journal")) as other:
        columns = ", ".join(("seq", *COLUMNS))
        other.execute(f"CREATE TABLE copy ({columns})")
        other.execute("INSERT INTO copy SELECT * FROM events")
        other.execute("DROP TABLE events")
        other.execute("ALTER TABLE copy RENAME TO events")
        other.execute(f"UPDATE events SET {column} = {value} WHERE rowid IN (3, 5)")
        other.commit()
    audit = _audit(tmp_path)
    assert not audit.whole
    assert all(isinstance(fault.seq, int) and fault.what for fault in audit.faults)


def test_a_note_that_is_none_is_said_with_its_line(tmp_path: Path) -> None:
    _fill(tmp_path)
    with (tmp_path / "heads").open("a") as file:
        file.write("{}\n")
    with pytest.raises(ValueError, match=r"line 2 of .* is no note"):
        read_checkpoints(tmp_path / "heads")


def test_a_note_cut_off_by_a_power_loss_is_no_fault(tmp_path: Path) -> None:
    _fill(tmp_path)
    with (tmp_path / "heads").open("a") as file:
        file.write('{"run": "1", "se')
    assert _audit(tmp_path).whole


def test_notes_are_private(tmp_path: Path) -> None:
    _fill(tmp_path)
    assert (tmp_path / "heads").stat().st_mode & 0o777 == 0o600


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    _fill(folder)
    return folder


Rows = list[tuple[object, ...]]


def _other(value: object, data: st.DataObject) -> object:
    if isinstance(value, float):
        return data.draw(st.floats(allow_nan=False, allow_infinity=False).filter(lambda other: other != value))
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
    return data.draw(st.one_of(text, st.just(f"{value} "), st.just(str(value)[:-1])).filter(lambda o: o != value))


def _edit(rows: Rows, data: st.DataObject) -> Rows:
    place, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(1, len(COLUMNS)))
    row = list(rows[place])
    row[column] = _other(row[column], data)
    return [*rows[:place], tuple(row), *rows[place + 1 :]]


def _delete(rows: Rows, data: st.DataObject) -> Rows:
    gone = data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1))
    left = [row for place, row in enumerate(rows) if place not in gone]
    return _renumber(left) if data.draw(st.booleans()) else left


def _reorder(rows: Rows, data: st.DataObject) -> Rows:
    order = data.draw(st.permutations(range(len(rows))).filter(lambda o: o != list(range(len(rows)))))
    return _renumber([rows[place] for place in order])


def _insert(rows: Rows, data: st.DataObject) -> Rows:
    place, copied = data.draw(st.integers(0, len(rows))), data.draw(st.sampled_from(rows))
    return _renumber([*rows[:place], copied, *rows[place:]])


def _renumber(rows: Rows) -> Rows:
    return [(number, *row[1:]) for number, row in enumerate(rows, 1)]


def _chained(rows: Rows) -> Rows:
    """Compute all hashes anew."""
    made: Rows = []
    before = ""
    for row in rows:
        digest = record_hash(before, *row[:7])  # type: ignore[arg-type]
        made.append((*row[:7], before, digest))
        before = digest
    return made


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_random_tampering_is_always_found(whole: Path, data: st.DataObject) -> None:
    with closing(sqlite3.connect(whole / "journal")) as source:
        rows: Rows = source.execute("SELECT * FROM events ORDER BY seq").fetchall()
    tampered = data.draw(st.sampled_from([_edit, _delete, _reorder, _insert]))(rows, data)
    if data.draw(st.booleans()):
        tampered = _chained(tampered)
    if tampered == rows:
        return  # only hashes were changed, and computed back to what they were
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in whole.iterdir():
            shutil.copy(path, folder)
        values = ("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", tampered)
        _tamper(folder, ("DELETE FROM events", ()), *((values[0], row) for row in tampered))
        audit = _audit(folder)
    if tampered[: len(rows)] == rows:  # added at the end as the program itself would: nobody can tell that from a run
        assert audit.notes
    else:
        assert not audit.whole
        assert audit.faults[0].what
