from __future__ import annotations

from pathlib import Path

import pytest

from switchover.errors import RefusedError, StateError
from switchover.triage.incident_report import file_name, incident_markdown
from switchover.triage.incident_store import Incident, IncidentFact, IncidentStore


def opened(title: str = "api down", at: float = 1000.0) -> IncidentFact:
    return IncidentFact(at, "opened", title, "ana", "bastion")


def test_it_survives_whoever_opened_it(tmp_path: Path) -> None:
    store = IncidentStore(tmp_path / "incidents")
    assert store.begin(opened()).number == 1
    store.add([IncidentFact(1010.0, "note", "looking", "ben")])
    again = IncidentStore(tmp_path / "incidents")
    assert again.open_one is not None
    assert [fact.text for fact in again.open_one.facts] == ["api down", "looking"]
    assert oct((tmp_path / "incidents" / "0001.jsonl").stat().st_mode)[-3:] == "600"
    assert oct((tmp_path / "incidents").stat().st_mode)[-3:] == "700"


def test_one_is_open_at_a_time_whoever_looks(tmp_path: Path) -> None:
    first, second = IncidentStore(tmp_path), IncidentStore(tmp_path)
    assert second.open_one is None
    first.begin(opened())
    with pytest.raises(RefusedError, match="incident 1 is open: api down"):
        second.begin(opened("other"))


def test_a_closed_one_takes_nothing_more_and_the_next_has_the_next_number(tmp_path: Path) -> None:
    store = IncidentStore(tmp_path)
    store.begin(opened())
    store.close(IncidentFact(1100.0, "closed", "a full disk", "ana"))
    with pytest.raises(RefusedError, match="no incident is open"):
        store.add([IncidentFact(1200.0, "note", "late")])
    assert store.begin(opened("again")).number == 2
    assert [one.title for one in store.all()] == ["api down", "again"]


def test_a_line_that_was_cut_through_is_left_out_and_the_next_stands_whole(tmp_path: Path) -> None:
    IncidentStore(tmp_path).begin(opened())
    path = tmp_path / "0001.jsonl"
    with path.open("ab") as file:
        file.write(b'{"at": 1010.0, "what": "note", "te')
    store = IncidentStore(tmp_path)
    store.add([IncidentFact(1020.0, "note", "whole")])
    kept = IncidentStore(tmp_path).open_one
    assert kept is not None
    assert [fact.text for fact in kept.facts] == ["api down", "whole"]
    assert path.read_bytes().count(b"\n") == 2


def test_what_cannot_be_written_down_was_not_done(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(StateError):
        IncidentStore(blocked).begin(opened())
    store = IncidentStore(tmp_path / "ok")
    store.begin(opened())
    (tmp_path / "ok" / "0001.jsonl").unlink()
    with pytest.raises(StateError, match="cannot be written down"):
        store.add([IncidentFact(1.0, "note", "x")])


def test_the_report_tells_in_order_what_happened_and_nothing_breaks_out_of_it() -> None:
    facts = (
        opened("api | <script> down"),
        IncidentFact(900.0, "row", "pg image changed: 15 → 16", kind="change"),
        IncidentFact(990.0, "problem", "pg: stopped, exit 1", key="pg", status="crit", kind="problem"),
        IncidentFact(1050.0, "note", "# not a heading\n| nor a row |", "ben", "node1"),
        IncidentFact(1060.0, "over", "pg", key="pg", kind="problem"),
        IncidentFact(1122.0, "closed", "the new image", "ana", "bastion"),
    )
    text = incident_markdown(Incident(3, facts))
    assert text.splitlines()[:6] == [
        "# Incident 3: api \\| &lt;script&gt; down",
        "",
        "- opened: 1970-01-01 00:16:40 UTC by ana@bastion",
        "- closed: 1970-01-01 00:18:42 UTC by ana@bastion",
        "- duration: 2 m",
        "- conclusion: the new image",
    ]
    assert "| 00:16:30 | 00:17:40 | crit pg: stopped, exit 1 |" in text
    happened = text.partition("## What happened")[2].splitlines()
    assert [line.split(" | ")[0] for line in happened if line.startswith("| 00:")] == [
        "| 00:15:00",
        "| 00:16:30",
        "| 00:16:40",
        "| 00:17:30",
        "| 00:17:40",
        "| 00:18:42",
    ]
    assert "\\# not a heading \\| nor a row \\|" in text
    assert "\n#" not in text.replace("\n# ", "\n## ").replace("\n## ", "")
    assert file_name(Incident(3, facts)) == "0003-api-script-down.md"
