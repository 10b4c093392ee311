from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.quiet_hub import QuietHub
from tests.unit.health.health_fakes import StillClock

from switchover.errors import JournalError, StateError, UsageError
from switchover.hub.history.operations import Operations
from switchover.hub.problems.incidents import Incidents
from switchover.migration.facts.operator import Operator
from switchover.snapshot import Header, Problem, Snapshot, TimelineRow
from switchover.ui.problems.incident_lines import incident_line
from switchover.ui.text.styled_line import plain

ANA = Operator("ana", "bastion", "pts/1")
PROBLEM = Problem("crit", "pg", "exited", 0.0, service="pg", or_before=True)
NOW = Snapshot(at=1000.0, header=Header(), problems=(PROBLEM,))


class FullDisk(Operations):
    async def record(self, operator: Operator, action: str, subject: str, text: str = "") -> None:
        raise JournalError("the journal cannot be used: disk full")


def incidents(folder: Path) -> Incidents:
    operations = FullDisk(folder / "operations.sqlite", StillClock(), lambda text: text)
    return Incidents(folder / "incidents", operations, StillClock(), QuietHub())


async def test_what_is_on_record_is_never_said_to_be_refused(tmp_path: Path) -> None:
    kept = incidents(tmp_path)
    assert await kept.open("it burns", ANA, NOW) == "1"
    await kept.note("seen", ANA)
    view = kept.view()
    assert view is not None
    assert [text for *_, text in view.notes] == ["seen"]
    assert kept.trouble == "the journal cannot be used: disk full"
    report = (await kept.close("out", ANA, NOW)).read_text()
    assert "crit pg: exited (or it was so before)" in report


async def test_a_report_that_cannot_be_written_leaves_nothing_and_the_incident_open(tmp_path: Path) -> None:
    kept = incidents(tmp_path)
    await kept.open("it burns", ANA, NOW)
    (tmp_path / "incidents" / "0001-it-burns.md").mkdir()  # what lies there cannot be replaced
    with pytest.raises(StateError, match="the report cannot be written"):
        await kept.close("out", ANA, NOW)
    assert kept.view() is not None
    assert sorted(path.name for path in (tmp_path / "incidents").iterdir()) == ["0001-it-burns.md", "0001.jsonl"]


async def test_a_long_note_is_shortened_on_the_screen_alone(tmp_path: Path) -> None:
    kept = incidents(tmp_path)
    await kept.open("it burns", ANA, NOW)
    await kept.note(f"{'y' * 5000} the end", ANA)
    view = kept.view()
    assert view is not None
    assert len(view.notes[0][2]) == 1000
    with pytest.raises(UsageError, match="nothing was written down"):
        await kept.note("x" * 16_001, ANA)
    assert f"{'y' * 5000} the end" in (await kept.close("", ANA, NOW)).read_text()


async def test_what_the_disk_does_not_take_is_said_and_written_when_it_does(tmp_path: Path) -> None:
    kept = incidents(tmp_path)
    await kept.open("it burns", ANA, NOW)
    (tmp_path / "incidents").rename(tmp_path / "away")
    later = replace(NOW, timeline=(TimelineRow(StillClock().now(), "change", "pg restarted"),), problems=())
    kept.follow(later)
    view = kept.view()
    assert view is not None
    assert "cannot be written down" in view.trouble
    assert "cannot be written down" in plain(incident_line(view, 1002.0))
    kept.follow(later)
    (tmp_path / "away").rename(tmp_path / "incidents")
    kept.follow(later)
    view = kept.view()
    assert view is not None
    assert view.trouble == ""
    report = (await kept.close("out", ANA, later)).read_text()
    assert report.count("pg restarted") == 1
    assert report.count("pg is over") == 1
