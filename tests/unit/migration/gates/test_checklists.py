"""Checklists: who ticked what, with which evidence, and only while the check that an item rests on is fine."""

import os
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, Checks, HandClock, Secrets, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.reports.run_report import ReportInputs, make_report
from switchover.migration.reports.verification import Audit, Outputs, verify_journal
from switchover.migration.run.unattended import GivenEvidence
from switchover.migration.steps.kept_evidence import evidence_fault
from switchover_checks.api import Status

PLAN = """
secrets: {pw: {ref: "env:PW"}}
checks: {up: {kind: tcp, host: localhost, port: 1, every: 5s}}
phases:
  - id: a
    steps:
      - id: list
        checklist:
          - plain
          - {text: rests on a check, check: up}
          - {text: said, evidence: text, owner: Bo}
          - {text: shown, evidence: file}
          - {text: linked, evidence: url}
          - {text: may be left, optional: true}
    gate: {human: go?}
"""


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    clock = HandClock()
    bench = open_bench(
        tmp_path,
        PLAN,
        clock=clock,
        checks=Checks(clock, {"up": [Status.OK]}),
        secrets=Secrets({"pw": "hunter2hunter2"}),
    )
    await bench.engine.start(ANA)
    return bench


def _file(bench: Bench, text: str = "42 rows on both sides\n") -> Path:
    path = bench.directory / "proof of it.txt"
    path.write_text(text)
    return path


def _kept(bench: Bench) -> Path:
    (kept,) = (bench.engine.run_store.workspace.run_directory("1") / "evidence").iterdir()
    return kept


async def _tick_all(bench: Bench) -> None:
    engine = bench.engine
    await engine.tick("list", 0, ANA)
    await engine.tick("list", 1, ANA)
    await engine.tick("list", 2, BEN, "seen on the screen")
    await engine.tick("list", 3, ANA, file=_file(bench))
    await engine.tick("list", 4, ANA, "https://grafana.example.org/d/1")


def _audit(bench: Bench) -> Audit:
    journal = bench.engine.run_store.journal
    assert journal is not None
    rows = list(journal.raw_records())
    return verify_journal(rows, given=rows[-1].hash, outputs=Outputs(bench.engine.run_store.workspace.run_directory))


def _report_of_file(bench: Bench) -> dict[str, object]:
    engine = bench.engine
    directory = engine.run_store.workspace.run_directory("1")
    records = engine.records()
    sources = ReportInputs(
        records,
        (1, ""),
        lambda _u, _n: ((), 0),
        0.0,
        evidence_fault=lambda file: evidence_fault(directory, file),
    )
    items = make_report(engine.loaded.plan, engine.state, sources)["phases"][0]["steps"][0]["items"]
    return next(item["file"] for item in items if item["file"])


async def test_the_step_is_done_once_all_that_is_not_optional_is_ticked(bench: Bench) -> None:
    await _tick_all(bench)
    assert bench.stage("list") == "done"
    assert bench.engine.action.kind == "gate"
    assert [item.done for item in bench.engine.view_step("list").checklist] == [True] * 5 + [False]


async def test_what_is_optional_can_be_ticked_afterwards_and_once(bench: Bench) -> None:
    await _tick_all(bench)
    await bench.engine.tick("list", 5, BEN)
    assert bench.stage("list") == "done"
    assert bench.engine.view_step("list").checklist[5].who == "ben"
    with pytest.raises(RefusedError, match="not list's turn"):
        await bench.engine.tick("list", 5, BEN)
    assert _audit(bench).whole


@pytest.mark.parametrize(
    ("item", "evidence", "said"),
    [
        (2, "", "item 3 of list needs evidence"),
        (2, "  ", "item 3 of list needs evidence"),
        (3, "look there", "item 4 of list needs a file"),
        (4, "", "needs an address"),
        (4, "see the dashboard", "needs an address"),
        (4, "ftp://host/x", "needs an address"),
        (4, "https://", "needs an address"),
        (4, "https://[", "needs an address"),
    ],
)
async def test_an_item_is_ticked_only_with_the_evidence_that_it_asks_for(
    bench: Bench, item: int, evidence: str, said: str
) -> None:
    with pytest.raises(RefusedError, match=said):
        await bench.engine.tick("list", item, ANA, evidence)
    assert not bench.engine.state.unit("list").ticks


@pytest.mark.parametrize("status", [Status.CRIT, Status.WARN, Status.UNKNOWN, Status.SKIPPED, Status.PENDING])
async def test_an_item_is_not_ticked_while_its_check_is_not_fine(bench: Bench, status: Status) -> None:
    bench.checks.set("up", status)
    with pytest.raises(RefusedError, match="item 2 of list rests on a check: up "):
        await bench.engine.tick("list", 1, ANA)
    assert 1 not in bench.engine.state.unit("list").ticks
    assert (await bench.engine.drive(ANA, ticks={"list.1": "", "list.2": ""})).kind == "waiting"


async def test_an_item_is_not_ticked_on_an_old_reading_of_its_check(bench: Bench) -> None:
    bench.checks.age = 5.0
    with pytest.raises(RefusedError, match="not looked at anew"):
        await bench.engine.tick("list", 1, ANA)


