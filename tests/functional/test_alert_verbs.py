"""`alerts`, `problems` and `silence` from the command line, with no agent: nobody is told by a look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.stand_ins.json_routes import json_routes
from tests.support.warm_program import run_switchover

PLAN = """
schema: 1
id: p
title: Move it
notifiers: {{team: {{kind: webhook, url: "{address}/hook"}}}}
checks: {{a: {{kind: file, path: missing.txt, every: 1s}}}}
alerts: {{gone: {{when: "a == CRIT", notify: [team], severity: warning, text: It is gone}}}}
"""


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    def run(*words: str) -> Any:
        environ = {"SWITCHOVER_STATE": str(tmp_path / "state"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        return run_switchover(*words, cwd=tmp_path, env=environ)

    return run


def test_what_is_wrong_and_what_fires_is_listed_for_scripts_and_nobody_is_told(tmp_path: Path, ask: Any) -> None:
    with json_routes({"*": "ok"}) as there:
        (tmp_path / "plan.yaml").write_text(PLAN.format(address=there.address))
        fires = ask("alerts", "plan.yaml", "--format", "json")
        wrong = ask("problems", "plan.yaml", "--format", "jsonl")
        text = ask("alerts", "plan.yaml")
    assert (fires.returncode, wrong.returncode) == (1, 1), fires.stderr + wrong.stderr
    (alert,) = json.loads(fires.stdout)
    assert (alert["name"], alert["severity"], alert["text"], alert["note"]) == ("gone", "warning", "It is gone", None)
    assert json.loads(wrong.stdout.splitlines()[0])["subject"] == "a"
    assert "It is gone" in text.stdout
    assert there.asked == []


def test_a_silence_is_made_listed_and_ended(tmp_path: Path, ask: Any) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.format(address="http://127.0.0.1:1"))
    made = ask(
        "silence", "plan.yaml", "gone", "severity=warn*", "--for", "2h", "--reason", "a deploy", "--format", "json"
    )
    assert made.returncode == 0, made.stderr
    (silence,) = json.loads(made.stdout)
    assert silence["matchers"] == ["alertname=gone", "severity=warn*"]
    (listed,) = json.loads(ask("silence", "plan.yaml", "--format", "json").stdout)
    assert (listed["id"], listed["why"]) == (silence["id"], "a deploy")
    (alert,) = json.loads(ask("alerts", "plan.yaml", "--format", "json").stdout)
    assert alert["note"].endswith(": a deploy")
    assert ask("silence", "plan.yaml", "--end", silence["id"]).returncode == 0
    assert ask("silence", "plan.yaml").stdout == "nothing is silenced\n"
    wrong = ask("silence", "plan.yaml", "a b=c")
    assert (wrong.returncode, "is no matcher" in wrong.stderr) == (2, True)
    nothing = ask("silence", "plan.yaml", "--ack", "other")
    assert "no alert 'other' fires" in nothing.stderr
