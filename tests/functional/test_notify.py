"""`switchover notify test` tells for each notifier whether it took a notice."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.stand_ins.json_routes import json_routes
from tests.support.warm_program import run_switchover

PLAN = """
schema: 1
id: p
title: Move it
secrets: {{hook: {{ref: "env:HOOK"}}}}
notifiers:
  team: {{kind: slack, url: "{{{{ secret.hook }}}}/T0KEN"}}
  gone: {{kind: webhook, url: "{address}/no"}}
checks: {{a: {{kind: memory, warn: "1%:"}}}}
"""


def test_each_notifier_says_whether_it_took_the_notice_and_no_secret_is_shown(tmp_path: Path) -> None:
    with json_routes({"/s/T0KEN": "ok", "*": (404, {})}) as there:
        (tmp_path / "plan.yaml").write_text(PLAN.format(address=there.address))
        environ = {"HOOK": f"{there.address}/s", "SWITCHOVER_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
        done = run_switchover("notify", "test", "plan.yaml", "--format", "json", cwd=tmp_path, env=environ)
        one = run_switchover("notify", "test", "plan.yaml", "nobody", cwd=tmp_path, env=environ)
    assert json.loads(done.stdout) == [
        {"notifier": "team", "ok": True, "reason": None},
        {"notifier": "gone", "ok": False, "reason": "it answered 404"},
    ]
    assert done.returncode == 1
    assert "test from switchover on " in there.asked[0][2]["text"]
    assert one.returncode == 2
    assert "the plan has no notifier 'nobody'" in one.stderr


WAITS = """
schema: 1
id: told_by_run
target: {place}
title: Move it
notifiers: {{team: {{kind: slack, url: "{address}/hook"}}}}
phases:
  - id: one
    title: One
    steps: [{{id: go, argv: ["true"], effect: read, rollback: not_needed}}]
    gate: {{human: Is it well?}}
"""


def test_a_run_without_an_agent_tells_once_that_its_gate_waits_and_that_it_is_done(tmp_path: Path) -> None:
    environ = {"SWITCHOVER_STATE": str(tmp_path / "state"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    with json_routes({"*": "ok"}) as there:
        (tmp_path / "plan.yaml").write_text(WAITS.format(address=there.address, place=tmp_path.name))
        codes = [
            run_switchover("run", "plan.yaml", *more, cwd=tmp_path, env=environ).returncode
            for more in ((), (), ("--confirm", "one=go"))
        ]
    assert codes == [4, 4, 0]
    waits, done = (asked[2]["text"] for asked in there.asked)
    assert waits == ":information_source: Move it: gate one waits for a person: Is it well?"
    assert "Move it: run 1 is done" in done
