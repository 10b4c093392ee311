"""Incidents and bundles from scripts, without a screen and without an agent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.support.warm_program import run_switchover

PLAN = """\
schema: 1
id: verbs
title: Verbs
secrets: {pg: {ref: "env:VERBS_SECRET"}}
services: {web: {kind: process, pid_file: web.pid, every: 0.5s}}
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


def run(here: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "DOCKER_HOST": f"unix://{here}/none", **env}
    return run_switchover(*words, "--state", here / "state", cwd=here, env=environ, timeout=90)


def test_an_incident_from_its_title_to_its_report(here: Path) -> None:
    plan = ("--plan", "plan.yaml")
    assert run(here, "incident", "list", *plan).stdout == "there was no incident here\n"
    assert run(here, "incident", "open", "web", "is", "down", *plan).stdout == "incident #1 is open\n"
    again = run(here, "incident", "open", "another", *plan)
    assert again.returncode == 1
    assert "incident 1 is open: web is down" in again.stderr
    assert run(here, "incident", "note", "looking at it", *plan).stdout == "written down\n"
    closed = run(here, "incident", "close", "it was never started", *plan)
    report = Path(closed.stdout.strip())
    assert "looking at it" in report.read_text()
    (listed,) = json.loads(run(here, "incident", "list", "--format", "json", *plan).stdout)
    assert (listed["id"], listed["title"], listed["path"]) == ("1", "web is down", str(report))
    assert run(here, "incident", "note", "late", *plan).returncode == 1
    assert run(here, "incident", "list").stdout == "there was no incident here\n"  # the host has its own


def test_what_is_written_down_is_written_whole_or_refused(here: Path) -> None:
    assert run(here, "incident", "open", "it burns").returncode == 0
    long = run(here, "incident", "note", "x" * 20_000)
    assert (long.returncode, "nothing was written down" in long.stderr) == (2, True)
    assert run(here, "incident", "note", f"{'y' * 15_000} the end").returncode == 0
    odd = subprocess.run(
        [sys.executable, "-P", "-m", "switchover", "incident", "note", b"odd \xff byte", "--state", here / "state"],
        capture_output=True, text=True, check=False, cwd=here, timeout=90,
    )  # fmt: skip
    assert (odd.returncode, odd.stdout) == (0, "written down\n")
    report = Path(run(here, "incident", "close").stdout.strip()).read_text()
    assert f"{'y' * 15_000} the end" in report
    assert "odd ? byte" in report


def test_a_plan_is_not_taken_for_a_word_of_the_title(here: Path) -> None:
    slip = run(here, "incident", "open", "it burns", "plan.yaml")
    assert slip.returncode == 2
    assert "--plan plan.yaml" in slip.stderr


def test_a_note_without_a_word_is_a_slip(here: Path) -> None:
    slip = run(here, "incident", "note")
    assert slip.returncode == 2
    assert "needs a text" in slip.stderr


def test_what_was_done_is_in_the_audit(here: Path) -> None:
    run(here, "incident", "open", "web is down", "--plan", "plan.yaml")
    shown = run(here, "audit", "show", "plan.yaml")
    assert "web is down" in shown.stdout
    assert run(here, "audit", "verify", "plan.yaml").returncode == 0


def test_a_bundle_of_a_plan_has_looked_first_and_keeps_its_secret(here: Path) -> None:
    (here / "plan.yaml").write_text(PLAN + "contacts: [{name: Ana, note: 'cAnaRy-plan'}]\n")
    made = run(here, "bundle", "plan.yaml", VERBS_SECRET="cAnaRy-plan")
    path = Path(made.stdout.strip())
    with tarfile.open(path) as archive:
        texts = {one.name.rpartition("/")[2]: archive.extractfile(one).read().decode() for one in archive}  # type: ignore[union-attr]
    assert "crit: web" in texts["problems.md"]
    assert not any("cAnaRy" in text for text in texts.values())
    assert "(secret pg)" in texts["plan.yaml"]
