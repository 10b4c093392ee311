"""`switchover push`: a job reports, with and without an agent; `check` believes it while it is fresh."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from switchover.cli.parser import main

from .conftest import Check, Write


def test_a_report_is_kept_without_an_agent_and_believed(
    write: Write, check: Check, capfd: pytest.CaptureFixture[str], state: Path
) -> None:
    plan = write(dump="{kind: heartbeat, within: 1h}", up="{kind: disk, writable: true}")
    assert check(plan, "dump")[0] == 2
    assert main(["push", str(plan), "dump", "--text", "42 tables"]) == 0
    code, out, _ = check(plan, "dump")
    assert (code, "42 tables" in out) == (0, True)
    assert main(["push", str(plan), "dump", "--status", "crit"]) == 0
    assert check(plan, "dump")[0] == 2
    (report,) = state.glob(f"workspaces/*/pushed/{quote('dump')}.json")
    assert (report.stat().st_mode & 0o777, json.loads(report.read_text())["status"]) == (0o600, "crit")


@pytest.mark.parametrize(("name", "word"), [("up", "waits for no report"), ("dumb", "the plan has no check 'dumb'")])
def test_a_report_that_nothing_waits_for_is_refused(
    write: Write, capfd: pytest.CaptureFixture[str], name: str, word: str
) -> None:
    plan = write(dump="{kind: heartbeat, within: 1h}", up="{kind: disk, writable: true}")
    assert main(["push", str(plan), name]) != 0
    said = capfd.readouterr().err
    assert word in said
    assert "dump" in said


def test_a_secret_in_a_report_is_not_written_down(
    write: Write, capfd: pytest.CaptureFixture[str], state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUMP_PASSWORD", "sec-canary-4711")
    plan = write("secrets: {pw: {ref: 'env:DUMP_PASSWORD'}}", dump="{kind: heartbeat, within: 1h}")
    assert main(["push", str(plan), "dump", "--text", "used sec-canary-4711"]) == 0
    (report,) = state.glob("workspaces/*/pushed/*.json")
    assert "canary" not in report.read_text()
    assert "used" in report.read_text()
