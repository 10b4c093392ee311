import sqlite3
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, HandClock, first_damage

from switchover.errors import JournalError, StateError
from switchover.migration.facts import events as ev
from switchover.migration.journal.sqlite_journal import Journal


def _open(path: Path) -> Journal:
    journal = Journal.open(path, HandClock())
    assert journal is not None
    return journal


def _fill(path: Path, count: int = 4) -> None:
    with _open(path) as journal:
        for number in range(count):
            journal.append("1", ev.StepRetried(f"s{number}", ANA))


def test_what_was_appended_is_there_for_the_next_to_open_it(tmp_path: Path) -> None:
    _fill(tmp_path / "j")
    with _open(tmp_path / "j") as journal:
        units = [r.event.unit for r in journal.records("1") if isinstance(r.event, ev.StepRetried)]
        assert units == ["s0", "s1", "s2", "s3"]
        assert [r.seq for r in journal.records("1", after=2)] == [3, 4]
        assert first_damage(journal) is None
        assert len(journal.head_hash()) == 64


def test_the_journal_is_private(tmp_path: Path) -> None:
    _fill(tmp_path / "state" / "j")
    assert (tmp_path / "state" / "j").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE events SET data = replace(data, 's1', 's9') WHERE seq = 2",
        "UPDATE events SET at = at + 1 WHERE seq = 2",
        "UPDATE events SET run_id = '2' WHERE seq = 2",
        "UPDATE events SET hash = prev_hash WHERE seq = 2",
        "DELETE FROM events WHERE seq = 2",
    ],
)
def test_any_edit_is_found(tmp_path: Path, edit: str) -> None:
    _fill(tmp_path / "j")
    other = sqlite3.connect(tmp_path / "j")
    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        other.execute(edit)
    other.execute("DROP TRIGGER events_stay")
    other.execute("DROP TRIGGER events_remain")
    other.execute(edit)
    other.commit()
    other.close()
    with _open(tmp_path / "j") as journal:
        assert first_damage(journal) in (2, 3)


def test_looking_makes_no_journal(tmp_path: Path) -> None:
    assert Journal.open(tmp_path / "no" / "j", HandClock(), create=False) is None
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_is_just_being_made_reads_as_none(tmp_path: Path) -> None:
    (tmp_path / "j").touch()
    assert Journal.open(tmp_path / "j", HandClock(), create=False) is None


def test_what_is_no_journal_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"not a database, but long enough to look like one" * 40)
    with pytest.raises(JournalError, match="cannot be used"):
        Journal.open(tmp_path / "j", HandClock())
    with pytest.raises(StateError, match="state directory"):
        Journal.open(tmp_path / "j" / "below" / "j", HandClock())


@pytest.mark.parametrize(("version", "age"), [(1, "older"), (99, "newer")])
@pytest.mark.parametrize("create", [True, False])
def test_a_journal_of_another_version_is_left_alone(tmp_path: Path, version: int, age: str, create: bool) -> None:
    _fill(tmp_path / "j")
    other = sqlite3.connect(tmp_path / "j")
    other.execute(f"PRAGMA user_version = {version}")
    other.close()
    before = (tmp_path / "j").read_bytes()
    with pytest.raises(JournalError, match=f"an? {age} version"):
        Journal.open(tmp_path / "j", HandClock(), create=create)
    assert (tmp_path / "j").read_bytes() == before


def test_a_journal_has_an_id_of_its_own_that_one_made_anew_does_not_have(tmp_path: Path) -> None:
    _fill(tmp_path / "j")
    with _open(tmp_path / "j") as journal:
        first = journal.journal_id
    seen = Journal.open(tmp_path / "j", HandClock(), create=False)
    assert seen is not None
    assert seen.journal_id == first != ""
    seen.close()
    for file in tmp_path.iterdir():
        file.unlink()
    _fill(tmp_path / "j")
    with _open(tmp_path / "j") as journal:
        assert journal.journal_id != first


def test_after_a_failed_write_nothing_more_is_taken(tmp_path: Path) -> None:
    with _open(tmp_path / "j") as journal:
        journal.append("1", ev.StepRetried("a", ANA))
        journal._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(JournalError, match="cannot be written"):
            journal.append("1", ev.StepRetried("x" * 100_000, ANA))
        journal._connection.execute("PRAGMA max_page_count = 100000")
        with pytest.raises(JournalError, match="cannot be written"):
            journal.append("1", ev.StepRetried("b", ANA))
        assert journal.broken


def test_an_event_of_another_version_is_an_error_that_names_its_record(tmp_path: Path) -> None:
    _fill(tmp_path / "j", 1)
    other = sqlite3.connect(tmp_path / "j")
    other.execute("INSERT INTO events VALUES (2, '1', 0, 0, 'b', 'Teleported', '{}', '', '')")
    other.commit()
    other.close()
    with _open(tmp_path / "j") as journal, pytest.raises(JournalError, match="record 2"):
        journal.records("1")