async def test_what_the_check_said_then_is_on_record(bench: Bench) -> None:
    await bench.engine.tick("list", 1, ANA)
    (seen,) = bench.engine.state.unit("list").ticks[1].seen
    assert (seen.check, seen.status) == ("up", "ok")


async def test_a_check_that_a_person_waives_there_lets_its_item_be_ticked(bench: Bench) -> None:
    bench.checks.set("up", Status.CRIT)
    await bench.engine.waive("up", BEN, "known", 3600.0)
    await bench.engine.tick("list", 1, ANA)
    assert bench.engine.state.unit("list").ticks[1].seen[0].status == "crit"


async def test_a_file_is_kept_with_its_digest_and_stays_when_the_first_one_goes(bench: Bench) -> None:
    path = _file(bench)
    await bench.engine.tick("list", 3, ANA, file=path)
    path.unlink()
    assert _kept(bench).read_text() == "42 rows on both sides\n"
    item = bench.engine.view_step("list").checklist[3]
    assert (item.file, item.lost, len(item.sha256)) == ("proof of it.txt", "", 64)
    assert _audit(bench).whole
    assert _report_of_file(bench)["fault"] is None


async def test_a_kept_file_that_is_gone_later_is_told_by_all(bench: Bench) -> None:
    await bench.engine.tick("list", 3, ANA, file=_file(bench))
    _kept(bench).unlink()
    assert bench.engine.view_step("list").checklist[3].lost == "its file is gone"
    assert "it is gone" in _audit(bench).faults[0].what
    assert _report_of_file(bench)["fault"] == "it is gone"


async def test_a_kept_file_that_is_changed_later_is_told(bench: Bench) -> None:
    await bench.engine.tick("list", 3, ANA, file=_file(bench))
    _kept(bench).write_text("43 rows on both sides\n")
    assert "item 4 of list" in _audit(bench).faults[0].what
    assert _report_of_file(bench)["fault"] == "it is not what it was when the item was ticked"
    _kept(bench).write_text("more than that")
    assert bench.engine.view_step("list").checklist[3].lost == "its file has changed"


async def test_a_link_in_the_place_of_a_kept_file_is_not_followed(bench: Bench) -> None:
    await bench.engine.tick("list", 3, ANA, file=_file(bench))
    kept = _kept(bench)
    kept.unlink()
    kept.symlink_to(_file(bench))
    assert "symbolic link" in _audit(bench).faults[0].what


async def test_a_file_that_cannot_be_read_ticks_nothing(bench: Bench, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    for name, said in (
        ("none", "No such file"),
        ("pipe", "no regular file"),
        (".", "no regular file"),
        ("empty", "is empty"),
    ):
        with pytest.raises(RefusedError, match=said):
            await bench.engine.tick("list", 3, ANA, file=tmp_path / name)
    assert not bench.engine.state.unit("list").ticks


async def test_a_file_that_holds_a_secret_is_refused_and_not_kept(bench: Bench) -> None:
    bench.secrets.get("pw")
    with pytest.raises(RefusedError, match="holds a secret"):
        await bench.engine.tick("list", 3, ANA, file=_file(bench, "login with hunter2hunter2\n"))
    assert not (bench.engine.run_store.workspace.run_directory("1") / "evidence").exists()


async def test_a_file_that_the_item_does_not_ask_for_is_refused(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="takes no file"):
        await bench.engine.tick("list", 0, ANA, file=_file(bench))


async def test_ticking_is_refused_where_nothing_may_be_changed(bench: Bench, tmp_path: Path) -> None:
    await bench.engine.aclose()
    reader = open_bench(tmp_path, read_only=True)
    with pytest.raises(RefusedError, match="read-only"):
        await reader.engine.tick("list", 0, ANA)


async def test_ticks_and_their_files_are_there_after_the_engine_was_killed(bench: Bench, tmp_path: Path) -> None:
    await bench.engine.tick("list", 3, ANA, file=_file(bench))
    await bench.engine.aclose()
    again = open_bench(tmp_path, checks=bench.checks)
    item = again.engine.view_step("list").checklist[3]
    assert (item.done, item.file, item.lost) == (True, "proof of it.txt", "")


async def test_a_drive_ticks_with_words_and_files_and_asks_for_what_is_lacking(bench: Bench) -> None:
    whole = GivenEvidence("https://example.org/seen", _file(bench))
    given: dict[str, str | GivenEvidence] = {"list": whole, "list.1": "done"}
    outcome = await bench.engine.drive(ANA, ticks=given)
    assert bench.stage("list") == "done"
    assert "gate a asks" in outcome.text
    events = [r.event for r in bench.engine.records() if isinstance(r.event, ev.Ticked)]
    assert [bool(event.file) for event in events if event.item == 3] == [True]


async def test_a_drive_says_which_item_waits_and_how_it_is_ticked(bench: Bench) -> None:
    await bench.engine.drive(ANA, ticks={"list.1": "", "list.2": "", "list.3": "seen"})
    outcome = await bench.engine.drive(ANA)
    assert outcome.text == "list waits for a person: shown"
    assert "--tick list.4=@FILE" in outcome.hint
