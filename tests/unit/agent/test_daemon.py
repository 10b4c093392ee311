from __future__ import annotations

import errno
import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from switchover.agent.process.lifecycle import StartReport
from switchover.cli.verbs import agent
from switchover.locations import workspace_for

STARTER = """
import json, os, sys, time
from switchover.agent.process.daemon import detach
from switchover.agent.process.lifecycle import StartReport

def work(tell):
    facts = {"session": os.getsid(0) != int(sys.argv[2]), "leader": os.getsid(0) == os.getpid(), "cwd": os.getcwd(),
             "files": sorted(int(n) for n in os.listdir("/proc/self/fd")), "parent": os.getppid()}
    with open(sys.argv[1], "w") as file:
        json.dump(facts, file)
    CASE
    return 0

report = detach(work, 10.0)
print(report)
"""


def start(case: str, tmp_path: Path) -> tuple[str, dict[str, object]]:
    facts = tmp_path / "facts.json"
    with (tmp_path / "inherited").open("w") as inherited:
        done = subprocess.run(
            [sys.executable, "-c", STARTER.replace("CASE", case), str(facts), "0"],
            capture_output=True,
            text=True,
            check=True,
            pass_fds=[inherited.fileno()],
        )
    return done.stdout.strip(), json.loads(facts.read_text())


def test_the_agent_has_a_session_of_its_own_and_keeps_nothing_of_its_starter(tmp_path: Path) -> None:
    report, facts = start("tell(StartReport(pid=os.getpid()))", tmp_path)
    assert "StartReport(pid=" in report
    assert facts["session"] is True
    assert facts["leader"] is False, "a session's leader could get a terminal again"
    assert facts["cwd"] == "/"
    files = facts["files"]
    assert isinstance(files, list)
    assert len([number for number in files if number > 2]) <= 2, "the pipe, and the look at /proc itself"


def test_an_agent_that_dies_without_a_word_is_noticed_at_once(tmp_path: Path) -> None:
    assert start("os._exit(9)", tmp_path)[0] == "None"
    assert start("raise ValueError('inside')", tmp_path)[0] == "None"


def test_a_report_longer_than_a_pipe_is_wide_arrives_whole(tmp_path: Path) -> None:
    case = (
        "from switchover.agent.wire.protocol import ErrorInfo; "
        "tell(StartReport(error=ErrorInfo('PlanError', 'x' * 300000)))"
    )
    assert start(case, tmp_path)[0].count("x") > 299_000


def test_a_disk_that_is_full_is_told_to_whoever_starts_without_naming_a_log_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "agent.log"))

    told: list[StartReport] = []
    monkeypatch.setattr(agent, "_serve", full)
    assert agent._work(workspace_for(tmp_path, None), None, Namespace(), told.append) == 1
    assert told[0].error is not None
    assert "No space left on device" in told[0].error.title
    assert "--state DIR" in told[0].error.hint
    assert "log" not in told[0].error.hint
