"""`switchover audit` as an auditor uses it: on a run that was really made, with what somebody did to it afterwards."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.warm_program import run_switchover

from switchover.locations import host_registry, workspace_for
from switchover.migration.journal.checkpoints import CHECKPOINTS, NEWEST

PLAN = """\
schema: 1
id: small
title: Small
checks:
  marked: {kind: file, path: mark}
phases:
  - id: one
    steps:
      - {id: mark, run: "echo 1200 rows; touch mark", effect: creates, rollback: {run: "rm mark"}}
    gate: {require: [marked]}
  - id: two
    steps:
      - {id: last, run: "echo done", effect: read}
"""


@dataclass
class Desk:
    plan: Path
    state: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_switchover(*words, "--state", self.state)

    def verify(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("audit", "verify", str(self.plan), *words)

    @property
    def journal(self) -> Path:
        return workspace_for(self.state, self.plan).journal

    def tamper(self, statement: str) -> None:
        with closing(sqlite3.connect(self.journal)) as other:
            other.execute("DROP TRIGGER events_stay")
            other.execute("DROP TRIGGER events_remain")
            other.execute(statement)
            other.commit()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    plan = tmp_path / "small.yaml"
    plan.write_text(PLAN)
    made = Desk(plan, tmp_path / "state")
    done = made.run("run", str(plan))
    assert done.returncode == 0, done.stderr
    return made


def test_a_run_that_was_made_is_whole_and_its_head_is_the_one_that_run_and_report_told(desk: Desk) -> None:
    audit = desk.verify()
    assert (audit.returncode, audit.stderr) == (0, "")
    assert "whole. " in audit.stdout
    assert "1 plan, 2 outputs and 2 noted heads compared" in audit.stdout
    head = re.search(r"head: record (\d+), ([0-9a-f]{64})", audit.stdout)
    assert head is not None
    assert head[2] in desk.run("report", str(desk.plan)).stdout
    assert head[0] in desk.run("run", str(desk.plan)).stdout
    assert desk.verify("--head", head[2]).returncode == 0
    assert desk.run("audit", "verify").returncode == 0


def test_an_edit_ends_in_exit_code_1_and_names_the_first_bad_record(desk: Desk) -> None:
    desk.tamper("UPDATE events SET data = replace(data, '\"exit_code\":0', '\"exit_code\":3') WHERE type = 'StepEnded'")
    audit = desk.verify()
    assert audit.returncode == 1
    assert re.search(r"record 3 \(20\d\d-\S+Z, StepEnded, run 1\): it was changed after it was written", audit.stderr)
    document = json.loads(desk.verify("--format", "json").stdout)[0]
    assert (document["whole"], document["first_bad"]["seq"], document["first_bad"]["type"]) == (False, 3, "StepEnded")


def test_a_cut_tail_ends_in_exit_code_1(desk: Desk) -> None:
    desk.tamper("DELETE FROM events WHERE type = 'RunEnded'")
    audit = desk.verify()
    assert audit.returncode == 1
    assert "cut off at the end" in audit.stderr


def test_a_head_that_no_record_has_ends_in_exit_code_1(desk: Desk) -> None:
    assert desk.verify("--head", "0" * 64).returncode == 1
    audit = desk.verify("--head", "zzz")
    assert (audit.returncode, "is no head" in audit.stderr) == (2, True)


def test_an_output_that_was_edited_is_found(desk: Desk) -> None:
    (kept,) = workspace_for(desk.state, desk.plan).run_directory("1").glob("mark.1/out-*")
    kept.write_text("1300 rows\n")
    audit = desk.verify()
    assert audit.returncode == 1
    assert "the output of mark that was kept" in audit.stderr


def test_what_is_no_journal_is_told_and_not_called_whole(desk: Desk) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{desk.journal}{suffix}").unlink(missing_ok=True)
    for content, words in (
        (b"no database, but long enough to look like one" * 40, "is no SQLite file any more"),
        (b"", "holds no journal"),
        (None, "was removed: "),
    ):
        if content is None:
            desk.journal.unlink()
        else:
            desk.journal.write_bytes(content)
        audit = desk.verify()
        assert audit.returncode == 1
        assert words in audit.stderr
        assert "Traceback" not in audit.stderr
    assert "was removed: " in desk.run("audit", "verify").stderr, "what was removed is missed without its name too"
    for note in (CHECKPOINTS, NEWEST):
        (desk.journal.parent / note).unlink()
    _forget_on_host()
    assert "there is no journal at" in desk.verify().stderr


def test_a_journal_that_another_program_locks_is_told(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.journal, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        audit = desk.verify()
    assert audit.returncode == 1
    assert "is locked by another program" in audit.stderr


def test_one_damaged_journal_does_not_hide_the_others(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(PLAN.replace("small", "other"))
    assert desk.run("run", str(other)).returncode == 0
    for suffix in ("-wal", "-shm"):
        Path(f"{desk.journal}{suffix}").unlink(missing_ok=True)
    desk.journal.write_bytes(b"")
    audit = desk.run("audit", "verify")
    assert audit.returncode == 1
    assert "holds no journal" in audit.stderr
    assert "whole." in audit.stdout


def test_show_lists_each_record_for_people_and_for_programs(desk: Desk) -> None:
    shown = desk.run("audit", "show", str(desk.plan)).stdout
    assert re.search(r"^ +1  20\d\d-\S+Z  run 1  RunStarted  [0-9a-f]{16}$", shown, re.MULTILINE)
    assert "plan_text: schema: 1 … (13 lines)" in shown
    lines = desk.run("audit", "show", str(desk.plan), "--format", "json", "--run", "1").stdout.splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    assert records[0]["data"]["plan_text"] == PLAN
    assert records[-1]["type"] == "RunEnded"
    missing = desk.run("audit", "show", str(desk.plan), "--run", "7")
    assert (missing.returncode, "the journal has no run '7'" in missing.stderr) == (1, True)


@pytest.mark.parametrize("left", [NEWEST, "registry"])
def test_a_cut_tail_is_found_by_each_note_that_is_left(desk: Desk, left: str) -> None:
    desk.tamper("DELETE FROM events WHERE seq > (SELECT MAX(seq) - 2 FROM events)")
    (desk.journal.parent / CHECKPOINTS).unlink()
    if left == "registry":
        (desk.journal.parent / NEWEST).unlink()
    else:
        _forget_on_host()
    for audit in (desk.verify(), desk.run("audit", "verify")):
        assert (audit.returncode, "cut off at the end" in audit.stderr) == (1, True), audit.stderr


@pytest.mark.parametrize("left", [NEWEST, "registry"])
def test_a_removed_journal_is_found_by_each_note_that_is_left(desk: Desk, left: str) -> None:
    if left == "registry":
        shutil.rmtree(desk.journal.parent)
    else:
        desk.journal.unlink()
        (desk.journal.parent / CHECKPOINTS).unlink()
        _forget_on_host()
    for audit in (desk.verify(), desk.run("audit", "verify")):
        assert (audit.returncode, "was removed" in audit.stderr) == (1, True), audit.stderr


def test_a_journal_in_the_place_of_another_is_found(desk: Desk) -> None:
    for path in (desk.journal.parent).glob("journal.sqlite*"):
        path.unlink()
    (desk.journal.parent / CHECKPOINTS).unlink()
    kept = (desk.journal.parent / NEWEST).read_bytes()
    (desk.journal.parent / NEWEST).unlink()
    shutil.rmtree(desk.journal.parent / "runs")
    _forget_on_host()
    assert desk.run("run", str(desk.plan)).returncode == 0
    (desk.journal.parent / NEWEST).write_bytes(kept)
    audit = desk.verify()
    assert (audit.returncode, "is another than the one that was used here" in audit.stderr) == (1, True), audit.stderr


def _forget_on_host() -> None:
    for path in host_registry(os.environ).glob("switchover-*"):  # type: ignore[union-attr]
        path.unlink()
